"""The program as a process, stopped at every time of its life: it cleans up and ends with the code that is promised."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-c", "from outpost_cli.main import main; main()"]
# Stands for the part that runs the stack, and writes down how far it has come.
STACK = """
import contextlib, pathlib, time
HERE = pathlib.Path(__file__).parent

class Aws:
    names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
    environment = dict.fromkeys(names, "local")

class LocalStack:
    aws = Aws
    api_url, api_key, notes = "http://127.0.0.1:1", "otp_local", ()

    @classmethod
    @contextlib.contextmanager
    def start(cls, **_):
        try:
            (HERE / "starting").touch()
            time.sleep({start_seconds})
            yield cls
        finally:
            (HERE / "ending").touch()
            time.sleep(0.5)
            (HERE / "ended").touch()
"""


@pytest.fixture
def make_stack(tmp_path: Path):
    """Gives the environment in which the program finds that stack, and its folder."""

    def make(*, start_seconds: float = 0) -> tuple[dict[str, str], Path]:
        package = tmp_path / "modules" / "outpost_local"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(STACK.replace("{start_seconds}", str(start_seconds)))
        return {**os.environ, "PYTHONPATH": str(package.parent)}, package

    return make


def start(arguments: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*PROGRAM, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert path.exists()


def test_repeated_signals_do_not_disturb_the_end_of_a_stack(make_stack):
    environment, folder = make_stack()
    process = start(["local", "up"], environment)
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    wait_for(folder / "ending")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 0
    assert (folder / "ended").exists()
    assert stderr.decode().splitlines() == ["Starting the stack ...", "Stopped; nothing is left behind."]


def test_a_signal_while_a_stack_starts_ends_it_with_130(make_stack):
    environment, folder = make_stack(start_seconds=20)
    process = start(["local", "up"], environment)
    wait_for(folder / "starting")
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert (folder / "ended").exists()
    assert b"Traceback" not in stderr


def test_closing_the_terminal_ends_the_stack(make_stack):
    environment, folder = make_stack()
    ours, theirs = pty.openpty()
    script = f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); {PROGRAM[2]}"
    process = subprocess.Popen(
        [PROGRAM[0], "-c", script, "local", "up"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    wait_for(folder / "starting")
    os.close(ours)
    assert process.wait(timeout=20) == 130
    assert (folder / "ended").exists()


def interrupt_at(moment: str) -> list[str]:
    """The program, which sends itself two Ctrl-C at a moment of main's life."""
    script = f"""
import os, signal, atexit
from outpost_cli import main as program
def strike(*_, **__):
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
{moment}
program.main()
"""
    return [sys.executable, "-c", script, "version"]


@pytest.mark.parametrize(
    ("moment", "exit_code"),
    [
        ("program.run_app = strike", 130),
        ("program.stamina.instrumentation.set_on_retry_hooks = strike", 130),
        ("program.refuse_stop_signals, refuse = lambda: (strike(), refuse()), program.refuse_stop_signals", 130),
        ("atexit.register(strike)", 0),
    ],
)
def test_ctrl_c_at_any_time_ends_without_a_traceback(moment, exit_code):
    finished = subprocess.run(interrupt_at(moment), capture_output=True, check=False, start_new_session=True)
    assert finished.returncode == exit_code
    assert b"Traceback" not in finished.stderr
