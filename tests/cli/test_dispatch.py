"""`outpost dispatch`: the request that it makes, and how it stays with the run."""

import json
from pathlib import Path

import pytest

RECEIPT = {"runId": "01JZ0000000000000000000000", "dispatchId": "01JZ0000000000000000000000", "status": "PENDING"}
BROKEN = {"code": "AGENT_FAILED", "message": "It exited with 1.", "remedy": "Read the log.", "retryable": False}


@pytest.fixture(autouse=True)
def accepted(service):
    service.on("POST", "/dispatch", service.data(RECEIPT, status=201))


def test_every_option_becomes_its_field_of_the_contract(outpost, service):
    outpost(
        *(
            "dispatch",
            "echo hello",
            "--agent",
            "shell",
            "--model",
            "fast",
            "--repo",
            "example/shop",
            "--branch",
            "next",
        ),
        *("--priority", "High", "--queue-timeout", "2h", "--context", "Full"),
        *("--max-cost-usd", "2.5", "--max-tokens", "500000", "--secret", "DEPLOY_KEY", "--secret", "DATABASE_URL"),
        *("--cpu-units", "4096", "--memory-mb", "16384", "--disk-gb", "100"),
        *("--check", "npm test", "--persistent", "--workspace", "W-1", "--promote", "--promote-branch", "mend"),
        *("--promote-title", "Mend it", "--promote-draft"),
        *("--timeout", "10m", "--tag", "team=web", "--tag", "kind=a=b", "--user-id", "ann", "--idempotency-key", "k-1"),
    )
    assert service.seen[0].document == {
        "agent": "shell",
        "task": "echo hello",
        "modelId": "fast",
        "repo": "example/shop",
        "branch": "next",
        "workspaceMode": "persistent",
        "workspaceId": "W-1",
        "check": "npm test",
        "promote": {"when": "success", "branch": "mend", "title": "Mend it", "draft": True},
        "context": "full",
        "budget": {"maxCostUsd": 2.5, "maxTokens": 500_000},
        "secrets": ["DEPLOY_KEY", "DATABASE_URL"],
        "resources": {"cpuUnits": 4096, "memoryMb": 16_384, "diskGb": 100},
        "priority": "high",
        "timeoutSeconds": 600,
        "queueTimeoutSeconds": 7200,
        "tags": {"team": "web", "kind": "a=b"},
        "userId": "ann",
        "idempotencyKey": "k-1",
    }


def test_what_was_not_said_is_not_sent(outpost, service):
    outpost("dispatch", "echo hello", "--agent", "shell")
    assert service.seen[0].document.keys() == {"agent", "task", "idempotencyKey"}


@pytest.mark.parametrize(
    ("options", "field", "sent"),
    [
        (["--persistent"], "workspaceMode", "persistent"),
        (["--workspace", "W-1"], "workspaceId", "W-1"),
        (["--promote"], "promote", {"when": "success"}),
        (["--check", "npm test"], "check", "npm test"),
    ],
)
def test_each_of_workspace_check_and_promotion_may_stand_alone(outpost, service, options, field, sent):
    outpost("dispatch", "echo hello", "--agent", "shell", *options)
    assert service.seen[0].document[field] == sent
    assert service.seen[0].document.keys() == {"agent", "task", "idempotencyKey", field}


@pytest.mark.parametrize(
    ("option", "amount", "field", "sent"),
    [
        ("--max-cost-usd", "2", "budget", {"maxCostUsd": 2.0}),
        ("--max-tokens", "9", "budget", {"maxTokens": 9}),
        ("--cpu-units", "512", "resources", {"cpuUnits": 512}),
        ("--memory-mb", "1024", "resources", {"memoryMb": 1024}),
        ("--disk-gb", "50", "resources", {"diskGb": 50}),
    ],
)
def test_of_budget_and_resources_only_the_parts_that_were_said_are_sent(outpost, service, option, amount, field, sent):
    outpost("dispatch", "echo hello", "--agent", "shell", option, amount)
    assert service.seen[0].document[field] == sent
    assert service.seen[0].document.keys() == {"agent", "task", "idempotencyKey", field}


def test_the_key_travels_as_bearer_and_the_stage_stays_in_the_path(outpost, service):
    outpost("dispatch", "echo hello", "--agent", "shell")
    assert service.seen[0].headers["authorization"] == f"Bearer {service.api_key}"
    assert service.seen[0].path == "/dev/dispatch"


def test_two_dispatches_have_two_idempotency_keys(outpost, service):
    outpost("dispatch", "echo hello", "--agent", "shell")
    outpost("dispatch", "echo hello", "--agent", "shell")
    assert service.seen[0].document["idempotencyKey"] != service.seen[1].document["idempotencyKey"]


def test_a_repeat_after_an_unavailable_service_has_the_same_idempotency_key(outpost, service):
    refused = service.error(503, "SERVICE_UNAVAILABLE", retryable=True, Retry_After="1")
    service.on("POST", "/dispatch", refused, service.data(RECEIPT, status=201))
    result = outpost("dispatch", "echo hello", "--agent", "shell")
    assert result.exit_code == 0
    assert service.seen[0].document == service.seen[1].document
    assert "Trying again" in result.stderr


def test_the_receipt_says_run_and_status(outpost, service):
    result = outpost("dispatch", "echo hello", "--agent", "shell")
    assert result.stdout == f"{service.run_id} PENDING\n"


def test_json_is_the_data_and_nothing_else(outpost):
    result = outpost("dispatch", "echo hello", "--agent", "shell", "--json")
    assert json.loads(result.stdout) == RECEIPT
    assert result.stderr == ""


def test_a_replay_is_said_on_stderr(outpost, service):
    service.on("POST", "/dispatch", service.data(RECEIPT, Idempotent_Replay="true"))
    result = outpost("dispatch", "echo hello", "--agent", "shell", "--idempotency-key", "k-1", "--json")
    assert "nothing new was started" in result.stderr


def test_a_dash_reads_the_task_from_stdin_as_it_is(outpost, service):
    outpost("dispatch", "-", "--agent", "shell", standard_input="echo '\U0001f680 {% %}'\n\necho \"two\"\n".encode())
    assert service.seen[0].document["task"] == "echo '\U0001f680 {% %}'\n\necho \"two\"\n"


def test_a_task_file_is_sent_whole(outpost, service, tmp_path: Path):
    (tmp_path / "task.md").write_text("x" * 100_000)
    outpost("dispatch", "--task-file", str(tmp_path / "task.md"), "--agent", "shell")
    assert service.seen[0].document["task"] == "x" * 100_000


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--agent", "shell"], "Give one task."),
        (["a", "--agent", "shell", "--task-file", "b"], "Give one task."),
        (["--agent", "shell", "--task-file", "/nowhere"], "/nowhere cannot be read"),
        (["a", "--agent", "shell", "--tag", "novalue"], "'novalue' is not a tag."),
        (["a", "--agent", "shell", "--tag", "a=1", "--tag", "a=2"], "The tag a is given twice."),
        (["a", "--agent", "shell", "--timeout", "soon"], "'soon' is not a duration."),
        (["a", "--agent", "shell", "--queue-timeout", "soon"], "'soon' is not a duration."),
        (["a", "--agent", "shell", "--priority", "urgent"], "urgent"),
        (["a", "--agent", "shell", "--context", "everything"], "everything"),
        (["a", "--agent", "shell", "--max-tokens", "0"], "--max-tokens"),
        (["a", "--agent", "shell", "--max-cost-usd", "-1"], "--max-cost-usd"),
        (["a", "--agent", "shell", "--promote-branch", "mend"], "Add --promote."),
        (["a", "--agent", "shell", "--promote-draft"], "Add --promote."),
        (["a", "--agent", "shell", "--wait", "--follow"], "--wait and --follow exclude each other."),
        (["a"], "--agent"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_sent(outpost, service, arguments, complaint):
    result = outpost("dispatch", *arguments)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert service.seen == []


def test_a_task_that_is_not_utf_8_is_refused(outpost):
    result = outpost("dispatch", "-", "--agent", "shell", standard_input=b"\xff\xfe")
    assert result.exit_code == 2
    assert "not UTF-8" in result.stderr


def test_wait_looks_until_the_end_and_tells_each_change_once(outpost, service):
    service.on(
        "GET",
        f"/runs/{service.run_id}",
        service.data(service.make_run(status="RUNNING", progress={"phase": "cloning", "message": None})),
        service.data(service.make_run(status="RUNNING", progress={"phase": "cloning", "message": None})),
        service.data(service.make_run(status="COMPLETED", result={"filesChanged": 1, "insertions": 2, "deletions": 0})),
    )
    result = outpost("dispatch", "echo hello", "--agent", "shell", "--wait")
    assert result.exit_code == 0
    assert result.stderr == f"Dispatched {service.run_id}\n{service.run_id} RUNNING cloning\n"
    assert result.stdout == f"{service.run_id} COMPLETED 1 file changed, 2 insertions(+), 0 deletions(-)\n"


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        ({"result": {"filesChanged": 3}}, "COMPLETED 3 files changed, 0 insertions(+), 0 deletions(-), $0.0123"),
        ({"result": None}, "COMPLETED $0.0123"),
        ({"status": "FAILED", "error": BROKEN}, "FAILED AGENT_FAILED: It exited with 1. ($0.0123)"),
    ],
)
def test_the_outcome_says_what_the_run_cost(outpost, service, ended, told):
    run = service.make_run(**{"status": "COMPLETED", "usage": service.make_usage(totalCostUsd=0.0123), **ended})
    service.on("GET", f"/runs/{service.run_id}", service.data(run))
    assert outpost("dispatch", "x", "--agent", "shell", "--wait").stdout == f"{service.run_id} {told}\n"


@pytest.mark.parametrize(("status", "exit_code"), [("FAILED", 10), ("TIMEOUT", 11), ("CANCELLED", 12)])
def test_the_exit_code_of_wait_tells_the_outcome(outpost, service, status, exit_code):
    service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run(status=status, error=BROKEN)))
    result = outpost("dispatch", "echo hello", "--agent", "shell", "--wait")
    assert result.exit_code == exit_code
    assert f"{status} AGENT_FAILED: It exited with 1." in result.stdout


def test_wait_with_json_prints_the_ended_run_only(outpost, service):
    service.on("GET", f"/runs/{service.run_id}", service.data(service.make_run(status="COMPLETED")))
    result = outpost("dispatch", "echo hello", "--agent", "shell", "--wait", "--json")
    assert json.loads(result.stdout)["status"] == "COMPLETED"


def test_follow_prints_the_log_and_then_the_outcome(outpost, service):
    service.on(
        "GET",
        f"/runs/{service.run_id}",
        service.data(service.make_run(status="RUNNING")),
        service.data(service.make_run(status="FAILED", error=BROKEN)),
    )
    service.on(
        "GET",
        f"/runs/{service.run_id}/logs",
        service.data({"lines": [service.make_line("one")]}, pagination={"nextCursor": "a", "hasMore": False}),
        service.data({"lines": [service.make_line("two")]}, pagination={"nextCursor": "b", "hasMore": False}),
        service.data({"lines": []}, pagination={"nextCursor": "b", "hasMore": False}),
    )
    result = outpost("dispatch", "echo hello", "--agent", "shell", "--follow")
    assert result.stdout.startswith("one\ntwo\n")
    assert result.exit_code == 10


@pytest.mark.parametrize("headers", [{"Content-Length": "9"}, {"Transfer-Encoding": "nonsense"}])
def test_when_no_answer_came_the_key_for_a_safe_repeat_is_told(outpost, service, headers):
    service.on("POST", "/dispatch", service.raw(201, b"", headers))
    result = outpost("dispatch", "x", "--agent", "shell")
    assert result.exit_code == 7
    assert f"--idempotency-key {service.seen[0].document['idempotencyKey']}" in result.stderr


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_that_had_no_answer_is_as_no_answer(outpost, service, status):
    service.on("POST", "/dispatch", service.json({"message": "Bad gateway"}, status=status))
    assert "--idempotency-key" in outpost("dispatch", "x", "--agent", "shell").stderr


@pytest.mark.parametrize(
    ("status", "code"), [(503, "AGENT_UNAVAILABLE"), (429, "QUOTA_EXCEEDED"), (400, "VALIDATION_ERROR")]
)
def test_after_a_refusal_nothing_is_said_of_repeating_it(outpost, service, status, code):
    service.on("POST", "/dispatch", service.error(status, code))
    result = outpost("dispatch", "x", "--agent", "shell")
    assert code in result.stderr
    assert "--idempotency-key" not in result.stderr
