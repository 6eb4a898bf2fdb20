"""Starting and stopping the whole."""

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from outpost_local.home import remove_abandoned_homes
from outpost_local.stack import LocalStack, StackAlreadyRunning

from .conftest import SMALL_STACK
from .machine import await_value
from .processes import find_processes

pytestmark = pytest.mark.xdist_group("small_stack")

START_AND_WAIT = """
import sys
from pathlib import Path
from outpost_local import LocalStack
stack = LocalStack.start(Path(sys.argv[1]))
from tests_machine import Machine
execution = Machine(stack).start("echo $OUTPOST_TASK_ROOT; sleep 4712")
Machine(stack).await_process(execution)
print(stack.log_path.parent, flush=True)
sys.stdin.read()
"""
START = """
import sys
from pathlib import Path
from outpost_local import LocalStack
LocalStack.start(Path(sys.argv[1]))
"""
START_AND_STOP = """
import sys, threading
from pathlib import Path
from outpost_local import LocalStack
with LocalStack.start(Path(sys.argv[1])) as stack:
    home = stack.log_path.parent
print(home.exists(), [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()])
"""
UNKNOWN_RESOURCE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Thing: {Type: AWS::Neptune::DBCluster}
"""


def test_a_second_stack_in_the_same_process_is_refused(small_stack: LocalStack) -> None:
    with pytest.raises(StackAlreadyRunning):
        LocalStack.start(SMALL_STACK)


def test_a_secret_is_made_as_the_template_wishes(small_stack: LocalStack) -> None:
    value = small_stack.aws.client("secretsmanager").get_secret_value(SecretId="small-secret")["SecretString"]
    assert len(value) == 40
    assert value.isalnum()


def test_this_machine_lets_tasks_be_separated_or_the_stack_says_what_is_missing(small_stack: LocalStack) -> None:
    assert [note for note in small_stack.notes if "process group" not in note] == []


REFUSED_STARTS = """
import sys
from pathlib import Path
from outpost_local import LocalStack
try:
    LocalStack.start(Path(sys.argv[1]), {sys.argv[3]: "x"} if sys.argv[3] else {}, port=int(sys.argv[4]))
except Exception as error:
    print(type(error).__name__, getattr(error, "errno", None), error)
"""


def test_a_parameter_that_the_template_does_not_have_is_refused() -> None:
    machine = str(Path(__file__).with_name("machine.py"))
    done = _start_in_a_process(REFUSED_STARTS, str(SMALL_STACK), machine, "Nope", "0")
    assert done.communicate()[0].startswith("ParameterUnknown None The template has no parameter Nope.")


def test_a_port_that_is_taken_is_an_error_and_not_the_end() -> None:
    machine = str(Path(__file__).with_name("machine.py"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = _start_in_a_process(REFUSED_STARTS, str(SMALL_STACK), machine, "", str(taken.getsockname()[1]))
        assert done.communicate()[0].startswith(f"OSError {errno.EADDRINUSE}")


def _start_in_a_process(script: str, *arguments: str) -> "subprocess.Popen[str]":
    support = "import importlib.util as u, sys; s = u.spec_from_file_location('tests_machine', sys.argv[2]); "
    support += "m = u.module_from_spec(s); sys.modules['tests_machine'] = m; s.loader.exec_module(m)\n"
    return subprocess.Popen(
        [sys.executable, "-c", support + script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_stack_whose_process_is_killed_leaves_no_process_behind() -> None:
    process = _start_in_a_process(START_AND_WAIT, str(SMALL_STACK), str(Path(__file__).with_name("machine.py")))
    assert process.stdout is not None
    home = process.stdout.readline().strip()
    before = find_processes("4712")
    process.kill()
    process.communicate()
    assert before
    assert await_value(lambda: find_processes("4712", home), lambda found: found == []) == []
    remove_abandoned_homes()
    assert not Path(home).exists()


def test_the_folder_of_a_stack_that_is_up_is_not_taken_for_abandoned(small_stack: LocalStack) -> None:
    remove_abandoned_homes()
    assert small_stack.log_path.parent.exists()


def test_a_template_with_an_unknown_resource_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(UNKNOWN_RESOURCE)
    ended = subprocess.run(
        [sys.executable, "-c", START, str(template)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert "UnsupportedResource" in ended.stderr
    assert "Thing (AWS::Neptune::DBCluster)" in ended.stderr
    assert list(tmp_path.iterdir()) == [template]


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_stack_that_was_stopped_leaves_no_thread_file_or_process_behind(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", START_AND_STOP, str(SMALL_STACK)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert (ended.stdout.strip(), ended.stderr) == ("False []", "")
    assert list(tmp_path.iterdir()) == []
    assert find_processes(str(tmp_path)) == []
