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
    run = service.make_run(
        status="COMPLETED",
        repo="example/shop",
        modelId="m-1",
        startedAt=STARTED,
        endedAt=ENDED,
        usage=service.make_usage(totalCostUsd=1.5),
    )
    service.on("GET", "/runs", service.data({"runs": [run]}, pagination={"nextCursor": None, "hasMore": False}))
    heading, row = outpost("runs").stdout.splitlines()
    assert heading.split() == ["RUN", "STATUS", "AGENT", "MODEL", "REPO", "AGE", "DURATION", "COST"]
    assert row.split()[:5] == [service.run_id, "COMPLETED", "shell", "m-1", "example/shop"]
    assert row.split()[-3:] == ["2m", "5s", "$1.50"]


@pytest.mark.parametrize(
    ("changes", "cost"),
    [
        (None, "-"),
        ({"totalCostUsd": 0.012345, "isEstimate": True}, "~$0.0123"),
        ({"totalCostUsd": 1234.5}, "$1,234.50"),
        ({"totalCostUsd": 0.00002}, "<$0.0001"),
        ({"totalCostUsd": 0}, "$0.00"),
    ],
)
def test_the_list_shows_what_a_run_cost_and_marks_an_estimate(outpost, service, changes, cost):
    usage = None if changes is None else service.make_usage(**changes)
    service.on("GET", "/runs", service.data({"runs": [service.make_run(usage=usage)]}))
    assert outpost("runs").stdout.split()[-1] == cost


def test_filters_become_the_query(outpost, service):
    service.on("GET", "/runs", service.data({"runs": []}))
    outpost(
        *("runs", "--status", "failed", "--agent", "shell", "--repo", "example/shop", "--tag", "a=1", "--tag", "b=2"),
        *("--since", "2026-01-01T00:00:00Z", "--until", "2026-01-02T00:00:00+01:00", "--limit", "5"),
        *("--parent", "R1", "--batch", "B1"),
    )
    assert sorted(service.seen[0].query) == [
        ("agent", "shell"),
        ("batch", "B1"),
        ("limit", "5"),
        ("parent", "R1"),
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


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_a_narrow_terminal_cuts_everything_but_id_and_status(service, width):
    run = service.make_run(repo="example/" + "x" * 100, modelId="m" * 40, status="CANCELLING", agent="a" * 30)
    _, row = draw_runs(run, width=width)
    assert f"{service.run_id}  CANCELLING" in row
    assert len(row) <= width


def test_a_narrow_terminal_has_no_column_that_says_nothing(service):
    heading, row = draw_runs(service.make_run(repo="example/shop", modelId="m-1", status="CANCELLED"), width=60)
    assert heading.split() == ["RUN", "STATUS", "AGENT", "AGE"]
    assert "\N{HORIZONTAL ELLIPSIS}" not in row


def test_a_terminal_of_a_hundred_characters_has_room_for_the_cost(service):
    usage = service.make_usage(totalCostUsd=1234.5678, isEstimate=True)
    run = service.make_run(repo="example/shop", status="CANCELLING", startedAt=STARTED, usage=usage)
    heading, row = draw_runs(run, width=100)
    assert heading.split() == ["RUN", "STATUS", "AGENT", "REPO", "AGE", "DURATION", "COST"]
    assert row.split()[-1] == "~$1,234.5678"
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


@pytest.fixture
def show_lines(outpost, service):
    """The lines of a run's card, each with its blanks made one."""

    def show(**changes: object) -> list[str]:
        service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run(**changes)))
        return [" ".join(line.split()) for line in outpost("show", service.run_id).stdout.splitlines()]

    return show


def test_the_card_has_what_the_run_may_use(show_lines):
    card = show_lines(
        resources={"cpuUnits": 2048, "memoryMb": 8192, "diskGb": 21},
        budget={"maxCostUsd": 10, "maxTokens": 500_000},
        secrets=["DATABASE_URL", "DEPLOY_KEY"],
    )
    assert "Resources 2 vCPU, 8 GB, 21 GB disk" in card
    assert "Budget $10.00 and 500,000 tokens" in card
    assert "Secrets DATABASE_URL, DEPLOY_KEY" in card


def test_parts_of_a_virtual_cpu_and_of_a_gigabyte_are_shown(show_lines):
    assert "Resources 0.25 vCPU, 512 MB, 50 GB disk" in show_lines(
        resources={"cpuUnits": 256, "memoryMb": 512, "diskGb": 50}
    )


@pytest.mark.parametrize(
    ("budget", "told"),
    [({"maxCostUsd": 0.005, "maxTokens": None}, "Budget $0.005"), ({"maxTokens": 900}, "Budget 900 tokens")],
)
def test_a_budget_may_be_of_one_kind_only(show_lines, budget, told):
    assert told in show_lines(budget=budget)


def test_the_card_has_the_files_that_the_context_came_from(show_lines):
    sources = [
        {"path": "AGENTS.md", "tokens": 1150, "isCut": False},
        {"path": "README.md", "tokens": 50, "isCut": True},
    ]
    card = show_lines(context="standard", contextSources=sources)
    begin = card.index("Context standard")
    assert card[begin + 1 : begin + 3] == ["AGENTS.md: 1,150 tokens", "README.md: 50 tokens, cut"]


def test_the_card_has_tokens_calls_and_money(show_lines, service):
    usage = service.make_usage(
        inputTokens=12_345,
        cachedInputTokens=100_000,
        cacheWriteTokens=2_000,
        outputTokens=678,
        modelCalls=12,
        modelRetries=2,
        estimatedCalls=1,
        modelCostUsd=0.0123,
        computeCostUsd=0.5,
        totalCostUsd=0.5123,
    )
    card = show_lines(status="COMPLETED", usage=usage)
    assert card[card.index("Usage") + 1 :] == [
        "Tokens 12,345 input, 100,000 cached, 2,000 cache writes, 678 output",
        "Calls 12 (2 retried, 1 estimated)",
        "Cost $0.0123 models + $0.50 compute = $0.5123",
        "Prices of 2026-01-01",
    ]


def test_calls_that_all_went_well_are_a_number_alone(show_lines, service):
    assert "Calls 3" in show_lines(usage=service.make_usage(modelCalls=3))


def test_an_agent_without_models_is_shown_with_its_cost_only(show_lines, service):
    card = show_lines(usage=service.make_usage())
    cost = "Cost $0.00 models + $0.0003 compute = $0.0003"
    assert card[card.index("Usage") + 1 :] == [cost, "Prices of 2026-01-01"]


def test_an_estimate_is_called_one(show_lines, service):
    card = show_lines(status="RUNNING", usage=service.make_usage(isEstimate=True))
    assert "Cost $0.00 models + $0.0003 compute = $0.0003, an estimate" in card


def test_the_card_has_the_workspace_and_what_became_of_it(show_lines):
    use = {"restored": False, "saved": True, "reason": "The snapshot was broken."}
    card = show_lines(workspaceMode="persistent", workspaceId="W-1", workspace=use)
    begin = card.index("Workspace W-1")
    assert card[begin + 1 : begin + 3] == ["not restored, saved", "The snapshot was broken."]


def test_of_a_new_workspace_nothing_is_said_of_restoring(show_lines):
    card = show_lines(workspaceMode="persistent", workspaceId="W-1", workspace={"restored": None, "saved": True})
    assert card[card.index("Workspace W-1") + 1] == "saved"


def test_a_run_without_a_workspace_says_nothing_of_it(show_lines):
    assert not [line for line in show_lines() if line.startswith("Workspace")]


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        ({}, "Check npm test: no verdict yet"),
        ({"passed": True, "exitCode": 0, "seconds": 63.25}, "Check npm test: passed in 1m 3s"),
        ({"passed": False, "exitCode": 2, "seconds": 4.0}, "Check npm test: failed with exit code 2 in 4s"),
        ({"passed": False, "exitCode": None}, "Check npm test: failed"),
        ({"passed": False, "timedOut": True, "seconds": 600}, "Check npm test: timed out in 10m"),
    ],
)
def test_the_card_has_the_verdict_of_the_check(show_lines, verdict, told):
    assert told in show_lines(check={"command": "npm test", "passed": None, **verdict})


def test_the_card_has_what_the_check_printed(show_lines):
    check = {"command": "npm test", "passed": False, "exitCode": 1, "output": "1 of 2 failed\n\x1b[31mcart\n"}
    card = show_lines(check=check)
    assert card[card.index("Check npm test: failed with exit code 1") + 1 :] == ["1 of 2 failed", "cart"]


def test_the_card_has_notices_parent_batch_and_promotion(show_lines, service):
    failed = {"code": "PUSH_REFUSED", "message": "The branch is protected.", "remedy": None}
    card = show_lines(
        notices=["The workspace could not be restored.", "Submodules were left out."],
        parentRunId="R-0",
        parentKind="follow-up",
        batchId="B-1",
        promotion=service.make_promotion(status="FAILED", error=failed),
    )
    begin = card.index("Notices")
    assert card[begin + 1 : begin + 3] == ["The workspace could not be restored.", "Submodules were left out."]
    assert "Comes after R-0 (follow-up)" in card
    assert "Batch B-1" in card
    assert f"{service.run_id} FAILED PUSH_REFUSED: The branch is protected." in card


def test_the_result_tells_renames_where_there_are_any(show_lines):
    card = show_lines(status="COMPLETED", result={"filesChanged": 2, "renames": 1})
    assert "Result 2 files changed, 0 insertions(+), 0 deletions(-), 1 renamed" in card


def test_a_run_of_an_older_service_is_shown_without_what_it_does_not_tell(outpost, service):
    new = ("notices", "check", "workspace", "parentKind", "batchId")
    run = {name: value for name, value in service.make_run().items() if name not in new}
    service.on("GET", f"/runs/{service.run_id}", service.data(run))
    assert outpost("show", service.run_id).exit_code == 0


def test_a_run_that_no_runner_has_taken_has_no_usage(show_lines):
    assert "Usage" not in show_lines(usage=None)


def test_a_run_of_a_service_that_tells_nothing_of_what_it_may_use_is_shown(outpost, service):
    told_since = ("contextSources", "resources", "budget", "secrets")
    older = {name: value for name, value in service.make_run().items() if name not in told_since}
    service.on("GET", f"/runs/{service.run_id}", service.data(older))
    assert "Resources" not in outpost("show", service.run_id).stdout


def test_a_usage_without_its_cost_is_no_answer_of_the_service(outpost, service):
    usage = {name: value for name, value in service.make_usage().items() if name != "totalCostUsd"}
    service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run(usage=usage)))
    result = outpost("show", service.run_id)
    assert result.exit_code == 1
    assert "totalCostUsd" in result.stderr


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
