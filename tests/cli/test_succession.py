"""`outpost follow-up`, `outpost rerun` and `outpost chain`."""

import io
import json
import sys

import httpx
import pytest
from rich.console import Console

from outpost_cli.client import OutpostClient
from outpost_cli.family import read_chain
from outpost_cli.family_views import render_chain

NEXT_ID = "01JZ0000000000000000000007"
RECEIPT = {"runId": NEXT_ID, "dispatchId": NEXT_ID, "status": "PENDING"}
CHANGES = [
    *("--agent", "codex", "--model", "fast", "--timeout", "10m", "--priority", "low", "--queue-timeout", "1h"),
    *("--check", "npm test", "--tag", "team=web", "--user-id", "ann", "--context", "off", "--max-cost-usd", "2"),
    *(
        "--secret",
        "DEPLOY_KEY",
        "--cpu-units",
        "512",
        "--promote",
        "--promote-branch",
        "mend",
        "--promote-title",
        "Mend",
    ),
    *("--promote-draft", "--idempotency-key", "k-1"),
]
SENT = {
    "agent": "codex",
    "modelId": "fast",
    "timeoutSeconds": 600,
    "priority": "low",
    "queueTimeoutSeconds": 3600,
    "check": "npm test",
    "tags": {"team": "web"},
    "userId": "ann",
    "context": "off",
    "budget": {"maxCostUsd": 2.0},
    "secrets": ["DEPLOY_KEY"],
    "resources": {"cpuUnits": 512},
    "promote": {"when": "success", "branch": "mend", "title": "Mend", "draft": True},
    "idempotencyKey": "k-1",
}


@pytest.fixture(autouse=True)
def accepted(service):
    for route in ("follow-up", "rerun"):
        service.on("POST", f"/runs/{service.run_id}/{route}", service.data(RECEIPT, status=201))


def test_every_option_of_a_follow_up_becomes_its_field_of_the_contract(outpost, service):
    outpost("follow-up", service.run_id, "Now test it", *CHANGES)
    assert service.seen[0].document == {"task": "Now test it", **SENT}


def test_every_option_of_a_rerun_becomes_its_field_of_the_contract(outpost, service):
    outpost("rerun", service.run_id, "--task", "Do it well", *CHANGES)
    assert service.seen[0].document == {"task": "Do it well", **SENT}


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [(["follow-up", "RUN", "Now test it"], {"task", "idempotencyKey"}), (["rerun", "RUN"], {"idempotencyKey"})],
)
def test_what_was_not_said_is_not_sent(outpost, service, arguments, fields):
    outpost(*(service.run_id if argument == "RUN" else argument for argument in arguments))
    assert service.seen[0].document.keys() == fields


def test_a_task_comes_from_stdin_or_a_file(outpost, service, tmp_path):
    (tmp_path / "task.md").write_text("from a file")
    outpost("follow-up", service.run_id, "-", standard_input="from stdin")
    outpost("rerun", service.run_id, "--task-file", str(tmp_path / "task.md"))
    assert [seen.document["task"] for seen in service.seen] == ["from stdin", "from a file"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["follow-up", "R"], "Give one task."),
        (["follow-up", "R", "a", "--task-file", "b"], "Give one task."),
        (["follow-up", "R", "a", "--wait", "--follow"], "--wait and --follow exclude each other."),
        (["rerun", "R", "--wait", "--follow"], "--wait and --follow exclude each other."),
        (["rerun", "R", "--task", "a", "--task-file", "b"], "Give one task."),
        (["rerun", "R", "--promote-title", "Mend"], "Add --promote."),
        (["rerun", "../keys"], "is not a run id"),
        (["follow-up"], "RUN"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_sent(outpost, service, arguments, complaint):
    result = outpost(*arguments)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert service.seen == []


@pytest.mark.parametrize("command", [["follow-up", "RUN", "x"], ["rerun", "RUN"]])
def test_a_repeat_after_an_unavailable_service_has_the_same_idempotency_key(outpost, service, command):
    refused = service.error(503, "SERVICE_UNAVAILABLE", retryable=True)
    service.on("POST", f"/runs/{service.run_id}/{command[0]}", refused, service.data(RECEIPT, status=201))
    result = outpost(*(service.run_id if argument == "RUN" else argument for argument in command))
    assert (result.exit_code, result.stdout) == (0, f"{NEXT_ID} PENDING\n")
    assert service.seen[0].document == service.seen[1].document


@pytest.mark.parametrize("command", [["follow-up", "RUN", "x"], ["rerun", "RUN"]])
def test_when_no_answer_came_the_key_for_a_safe_repeat_is_told(outpost, service, command):
    lost = service.raw(201, b"", {"Content-Length": "9"})
    service.on("POST", f"/runs/{service.run_id}/{command[0]}", lost)
    result = outpost(*(service.run_id if argument == "RUN" else argument for argument in command))
    assert result.exit_code == 7
    assert f"--idempotency-key {service.seen[0].document['idempotencyKey']}" in result.stderr


def test_a_follow_up_of_a_run_at_work_is_refused(outpost, service):
    service.on("POST", f"/runs/{service.run_id}/follow-up", service.error(409, "CONFLICT"))
    assert outpost("follow-up", service.run_id, "x").exit_code == 5


def test_a_follow_up_of_the_last_run_can_be_waited_for(outpost, service):
    service.on("GET", "/runs", service.data({"runs": [service.make_run()]}))
    ended = service.make_run(runId=NEXT_ID, status="FAILED")
    service.on("GET", f"/runs/{NEXT_ID}", service.data(ended))
    result = outpost("follow-up", "last", "x", "--wait", "--json")
    assert result.exit_code == 10
    assert json.loads(result.stdout) == ended


def test_the_log_of_a_rerun_can_be_followed(outpost, service):
    service.on("GET", f"/runs/{NEXT_ID}", service.data(service.make_run(runId=NEXT_ID, status="COMPLETED")))
    lines = service.data({"lines": [service.make_line("one")]}, pagination={"nextCursor": "a", "hasMore": False})
    service.on("GET", f"/runs/{NEXT_ID}/logs", lines, service.data({"lines": []}))
    assert outpost("rerun", service.run_id, "--follow").stdout == f"one\n{NEXT_ID} COMPLETED\n"


@pytest.fixture
def family(service) -> dict[str, dict[str, object]]:
    """A was followed by B; B was rerun as C and followed by D, in this order."""

    def make(name: str, parent: str | None = None, kind: str | None = None, **changes: object) -> dict[str, object]:
        return service.make_run(runId=name, parentRunId=parent, parentKind=kind, task=f"Task of {name}", **changes)

    runs = {
        "A": make("A", status="COMPLETED", result={"filesChanged": 1}),
        "B": make("B", "A", "follow-up", status="COMPLETED"),
        "C": make("C", "B", "rerun", status="CANCELLED"),
        "D": make("D", "B", "follow-up", status="RUNNING"),
    }
    for name, run in runs.items():
        service.on("GET", f"/runs/{name}", service.data(run))
    service.on(
        "GET",
        "/runs",
        service.data({"runs": [runs["D"]]}, pagination={"nextCursor": "c1", "hasMore": True}),
        service.data({"runs": [runs["C"]]}),
        service.data({"runs": []}),
    )
    return runs


def test_the_chain_is_a_tree_of_parents_and_children_with_their_results(outpost, family):
    shown = outpost("chain", "B").stdout.splitlines()
    assert [line.lstrip("\N{BOX DRAWINGS LIGHT VERTICAL}├└─ ") for line in shown] == [
        "A COMPLETED 1 file changed, 0 insertions(+), 0 deletions(-)",
        "Task of A",
        "B COMPLETED [follow-up]",
        "Task of B",
        "C CANCELLED [rerun]",
        "Task of C",
        "D RUNNING [follow-up]",
        "Task of D",
    ]
    assert [line.index(line.lstrip("\N{BOX DRAWINGS LIGHT VERTICAL}├└─ ")) for line in shown[::2]] == [0, 0, 4, 4]


def test_a_long_chain_is_shown_whole_in_a_narrow_terminal(service):
    """Longer than Python's own stack, each the follow-up of the one before."""
    length = sys.getrecursionlimit()

    def handle(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("parent", -1)) + 1
        runs = [make_link(service, number)] if number < length else []
        data = {"runs": runs} if request.url.path == "/runs" else make_link(service, 0)
        return httpx.Response(200, json={"success": True, "data": data, "meta": {}})

    client = OutpostClient("https://api.example.com", "otp_secret", transport=httpx.MockTransport(handle))
    console = Console(width=80, file=io.StringIO())
    console.print(render_chain(read_chain(client, "0"), run_id="0"))
    shown = console.file.getvalue().splitlines()
    assert [line.split()[0] for line in shown[::2]] == [str(number) for number in range(length)]


def make_link(service, number):
    parent = {"parentRunId": str(number - 1), "parentKind": "follow-up"} if number else {}
    return service.make_run(runId=str(number), status="COMPLETED", **parent)


def test_the_chain_with_json_has_each_run_before_those_that_came_from_it(outpost, service, family):
    found = json.loads(outpost("chain", "B", "--json").stdout)
    assert found == {"runs": [family[name] for name in "ABCD"]}
    asked = [dict(seen.query)["parent"] for seen in service.seen_on("GET", "/runs")]
    assert asked == ["B", "B", "C", "D"]


def test_a_parent_that_is_not_kept_any_more_ends_the_chain(outpost, service):
    run = service.make_run(parentRunId="GONE", parentKind="rerun")
    service.on("GET", f"/runs/{service.run_id}", service.data(run))
    service.on("GET", "/runs", service.data({"runs": []}))
    assert json.loads(outpost("chain", service.run_id, "--json").stdout) == {"runs": [run]}


def test_a_chain_that_bites_its_tail_ends(outpost, service):
    run = service.make_run(parentRunId=service.run_id, parentKind="rerun")
    service.on("GET", f"/runs/{service.run_id}", service.data(run))
    service.on("GET", "/runs", service.data({"runs": [run]}))
    assert json.loads(outpost("chain", service.run_id, "--json").stdout) == {"runs": [run]}
