"""`outpost local up`: how a stack is announced and ended."""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from outpost_cli.commands.local import find_template, read_parameters, serve_stack
from outpost_cli.errors import UsageRefused
from outpost_cli.output import Output
from outpost_cli.profiles import ProfileFile
from outpost_cli.stopping import stopped_by_signals


@dataclass
class SmallStack:
    """Stands for a running stack; sends this process a signal soon after it was started."""

    stop_signal: signal.Signals = signal.SIGINT
    api_url: str = "http://127.0.0.1:8080"
    api_key: str = "otp_local"
    notes: list[str] = field(default_factory=lambda: ["No namespaces here."])
    has_ended: bool = False

    @contextmanager
    def start(self) -> Iterator["SmallStack"]:
        timer = threading.Timer(0.2, os.kill, (os.getpid(), self.stop_signal))
        timer.start()
        try:
            yield self
        finally:
            timer.join()
            self.has_ended = True


@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_signal_ends_the_stack_and_says_so(capsys, stop_signal):
    stack = SmallStack(stop_signal=stop_signal)
    serve_stack(Output.open(as_json=False), stack.start, profile=None)
    shown = capsys.readouterr()
    assert stack.has_ended
    assert "Stopped; nothing is left behind." in shown.err


def test_the_announcement_has_lines_for_the_shell_and_says_what_it_is_for(capsys):
    serve_stack(Output.open(as_json=False), SmallStack().start, profile=None)
    shown = capsys.readouterr()
    assert "export OUTPOST_URL=http://127.0.0.1:8080\nexport OUTPOST_API_KEY=otp_local\n" in shown.out
    assert "trying and testing only" in shown.out
    assert "No namespaces here." in shown.err


def test_json_is_one_line(capsys):
    serve_stack(Output.open(as_json=True), SmallStack().start, profile=None)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"url": "http://127.0.0.1:8080", "apiKey": "otp_local"}


def test_a_profile_can_be_saved_on_the_way():
    serve_stack(Output.open(as_json=True), SmallStack().start, profile="local")
    assert ProfileFile.locate().read()["local"].url == "http://127.0.0.1:8080"


def test_a_second_signal_does_not_disturb_the_cleaning_up():
    cleaned: list[str] = []
    with stopped_by_signals():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(5)
        except KeyboardInterrupt:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            cleaned.append("all of it")
    assert cleaned == ["all of it"]


def test_the_signals_mean_afterwards_what_they_meant_before():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with stopped_by_signals():
        pass
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


@pytest.mark.parametrize(("command", "module"), [(["local", "up"], "outpost_local"), (["demo"], "outpost_local.demo")])
def test_without_the_extra_the_remedy_says_how_to_install_it(run_program, monkeypatch, command, module):
    monkeypatch.setitem(sys.modules, module, None)
    result = run_program(*command)
    assert result.exit_code == 1
    assert "pip install 'outpost[local]'" in result.stderr


def test_the_programs_own_checkout_comes_before_whatever_folder_one_is_in(monkeypatch, tmp_path: Path):
    (tmp_path / "template.yaml").touch()
    monkeypatch.chdir(tmp_path)
    assert find_template(None) == Path(__file__).parents[2] / "template.yaml"


def test_a_template_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(UsageRefused):
        find_template(tmp_path / "template.yaml")


def test_parameters_are_names_with_values():
    assert read_parameters(["Env=dev", "ApiUrl=https://api.example.com/?a=b"]) == {
        "Env": "dev",
        "ApiUrl": "https://api.example.com/?a=b",
    }


def test_a_parameter_without_a_value_is_refused():
    with pytest.raises(UsageRefused, match="is not NAME=VALUE"):
        read_parameters(["Env"])
