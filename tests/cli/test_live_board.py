"""The live view: what it shows of a run in terminals of any size."""

import io

import pytest
from rich.console import Console

from outpost_cli.live_board import LiveBoard
from outpost_cli.models.event import read_stream_message
from outpost_cli.models.run import Run

MOMENT = '"at": "2026-01-01T12:00:01.000Z", "type": "t"'


@pytest.fixture
def board(service) -> LiveBoard:
    return LiveBoard(Run.from_document(service.make_run(status="RUNNING")))


def hear(board: LiveBoard, name: str, data: str) -> None:
    board.hear(read_stream_message(name, data))


def log_lines(count: int, *, text: str = "line") -> str:
    lines = [f'{{"timestamp": "t", "stream": "stdout", "message": "{text} {number}"}}' for number in range(count)]
    return f'{{"attempt": 1, "lines": [{", ".join(lines)}]}}'


def draw(board: LiveBoard, *, width: int = 80, height: int = 40) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height)
    console.print(board)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize(("height", "shown"), [(40, 20), (20, 8), (5, 3)])
def test_it_shows_as_many_of_the_last_lines_as_the_terminal_has_room_for(board, height, shown):
    hear(board, "log", log_lines(50))
    lines = [line for line in draw(board, height=height) if line.startswith("line")]
    assert lines == [f"line {number}" for number in range(50 - shown, 50)]


def test_a_long_line_is_cut_and_not_wrapped(board):
    hear(board, "log", log_lines(1, text="x" * 200))
    lines = [line for line in draw(board, width=40) if line.startswith("x")]
    assert lines == ["x" * 39 + "\N{HORIZONTAL ELLIPSIS}"]


def test_the_stream_is_ahead_of_the_run(board):
    hear(board, "status", f'{{"status": "PENDING", "attempt": 2, {MOMENT}}}')
    hear(board, "progress", f'{{"phase": "cloning", "message": "example/shop", "attempt": 2, {MOMENT}}}')
    assert [" ".join(line.split()) for line in draw(board)][2:5] == [
        "Status PENDING",
        "Phase cloning: example/shop",
        "Attempt 2",
    ]


def test_the_run_tells_what_the_stream_does_not(board, service):
    usage = service.make_usage(modelCalls=1, inputTokens=5, outputTokens=7, totalCostUsd=1.5, isEstimate=True)
    board.look(Run.from_document(service.make_run(status="RUNNING", usage=usage)))
    shown = [" ".join(line.split()) for line in draw(board)]
    assert "Tokens 5 in, 7 out" in shown
    assert "Cost ~$1.50" in shown


def test_a_run_that_has_ended_is_in_no_phase_and_has_the_verdict_of_its_check(board, service):
    hear(board, "progress", f'{{"phase": "uploading", "message": null, "attempt": 1, {MOMENT}}}')
    check = {"command": "npm test", "passed": False, "exitCode": 1, "timedOut": False}
    board.look(Run.from_document(service.make_run(status="COMPLETED", check=check)))
    shown = [" ".join(line.split()) for line in draw(board)]
    assert "Check failed" in shown
    assert not any(line.startswith("Phase") for line in shown)
