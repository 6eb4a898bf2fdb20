"""`outpost local up`: how a stack is announced and ended."""

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from outpost_cli.commands.local import find_template, read_parameters, saved_profile, serve_stack
from outpost_cli.errors import UsageRefused
from outpost_cli.local_aws import LocalAwsFile
from outpost_cli.output import Output
from outpost_cli.profiles import Profile, ProfileFile
from outpost_cli.stopping import STOP_SIGNALS, take_stop_signals, undisturbed_end


@dataclass(frozen=True)
class SmallAws:
    environment: dict[str, str] = field(
        default_factory=lambda: {
            "AWS_ENDPOINT_URL": "http://127.0.0.1:8081",
            "AWS_ACCESS_KEY_ID": "AKIALOCAL",
            "AWS_SECRET_ACCESS_KEY": "worth-nothing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
    )


@dataclass
class SmallStack:
    """Stands for a running stack; sends this process a signal soon after it was started."""

    stop_signal: signal.Signals = signal.SIGINT
    api_url: str = "http://127.0.0.1:8080"
    api_key: str = "otp_local"
    aws: SmallAws = field(default_factory=SmallAws)
    notes: list[str] = field(default_factory=lambda: ["No namespaces here."])
    before_stop: Callable[[], object] = lambda: None
    has_ended: bool = False

    @contextlib.contextmanager
    def start(self) -> Iterator["SmallStack"]:
        timer = threading.Timer(0.2, self._send_signal)
        timer.start()
        try:
            yield self
        finally:
            timer.join()
            self.has_ended = True

    def _send_signal(self) -> None:
        self.before_stop()
        os.kill(os.getpid(), self.stop_signal)


@pytest.fixture(autouse=True)
def stop_signals() -> Iterator[None]:
    """The handlers that `main` sets, and afterwards those of the tests."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    take_stop_signals()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def serve(stack: SmallStack, *, as_json: bool = False, profile: str | None = None, force: bool = False) -> None:
    serve_stack(Output.open(as_json=as_json), stack.start, profile=profile, force=force)


@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_ends_the_stack_and_says_so(capsys, stop_signal):
    stack = SmallStack(stop_signal=stop_signal)
    serve(stack)
    assert stack.has_ended
    assert "Stopped; nothing is left behind." in capsys.readouterr().err


def test_the_announcement_has_lines_for_the_shell_and_says_what_it_is_for(capsys):
    serve(SmallStack())
    shown = capsys.readouterr()
    assert "export OUTPOST_URL=http://127.0.0.1:8080\nexport OUTPOST_API_KEY=otp_local\n" in shown.out
    assert "trying and testing only" in shown.out
    assert "Do not run what you do not trust." in shown.out
    assert "No namespaces here." in shown.err


def test_the_operators_commands_find_the_stack_as_long_as_it_is_up():
    seen: dict[str, str] = {}
    serve(SmallStack(before_stop=lambda: seen.update(LocalAwsFile.locate().read())))
    assert seen == SmallAws().environment
    with pytest.raises(UsageRefused, match="No stack is up"):
        LocalAwsFile.locate().read()


def test_the_announcement_says_how_to_operate_it(capsys):
    serve(SmallStack())
    assert "\noutpost operator show --local\n" in capsys.readouterr().out


def test_a_stack_comes_up_where_no_file_can_be_kept_and_says_so(capsys, tmp_path):
    (tmp_path / "config").write_text("a file")
    stack = SmallStack()
    serve(stack)
    assert stack.has_ended
    assert "--local will not find this stack" in capsys.readouterr().err


def test_json_is_one_line(capsys):
    serve(SmallStack(), as_json=True)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"url": "http://127.0.0.1:8080", "apiKey": "otp_local"}


OWN = Profile(url="http://127.0.0.1:8080", api_key="otp_local")
PROD = Profile(url="https://prod.example.com", api_key="otp_prod")
ENDED_STACK = Profile(url="http://127.0.0.1:9999", api_key="otp_old")


def always(_: Profile) -> bool:
    return True


def test_a_profile_is_there_as_long_as_the_stack():
    seen: dict[str, Profile] = {}
    serve(SmallStack(before_stop=lambda: seen.update(ProfileFile.locate().read())), profile="local")
    assert seen == {"local": OWN}
    assert ProfileFile.locate().read() == {}


def test_a_profile_that_somebody_saved_meanwhile_stays():
    serve(SmallStack(before_stop=lambda: ProfileFile.locate().save("local", PROD, may_replace=always)), profile="local")
    assert ProfileFile.locate().read() == {"local": PROD}


def test_a_profile_of_another_service_is_kept():
    ProfileFile.locate().save("local", PROD)
    with pytest.raises(UsageRefused, match="There is a profile local already"), saved_profile("local", SmallStack()):
        pytest.fail("It was replaced.")
    assert ProfileFile.locate().read() == {"local": PROD}


@pytest.mark.parametrize(("old", "force"), [(ENDED_STACK, False), (PROD, True)])
def test_a_profile_of_an_ended_stack_is_replaced_and_any_other_by_force(old, force):
    ProfileFile.locate().save("local", old)
    seen: dict[str, Profile] = {}
    serve(SmallStack(before_stop=lambda: seen.update(ProfileFile.locate().read())), profile="local", force=force)
    assert seen == {"local": OWN}


def test_a_name_that_is_taken_is_refused_before_anything_starts(run_program):
    ProfileFile.locate().save("local", PROD)
    result = run_program("local", "up", "--profile", "local")
    assert result.exit_code == 2
    assert "Starting" not in result.stderr


def test_the_first_signal_does_not_disturb_a_cleaning_up_that_has_begun():
    cleaned: list[str] = []
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(cleaned.append, "all of it")
        cleanup.callback(os.kill, os.getpid(), signal.SIGTERM)
        cleanup.callback(os.kill, os.getpid(), signal.SIGINT)
        cleanup.enter_context(undisturbed_end())
    assert cleaned == ["all of it"]


def test_nohup_is_honoured():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    take_stop_signals()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


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
