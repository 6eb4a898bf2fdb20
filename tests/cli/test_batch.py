"""`outpost batch`."""

import io
import json

import pytest
from rich.console import Console

from outpost_cli.batch_views import render_batch_runs
from outpost_cli.models.batch import Batch

BATCH_ID = "01JZ0000000000000000000003"
REFUSAL = {"code": "AGENT_UNAVAILABLE", "message": "gemini is down.", "remedy": "Wait."}


def make_batch_run(run_id: str | None, agent: str, **changes: object) -> dict[str, object]:
    """A run of a batch as the service tells it."""
    absent = (
        "modelId error check filesChanged insertions deletions seconds inputTokens outputTokens totalCostUsd promotion"
    )
    return {**dict.fromkeys(absent.split()), "runId": run_id, "agent": agent, "status": "RUNNING", **changes}


GOOD = make_batch_run(
    "R1",
    "claude",
    modelId="sonnet",
    status="COMPLETED",
    check=True,
    filesChanged=3,
    insertions=41,
    deletions=7,
    seconds=90,
    inputTokens=112_000,
    outputTokens=345,
    totalCostUsd=1.5,
)
BAD = make_batch_run(
    "R2", "codex", status="FAILED", check=False, error={"code": "AGENT_FAILED", "message": "It exited with 1."}
)
REFUSED = {"agent": "gemini", "modelId": "fast", "error": REFUSAL}
UNASKED = make_batch_run(None, "gemini", status=None)


def make_batch(*runs: dict[str, object], **changes: object) -> dict[str, object]:
    return {
        "batchId": BATCH_ID,
        "createdAt": "2026-01-01T12:00:00.000Z",
        "task": "Mend the test",
        "promotedRunId": None,
        "runs": [*runs],
        **changes,
    }


@pytest.fixture(autouse=True)
def accepted(service):
    begun = [{"runId": name, "agent": agent, "modelId": None, "status": "PENDING"} for name, agent in
             (("R1", "claude"), ("R2", "codex"))]  # fmt: skip
    service.on("POST", "/batches", service.data({"batchId": BATCH_ID, "runs": [*begun, REFUSED]}, status=201))


@pytest.fixture
def create(outpost):
    def run(*options: str, **settings: object):
        return outpost("batch", "create", "Mend the test", "-a", "claude", "-a", "codex:gpt-5", *options, **settings)

    return run


def test_every_option_becomes_its_field_of_the_contract(create, service):
    create(
        *(
            "--agent",
            "gemini:fast",
            "--repo",
            "example/shop",
            "--branch",
            "next",
            "--persistent",
            "--check",
            "npm test",
        ),
        *("--shared-max-cost-usd", "6", "--shared-max-tokens", "900000", "--max-cost-usd", "3", "--max-tokens", "500"),
        *("--timeout", "10m", "--priority", "low", "--queue-timeout", "1h", "--tag", "team=web", "--user-id", "ann"),
        *("--context", "off", "--secret", "DEPLOY_KEY", "--cpu-units", "512", "--idempotency-key", "k-1"),
    )
    assert service.seen[0].document == {
        "task": "Mend the test",
        "agents": [
            {"agent": "claude"},
            {"agent": "codex", "modelId": "gpt-5"},
            {"agent": "gemini", "modelId": "fast"},
        ],
        "repo": "example/shop",
        "branch": "next",
        "workspaceMode": "persistent",
        "check": "npm test",
        "sharedBudget": {"maxCostUsd": 6.0, "maxTokens": 900_000},
        "budget": {"maxCostUsd": 3.0, "maxTokens": 500},
        "timeoutSeconds": 600,
        "priority": "low",
        "queueTimeoutSeconds": 3600,
        "tags": {"team": "web"},
        "userId": "ann",
        "context": "off",
        "secrets": ["DEPLOY_KEY"],
        "resources": {"cpuUnits": 512},
        "idempotencyKey": "k-1",
    }


def test_what_was_not_said_is_not_sent(create, service):
    create()
    assert service.seen[0].document.keys() == {"task", "agents", "idempotencyKey"}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["x", "-a", "claude"], "A batch has 2 to 10 agents, not 1."),
        (["x", *["-a", "claude"] * 11], "A batch has 2 to 10 agents, not 11."),
        (["x", "-a", "claude", "-a", ":fast"], "':fast' is not an agent."),
        (["x", "-a", "claude", "-a", "codex:"], "'codex:' is not an agent."),
        (["-a", "claude", "-a", "codex"], "Give one task."),
        (["x"], "--agent"),
        (["x", "-a", "claude", "-a", "codex", "--promote"], "--promote"),
        (["x", "-a", "claude", "-a", "codex", "--workspace", "W"], "--workspace"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_sent(outpost, service, arguments, complaint):
    result = outpost("batch", "create", *arguments)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert service.seen == []


def test_what_was_begun_is_a_table_and_what_was_refused_is_told(create):
    shown = create().stdout
    rows = [line.split() for line in shown.splitlines()]
    assert ["R1", "PENDING", "claude", "-", "-", "-", "-", "-", "-", "-"] in rows
    assert ["-", "REFUSED", "gemini", "fast", "-", "-", "-", "-", "-", "-"] in rows
    assert "gemini:fast AGENT_UNAVAILABLE: gemini is down." in shown


def test_what_compares_them_is_told(create):
    assert f"outpost batch show {BATCH_ID}" in create().stderr
    assert create("--json").stderr == ""


@pytest.mark.parametrize(
    ("width", "shown"), [(40, ["RUN", "STATUS"]), (80, ["RUN", "STATUS", "AGENT", "CHECK", "+/-", "COST"])]
)
def test_a_narrow_terminal_cuts_no_id_and_no_status(service, width, shown):
    batch = make_batch(make_batch_run(service.run_id, "claude", status="CANCELLED", check=False))
    console = Console(file=io.StringIO(), width=width)
    console.print(render_batch_runs(Batch.from_document(batch), width=width))
    heading, row = (line.split() for line in console.file.getvalue().splitlines())
    assert (heading, row[:2]) == (shown, [service.run_id, "CANCELLED"])


def test_create_with_json_is_the_data(create, service):
    assert [run["agent"] for run in json.loads(create("--json").stdout)["runs"]] == ["claude", "codex", "gemini"]


def test_when_no_answer_came_the_key_for_a_safe_repeat_is_told(create, service):
    service.on("POST", "/batches", service.raw(201, b"", {"Content-Length": "9"}))
    result = create()
    assert result.exit_code == 7
    assert f"--idempotency-key {service.seen[0].document['idempotencyKey']}" in result.stderr


def test_show_compares_the_runs(outpost, service):
    service.on("GET", f"/batches/{BATCH_ID}", service.data(make_batch(GOOD, BAD, promotedRunId="R1")))
    shown = outpost("batch", "show", BATCH_ID).stdout
    rows = [line.split() for line in shown.splitlines()]
    assert ["RUN", "STATUS", "AGENT", "MODEL", "CHECK", "FILES", "+/-", "MINUTES", "TOKENS", "COST"] in rows
    assert ["R1", "COMPLETED", "claude", "sonnet", "passed", "3", "+41/-7", "1.5", "112,345", "$1.50"] in rows
    assert ["R2", "FAILED", "codex", "-", "failed", "-", "-", "-", "-", "-"] in rows
    assert ["Promoted", "R1"] in rows
    assert "R2 AGENT_FAILED: It exited with 1." in shown


def test_a_run_that_was_not_asked_for_yet_is_not_one_that_was_refused(outpost, service):
    service.on("GET", f"/batches/{BATCH_ID}", service.data(make_batch(GOOD, UNASKED, REFUSED)))
    rows = [line.split() for line in outpost("batch", "show", BATCH_ID).stdout.splitlines()]
    assert ["-", "-", "gemini", *["-"] * 7] in rows
    assert ["-", "REFUSED", "gemini", "fast", *["-"] * 6] in rows


@pytest.mark.parametrize(("run", "has_ended"), [(GOOD, True), (BAD, True), (REFUSED, True), (UNASKED, False)])
def test_a_run_that_was_not_asked_for_yet_has_not_ended(run, has_ended):
    assert Batch.from_document(make_batch(run)).has_ended is has_ended


def test_show_with_json_is_the_data(outpost, service):
    batch = make_batch(GOOD, BAD)
    service.on("GET", f"/batches/{BATCH_ID}", service.data(batch))
    assert json.loads(outpost("batch", "show", BATCH_ID, "--json").stdout) == batch


@pytest.mark.parametrize(("ended", "exit_code"), [(GOOD, 0), (BAD, 10)])
def test_wait_looks_until_all_have_ended_and_succeeds_if_one_did(create, service, ended, exit_code):
    at_work = make_batch(make_batch_run("R1", "claude"), BAD)
    service.on(
        "GET", f"/batches/{BATCH_ID}", *(service.data(each) for each in (at_work, at_work, make_batch(ended, BAD)))
    )
    result = create("--wait", "--json")
    assert result.exit_code == exit_code
    assert json.loads(result.stdout) == make_batch(ended, BAD)
    assert result.stderr.count("1 of 2 ended") == 1


@pytest.fixture
def promoted(service) -> dict[str, object]:
    data = {"batchId": BATCH_ID, "promotion": service.make_promotion(runId="R1"), "cancelled": ["R2", "R3"]}
    service.on("POST", f"/batches/{BATCH_ID}/promote", service.data(data, status=202))
    return data


def test_promote_sends_the_run_and_the_wish_and_tells_what_was_cancelled(outpost, service, promoted):
    result = outpost("batch", "promote", BATCH_ID, "R1", "--branch", "mend", "--draft")
    assert service.seen[0].document == {"runId": "R1", "branch": "mend", "draft": True}
    assert result.stdout == ""
    assert "Cancelled: R2, R3" in result.stderr


def test_promote_with_json_is_the_data(outpost, promoted):
    assert json.loads(outpost("batch", "promote", BATCH_ID, "R1", "--json").stdout) == promoted


def test_promote_with_wait_ends_with_the_promotion_and_its_url(outpost, service, promoted):
    completed = service.make_promotion(runId="R1", status="COMPLETED", compareUrl="https://example.com/compare")
    service.on(
        "GET", "/runs/R1/promotion", service.data(service.make_promotion(status="RUNNING")), service.data(completed)
    )
    assert outpost("batch", "promote", BATCH_ID, "R1", "--wait").stdout == "https://example.com/compare\n"
    assert json.loads(outpost("batch", "promote", BATCH_ID, "R1", "--wait", "--json").stdout) == completed


def test_promote_of_a_run_that_failed_is_refused(outpost, service):
    service.on("POST", f"/batches/{BATCH_ID}/promote", service.error(409, "CONFLICT"))
    assert outpost("batch", "promote", BATCH_ID, "R2").exit_code == 5


def test_a_promotion_that_fails_has_exit_code_10(outpost, service, promoted):
    service.on("GET", "/runs/R1/promotion", service.data(service.make_promotion(status="FAILED")))
    assert outpost("batch", "promote", BATCH_ID, "R1", "--wait").exit_code == 10


@pytest.mark.parametrize("arguments", [["show", "../keys"], ["promote", "../keys", "R1"]])
def test_an_id_that_leads_elsewhere_is_not_sent(outpost, service, arguments):
    assert (outpost("batch", *arguments).exit_code, service.seen) == (2, [])
