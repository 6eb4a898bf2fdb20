"""The program as a process: in a terminal, in a pipe, and under Ctrl-C."""

import hashlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from outpost_cli.profiles import Profile, ProfileFile

PROGRAM = [sys.executable, "-c", "from outpost_cli.main import main; main()"]
FLEET = {"status": "ok", "agents": [{"agent": "shell", "available": True, "modelId": None}]}
RECEIPT = {"runId": "01JZ0000000000000000000000", "status": "PENDING"}


@pytest.fixture
def environment(service) -> dict[str, str]:
    return {**os.environ, "OUTPOST_URL": service.url, "OUTPOST_API_KEY": service.api_key, "TERM": "xterm-256color"}


def start_in_terminal(arguments: list[str], environment: dict[str, str]) -> tuple["subprocess.Popen[bytes]", int]:
    """The program with a terminal for all its streams, and our side of the terminal."""
    ours, theirs = pty.openpty()
    # In a session of its own: otherwise a question would go to the terminal of whoever runs the tests.
    process = subprocess.Popen(
        [*PROGRAM, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    return process, ours


def run_in_terminal(arguments: list[str], environment: dict[str, str]) -> bytes:
    """What the program shows when stdout is a terminal."""
    process, ours = start_in_terminal(arguments, environment)
    return finish_in_terminal(process, ours)


def finish_in_terminal(process: "subprocess.Popen[bytes]", ours: int) -> bytes:
    shown = b"".join(read_terminal(ours))
    os.close(ours)
    process.wait(timeout=20)
    return shown


def wait_until_hidden(terminal: int) -> None:
    """Until what is typed is not shown."""
    deadline = time.monotonic() + 20
    while termios.tcgetattr(terminal)[3] & termios.ECHO and time.monotonic() < deadline:
        time.sleep(0.02)


def read_terminal(terminal: int) -> Iterator[bytes]:
    """Everything until the other side is closed, which Linux tells as an error."""
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:
            return
        if not chunk:
            return
        yield chunk


def wait_until_seen(service, path: str) -> None:
    deadline = time.monotonic() + 20
    while not service.seen_on("GET", path) and time.monotonic() < deadline:
        time.sleep(0.02)


def test_a_terminal_gets_colour_and_a_pipe_gets_none(service, environment):
    service.on("GET", "/fleet", service.data(FLEET))
    assert b"\x1b[32myes" in run_in_terminal(["fleet"], environment)
    piped = subprocess.run([*PROGRAM, "fleet"], env=environment, capture_output=True, check=True)
    assert b"\x1b" not in piped.stdout


def test_save_asks_for_the_key_without_showing_it(environment):
    key = "otp_" + "a" * 64
    command = ["profile", "save", "prod", "--url", "https://prod.example.com/v1/"]
    process, ours = start_in_terminal(command, environment)
    wait_until_hidden(ours)
    os.write(ours, key.encode() + b"\n")
    shown = finish_in_terminal(process, ours)
    assert b"API key" in shown
    assert key.encode() not in shown
    assert ProfileFile.locate().read() == {"prod": Profile(url="https://prod.example.com/v1", api_key=key)}


def answer_in_terminal(arguments: list[str], environment: dict[str, str], question: bytes, answer: bytes) -> bytes:
    """What the program shows when its question is answered."""
    process, ours = start_in_terminal(arguments, environment)
    shown = b""
    while question not in shown:
        shown += os.read(ours, 4096)
    os.write(ours, answer)
    return shown + finish_in_terminal(process, ours)


def test_login_asks_for_url_and_key_and_shows_the_key_nowhere(service, environment):
    service.on("GET", "/auth/whoami", service.data(service.make_identity()))
    bare = {name: value for name, value in environment.items() if not name.startswith("OUTPOST_")}
    process, ours = start_in_terminal(["login"], bare)
    os.write(ours, service.url.encode() + b"\n")
    wait_until_hidden(ours)
    os.write(ours, service.api_key.encode() + b"\n")
    shown = finish_in_terminal(process, ours)
    assert service.api_key.encode() not in shown
    assert ProfileFile.locate().read() == {"default": Profile(url=service.url, api_key=service.api_key)}


def test_in_a_terminal_a_secret_is_asked_for_and_shown_nowhere(service, environment):
    told = {"name": "openai", "kind": "provider", "createdAt": "2026-01-01T12:00:00.000Z"}
    secret = {**told, "updatedAt": "2026-01-01T12:00:00.000Z", "updatedBy": service.key_id}
    service.on("PUT", "/secrets/openai", service.data(secret))
    process, ours = start_in_terminal(["secrets", "set", "openai"], environment)
    wait_until_hidden(ours)
    os.write(ours, b"sk-0123456789\n")
    shown = finish_in_terminal(process, ours)
    assert b"Value of openai" in shown
    assert b"sk-0123456789" not in shown
    assert service.seen[0].document == {"value": "sk-0123456789"}


def test_in_a_terminal_deleting_a_secret_asks_and_a_no_changes_nothing(service, environment):
    shown = answer_in_terminal(["secrets", "delete", "openai"], environment, b"Delete openai?", b"n\n")
    assert b"Nothing was deleted." in shown
    assert service.seen == []


def test_in_a_terminal_revoking_asks_with_the_name_of_the_key_and_a_no_changes_nothing(service, environment):
    service.on("GET", f"/keys/{service.key_id}", service.data(service.make_key(name="build server")))
    shown = answer_in_terminal(["keys", "revoke", service.key_id], environment, b"[y/N]", b"n\n")
    assert b"build server" in shown
    assert b"Nothing was revoked." in shown
    assert service.seen_on("DELETE", f"/keys/{service.key_id}") == []


def test_in_a_terminal_a_yes_revokes(service, environment):
    service.on("GET", f"/keys/{service.key_id}", service.data(service.make_key()))
    service.on("DELETE", f"/keys/{service.key_id}", service.data(service.make_key(status="REVOKED")))
    answer_in_terminal(["keys", "revoke", service.key_id], environment, b"[y/N]", b"y\n")
    assert len(service.seen_on("DELETE", f"/keys/{service.key_id}")) == 1


def test_in_a_terminal_the_option_yes_asks_nothing(service, environment):
    service.on("DELETE", f"/keys/{service.key_id}", service.data(service.make_key(status="REVOKED")))
    assert b"[y/N]" not in run_in_terminal(["keys", "revoke", service.key_id, "--yes"], environment)
    assert [seen.method for seen in service.seen] == ["DELETE"]


def test_in_a_terminal_a_new_secret_comes_whole_with_the_warning_that_it_is_shown_once(service, environment):
    secret = "otp_" + "c" * 64
    service.on("POST", "/keys", service.data(service.make_key(apiKey=secret), status=201))
    shown = run_in_terminal(["keys", "create", "--name", "ci", "--scope", "status"], environment)
    assert b"shown this once" in shown
    assert secret.encode() in shown


def test_no_color_is_honoured_in_a_terminal(service, environment):
    service.on("GET", "/fleet", service.data(FLEET))
    assert b"\x1b[32m" not in run_in_terminal(["fleet"], {**environment, "NO_COLOR": "1"})


def test_waiting_in_a_terminal_shows_status_and_phase(service, environment):
    running = service.make_run(status="RUNNING", progress={"phase": "cloning", "message": None})
    service.on("POST", "/dispatch", service.data(RECEIPT, status=201))
    ended = service.data(service.make_run(status="COMPLETED"))
    service.on("GET", f"/runs/{service.run_id}", service.data(running), ended)
    shown = run_in_terminal(["dispatch", "x", "--agent", "shell", "--wait"], environment)
    assert b"cloning" in shown
    assert b"COMPLETED" in shown


def test_a_download_in_a_terminal_shows_its_progress(service, environment, tmp_path: Path):
    content = b"x" * 100_000
    entry = {
        "name": "report",
        "type": "artifact",
        "sizeBytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "url": service.file_url("report"),
    }
    service.on("GET", f"/runs/{service.run_id}/artifacts", service.data({"artifacts": [entry]}))
    service.on("GET", "/files/report", service.raw(200, content))
    shown = run_in_terminal(["artifacts", service.run_id, "--download", str(tmp_path)], environment)
    assert b"100.0/100.0 kB" in re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", shown)


@pytest.mark.parametrize(
    ("option", "stop_signal"),
    [("--wait", signal.SIGINT), ("--follow", signal.SIGINT), ("--wait", signal.SIGTERM), ("--follow", signal.SIGTERM)],
)
def test_a_signal_while_waiting_leaves_the_run_alone_and_says_how_to_cancel_it(
    service, environment, option, stop_signal
):
    service.on("POST", "/dispatch", service.data(RECEIPT, status=201))
    service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run(status="RUNNING")))
    service.on("GET", f"/runs/{service.run_id}/logs", service.data({"lines": []}))
    command = [*PROGRAM, "dispatch", "x", "--agent", "shell", option, "--json"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until_seen(service, f"/runs/{service.run_id}")
    process.send_signal(stop_signal)
    stdout, stderr = process.communicate(timeout=20)
    told = json.loads(stderr.splitlines()[-1])
    assert process.returncode == 130
    assert stdout == b""
    assert told["code"] == "INTERRUPTED"
    assert f"outpost cancel {service.run_id}" in told["remedy"]
    assert service.seen_on("POST", f"/runs/{service.run_id}/cancel") == []


def test_a_reader_that_goes_away_gets_no_traceback(service, environment):
    lines = [service.make_line("x" * 1000)] * 1000
    service.on("GET", f"/runs/{service.run_id}/logs", service.data({"lines": lines}))
    command = [*PROGRAM, "logs", service.run_id]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(10)
        process.stdout.close()
        stderr = process.stderr.read()
    assert b"Traceback" not in stderr


def test_an_emoji_does_not_end_the_program_where_there_is_none(service, environment):
    service.on("GET", f"/runs/{service.run_id}/logs", service.data({"lines": [service.make_line("go \U0001f680")]}))
    latin = {**environment, "PYTHONIOENCODING": "latin-1"}
    finished = subprocess.run([*PROGRAM, "logs", service.run_id], env=latin, capture_output=True, check=False)
    assert (finished.returncode, finished.stdout) == (0, b"go ?\n")


def test_a_patch_goes_through_a_pipe_into_git(service, environment, tmp_path: Path):
    diff = b"diff --git a/new b/new\nnew file mode 100644\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+\xff hello\r\n"
    service.on("GET", f"/runs/{service.run_id}/patch", service.raw(200, diff))
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    patch = subprocess.Popen([*PROGRAM, "patch", service.run_id], env=environment, stdout=subprocess.PIPE)
    subprocess.run(["git", "apply"], cwd=tmp_path, stdin=patch.stdout, check=True)
    patch.communicate(timeout=20)
    assert (tmp_path / "new").read_bytes() == b"\xff hello\r\n"


STREAM = "/runs/01JZ0000000000000000000000/events"
ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")
SHOW_CURSOR = b"\x1b[?25h"


def wait_for_looks(service, count: int) -> None:
    """Until the run has been looked at so often."""
    deadline = time.monotonic() + 20
    while len(service.seen_on("GET", f"/runs/{service.run_id}")) < count and time.monotonic() < deadline:
        time.sleep(0.02)


def test_a_watch_in_a_terminal_is_a_live_view_with_tokens_and_cost_and_ends_with_the_outcome(service, environment):
    started = {"startedAt": "2026-01-01T12:00:00.000Z", "modelId": "sonnet", "attempt": 2}
    usage = service.make_usage(inputTokens=112_000, cachedInputTokens=345, outputTokens=678, modelCalls=3)
    running = service.make_run(status="RUNNING", **started)
    later = service.make_run(status="RUNNING", usage={**usage, "totalCostUsd": 0.0123, "isEstimate": True}, **started)
    ended = service.make_run(status="COMPLETED", endedAt="2026-01-01T12:02:05.000Z", usage=usage, **started)
    service.on("GET", f"/runs/{service.run_id}", *(service.data(run) for run in (running, later, later, ended)))
    service.on(
        "GET",
        STREAM,
        service.stream(service.make_progress(1, "cloning"), service.make_log(2, "mending \x1b[2Jcart.py")),
        service.stream(service.make_done(3), meanwhile=lambda: wait_for_looks(service, 3)),
    )
    shown = ESCAPE.sub(b"", run_in_terminal(["watch", service.run_id], environment)).decode()
    assert "sonnet" in shown
    assert "cloning" in shown
    assert "mending cart.py" in shown
    assert "112,345 in, 678 out" in shown
    assert "~$0.0123" in shown
    assert "2m 5s of 10m" in shown
    assert shown.splitlines()[-1] == f"{service.run_id} COMPLETED $0.0003"


def test_a_watch_in_a_terminal_says_that_it_begins_again_and_shows_no_line_twice(service, environment):
    ended = service.data(service.make_run(status="COMPLETED"))
    service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run(status="RUNNING")), ended)
    service.on(
        "GET",
        STREAM,
        service.stream(service.make_log(1, "only once")),
        service.stream(service.make_stream_error("CURSOR_EXPIRED")),
        service.stream(service.make_log("a", "only once"), service.make_done("b")),
    )
    shown = ESCAPE.sub(b"", run_in_terminal(["watch", service.run_id], environment)).decode()
    last_frame = " ".join(shown[shown.rindex("Agent") :].split())
    assert "read again from its beginning" in last_frame
    assert last_frame.count("only once") == 1


def test_a_watch_of_a_queued_run_shows_its_place(service, environment):
    queued = service.make_run(status="QUEUED", queuePosition=3)
    service.on("GET", f"/runs/{service.run_id}", service.data(queued), service.data(service.make_run(status="FAILED")))
    service.on("GET", STREAM, service.stream(": nothing new\n\n"), service.stream(service.make_done(1)))
    shown = ESCAPE.sub(b"", run_in_terminal(["watch", service.run_id], environment)).decode()
    assert "QUEUED at queue position 3" in shown


@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_a_watch_gives_the_terminal_back_and_leaves_the_run_alone(service, environment, stop_signal):
    service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run(status="RUNNING")))
    service.on("GET", STREAM, service.stream(service.make_log(1, "one")))
    process, ours = start_in_terminal(["watch", service.run_id], environment)
    shown = b""
    while b"one" not in shown:
        shown += os.read(ours, 4096)
    process.send_signal(stop_signal)
    shown += finish_in_terminal(process, ours)
    assert process.returncode == 130
    assert SHOW_CURSOR in shown
    assert f"{service.run_id} goes on without you".encode() in b" ".join(ESCAPE.sub(b"", shown).split())
    assert b"Traceback" not in shown
    assert {seen.method for seen in service.seen} == {"GET"}


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (["watch", "RUN"], "/runs/01JZ0000000000000000000000/events"),
        (["events", "RUN", "--follow"], "/runs/01JZ0000000000000000000000/events"),
        (["promotion", "RUN", "--wait"], "/runs/01JZ0000000000000000000000/promotion"),
    ],
)
def test_a_signal_in_a_pipe_ends_with_130_and_an_error_object(service, environment, arguments, path):
    page = {"nextCursor": "c", "hasMore": True}
    replies = {"watch": service.stream(": nothing new\n\n"), "events": service.data({"events": []}, pagination=page)}
    service.on("GET", path, replies.get(arguments[0], service.data(service.make_promotion())))
    command = [service.run_id if argument == "RUN" else argument for argument in arguments]
    process = subprocess.Popen(
        [*PROGRAM, *command, "--json"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    wait_until_seen(service, path)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout) == (130, b"")
    assert json.loads(stderr.splitlines()[-1])["code"] == "INTERRUPTED"


def test_the_lines_of_a_watch_reach_a_pipe_as_they_come(service, environment):
    service.on("GET", STREAM, service.stream(service.make_log(1, "one")), service.stream(": nothing new\n\n"))
    command = [*PROGRAM, "watch", service.run_id]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        line = process.stdout.readline()
        process.terminate()
    assert line == b"one\n"


def test_in_a_terminal_deleting_a_workspace_asks_with_its_repository_and_a_no_changes_nothing(service, environment):
    workspace = {"workspaceId": "W-1", "repo": "example/shop", "createdAt": "2026-01-01T12:00:00.000Z"}
    service.on("GET", "/workspaces/W-1", service.data(workspace))
    shown = answer_in_terminal(["workspaces", "delete", "W-1"], environment, b"[y/N]", b"n\n")
    assert b"example/shop" in shown
    assert b"Nothing was deleted." in shown
    assert service.seen_on("DELETE", "/workspaces/W-1") == []


def test_in_a_terminal_a_promotion_is_a_card(service, environment):
    completed = service.make_promotion(status="COMPLETED", compareUrl="https://example.com/compare")
    service.on("POST", f"/runs/{service.run_id}/promote", service.data(service.make_promotion(), status=202))
    service.on("GET", f"/runs/{service.run_id}/promotion", service.data(completed))
    shown = ESCAPE.sub(b"", run_in_terminal(["promote", service.run_id, "--wait"], environment)).decode()
    assert re.search(r"Promotion +COMPLETED", shown)
    assert re.search(r"Compare +https://example.com/compare", shown)


def test_in_a_terminal_a_batch_is_a_table_in_colour(service, environment):
    run = {"runId": "R1", "agent": "claude", "modelId": None, "status": "COMPLETED", "check": True}
    service.on("GET", "/batches/B-1", service.data({"batchId": "B-1", "runs": [run]}))
    shown = run_in_terminal(["batch", "show", "B-1"], environment)
    assert b"\x1b[32mCOMPLETED" in shown
