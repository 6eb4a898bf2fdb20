"""`outpost runs`, `show` and `cancel`."""

import io
import json

import pytest
from rich.console import Console

from outpost_cli.models.run import Run
from outpost_cli.views import now_utc, render_runs

STARTED = "2026-01-01T12:00:10.000Z"
ENDED = "2026-01-01T12:02:15.000Z"


def test_the_list_shows_what_tells_runs_apart(outpost, service):
    run = service.make_run(status="COMPLETED", repo="example/shop", modelId="m-1", startedAt=STARTED, endedAt=ENDED)
    service.on("GET", "/runs", service.data({"runs": [run]}, pagination={"nextCursor": None, "hasMore": False}))
    heading, row = outpost("runs").stdout.splitlines()
    assert heading.split() == ["RUN", "STATUS", "AGENT", "MODEL", "REPO", "AGE", "DURATION"]
    assert row.split()[:5] == [service.run_id, "COMPLETED", "shell", "m-1", "example/shop"]
    assert row.rstrip().endswith("2m 5s")


def test_filters_become_the_query(outpost, service):
    service.on("GET", "/runs", service.data({"runs": []}))
    outpost(
        *("runs", "--status", "failed", "--agent", "shell", "--repo", "example/shop", "--tag", "a=1", "--tag", "b=2"),
        *("--since", "2026-01-01T00:00:00Z", "--until", "2026-01-02T00:00:00+01:00", "--limit", "5"),
    )
    assert sorted(service.seen[0].query) == [
        ("agent", "shell"),
        ("limit", "5"),
        ("repo", "example/shop"),
        ("since", "2026-01-01T00:00:00.000Z"),
        ("status", "FAILED"),
        ("tag", "a:1"),
        ("tag", "b:2"),
        ("until", "2026-01-01T23:00:00.000Z"),
    ]


def test_all_goes_through_every_page(outpost, service):
    service.on(
        "GET",
        "/runs",
        service.data({"runs": [service.make_run(runId="A")]}, pagination={"nextCursor": "c1", "hasMore": True}),
        service.data({"runs": [service.make_run(runId="B")]}, pagination={"nextCursor": None, "hasMore": False}),
    )
    result = outpost("runs", "--all", "--json")
    assert [run["runId"] for run in json.loads(result.stdout)["runs"]] == ["A", "B"]
    assert service.seen[1].query == [("limit", "100"), ("cursor", "c1")]


def test_a_limit_of_more_than_a_page_asks_for_the_rest_only(outpost, service):
    full_page = [service.make_run(runId=f"R{number}") for number in range(100)]
    service.on(
        "GET",
        "/runs",
        service.data({"runs": full_page}, pagination={"nextCursor": "c1", "hasMore": True}),
        service.data({"runs": full_page[:20]}, pagination={"nextCursor": "c2", "hasMore": True}),
    )
    result = outpost("runs", "--limit", "120", "--json")
    assert len(json.loads(result.stdout)["runs"]) == 120
    assert [dict(seen.query)["limit"] for seen in service.seen] == ["100", "20"]


def test_an_empty_list_is_one_json_document_and_a_word_on_stderr(outpost, service):
    service.on("GET", "/runs", service.data({"runs": []}))
    result = outpost("runs", "--json")
    assert json.loads(result.stdout) == {"runs": []}
    assert result.stderr == "No run matches.\n"


def test_no_cell_is_cut_in_a_pipe(outpost, service):
    service.on("GET", "/runs", service.data({"runs": [service.make_run(repo="example/" + "x" * 200)]}))
    assert "x" * 200 in outpost("runs").stdout


def draw_runs(run: dict[str, object], *, width: int) -> list[str]:
    """The lines of the table in a terminal of that width."""
    console = Console(file=io.StringIO(), width=width)
    console.print(render_runs([Run.from_document(run)], now=now_utc(), width=width))
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_a_narrow_terminal_cuts_everything_but_id_and_status(service, width):
    run = service.make_run(repo="example/" + "x" * 100, modelId="m" * 40, status="CANCELLING", agent="a" * 30)
    _, row = draw_runs(run, width=width)
    assert f"{service.run_id}  CANCELLING" in row
    assert len(row) <= width


def test_a_narrow_terminal_has_no_column_that_says_nothing(service):
    heading, row = draw_runs(service.make_run(repo="example/shop", modelId="m-1", status="CANCELLED"), width=60)
    assert heading.split() == ["RUN", "STATUS", "AGENT", "AGE"]
    assert "\N{HORIZONTAL ELLIPSIS}" not in row


def test_no_line_of_a_table_ends_in_blanks_in_a_pipe(outpost, service):
    runs = [service.make_run(), service.make_run(status="RUNNING", startedAt=STARTED)]
    service.on("GET", "/runs", service.data({"runs": runs}))
    assert " \n" not in outpost("runs").stdout


def test_the_exit_code_of_an_agent_that_ended_by_itself_stands_alone(outpost, service):
    service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run(status="FAILED", exitCode=1)))
    (line,) = [line for line in outpost("show", service.run_id).stdout.splitlines() if line.startswith("Exit code")]
    assert line.split() == ["Exit", "code", "1"]


def test_a_status_that_does_not_exist_is_wrong_usage(outpost):
    assert outpost("runs", "--status", "DONE").exit_code == 2


def test_the_card_has_timeline_error_with_remedy_and_statistics(outpost, service):
    error = {"code": "RUN_TIMEOUT", "message": "Time was up.", "remedy": "Give it more time.", "retryable": True}
    run = service.make_run(
        status="TIMEOUT",
        startedAt=STARTED,
        endedAt=ENDED,
        cancelRequestedAt="2026-01-01T12:01:00.000Z",
        computeStoppedAt="2026-01-01T12:02:00.000Z",
        error=error,
        exitCode=137,
        tags={"team": "web"},
        result={"summary": "Half done.", "filesChanged": 2, "insertions": 3, "deletions": 1, "baseSha": "a" * 40},
    )
    service.on("GET", f"/runs/{service.run_id}", service.data(run))
    card = outpost("show", service.run_id).stdout
    positions = [card.index(word) for word in ("created", "started", "cancel requested", "compute stopped", "ended")]
    assert positions == sorted(positions)
    assert "+2m 15s" in card
    assert "RUN_TIMEOUT: Time was up." in card
    assert "What to do: Give it more time." in card
    assert "2 files changed, 3 insertions(+), 1 deletion(-)" in card
    assert "Last output\n  Half done.\n" in card
    assert "137 (of the agent that was stopped)" in card
    assert "team=web" in card


def test_show_with_json_is_the_run_as_the_service_told_it(outpost, service):
    run = service.make_run(somethingNew={"of": ["tomorrow"]})
    service.on("GET", f"/runs/{service.run_id}", service.data(run))
    assert json.loads(outpost("show", service.run_id, "--json").stdout) == run


def test_last_is_the_newest_run(outpost, service):
    service.on("GET", "/runs", service.data({"runs": [service.make_run()]}))
    service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run()))
    assert service.run_id in outpost("show", "last").stdout
    assert service.seen[0].query == [("limit", "1")]


def test_last_without_any_run_says_what_to_do(outpost, service):
    service.on("GET", "/runs", service.data({"runs": []}))
    result = outpost("show", "last")
    assert result.exit_code == 2
    assert "outpost dispatch" in result.stderr


def test_a_run_id_cannot_lead_to_another_route(outpost, service):
    assert outpost("show", "../health").exit_code == 2
    assert service.seen == []


def test_a_run_of_somebody_else_is_not_found(outpost, service):
    result = outpost("show", service.run_id)
    assert result.exit_code == 4
    assert "NOT_FOUND" in result.stderr


def test_terminal_control_in_a_task_does_not_reach_the_terminal(outpost, service):
    hostile = service.make_run(task="\x1b]52;c;ZXZpbA==\x07\x1b[2Jecho\x9b31m [bold]hello[/bold]")
    service.on("GET", f"/runs/{service.run_id}", service.data(hostile))
    card = outpost("show", service.run_id).stdout
    assert "\x1b" not in card
    assert "\x9b" not in card
    assert "[bold]hello[/bold]" in card


def test_cancel_sends_the_reason_and_prints_the_answer(outpost, service):
    service.on("POST", f"/runs/{service.run_id}/cancel", service.data({"status": "CANCELLING"}, status=202))
    result = outpost("cancel", service.run_id, "--reason", "wrong branch")
    assert service.seen[0].document == {"reason": "wrong branch"}
    assert result.stdout == f"{service.run_id} CANCELLING\n"


def test_cancelling_an_ended_run_is_refused(outpost, service):
    ended = service.error(409, "CONFLICT", details={"status": "COMPLETED"})
    service.on("POST", f"/runs/{service.run_id}/cancel", ended)
    result = outpost("cancel", service.run_id)
    assert result.exit_code == 5
    assert "status: COMPLETED" in result.stderr


@pytest.mark.parametrize(("status", "exit_code"), [("CANCELLED", 0), ("COMPLETED", 5)])
def test_cancel_with_wait_succeeds_only_if_the_run_was_cancelled(outpost, service, status, exit_code):
    service.on("POST", f"/runs/{service.run_id}/cancel", service.data({"status": "CANCELLING"}, status=202))
    service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run(status=status)))
    assert outpost("cancel", service.run_id, "--wait").exit_code == exit_code


EXPLANATION = {
    "runId": "01JZ0000000000000000000000",
    "status": "PENDING",
    "summary": "Attempt 2 of 3 has waited 29 s for its runner.",
    "waitsFor": "its task to be launched; it is given up in 571 s",
    "causes": [
        {"at": "2026-01-01T12:00:00.000Z", "message": "The dispatch was accepted."},
        {"at": "2026-01-01T12:00:09.000Z", "message": "Attempt 1 was lost: \x1b[31mno capacity"},
    ],
    "error": None,
    "remedy": "Nothing yet: it is tried again by itself.",
    "retryable": False,
    "attempts": [],
    "lines": [{"timestamp": "2026-01-01T12:00:01.000Z", "stream": "stdout", "message": "the last line"}],
}


def test_an_explanation_says_what_it_waits_for_what_led_there_and_what_to_do(outpost, service):
    service.on("GET", f"/runs/{service.run_id}/explain", service.data(EXPLANATION))
    shown = outpost("explain", service.run_id).stdout
    assert "Attempt 2 of 3 has waited 29 s for its runner." in shown
    assert "It waits for its task to be launched; it is given up in 571 s." in shown
    assert "The dispatch was accepted." in shown
    assert "the last line" in shown
    assert "What to do: Nothing yet: it is tried again by itself." in shown
    assert "\x1b" not in shown


def test_an_explanation_is_json_for_programs(outpost, service):
    service.on("GET", f"/runs/{service.run_id}/explain", service.data(EXPLANATION))
    assert json.loads(outpost("explain", service.run_id, "--json").stdout) == EXPLANATION
