"""A dispatch through the real template: from key to patch."""

import hashlib
import json
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest
from gits import git
from policies import refused

pytestmark = pytest.mark.xdist_group("stack")

EDITS = """
set -e
echo "edited" >> README.md
printf '\\000\\001binary' > "new file.bin"
rm logo.bin
echo "what it found" > "$OUTPOST_ARTIFACTS_DIR/report.txt"
echo "to stderr" >&2
echo "all done"
"""


@pytest.fixture(scope="module")
def edited(caller) -> dict:
    """A run that changed a clone of acme/site."""
    run_id = caller.dispatch(EDITS, repo="acme/site", tags={"team": "core"}, userId="somebody")
    return caller.wait(run_id)


def test_a_run_that_worked_is_completed_with_its_numbers(edited):
    assert (edited["status"], edited["exitCode"], edited["error"]) == ("COMPLETED", 0, None)
    assert edited["createdAt"] < edited["startedAt"] < edited["computeStoppedAt"] <= edited["endedAt"]
    result = edited["result"]
    assert (result["filesChanged"], result["insertions"], result["deletions"]) == (3, 1, 0)
    assert "all done" in result["summary"].splitlines()


def test_its_patch_applies_to_a_fresh_clone(edited, caller, repository, tmp_path):
    git("clone", f"{repository}/acme/site.git", "site", folder=tmp_path)
    (tmp_path / "changes.patch").write_bytes(caller.patch(edited["runId"]))
    git("apply", "../changes.patch", folder=tmp_path / "site")
    assert (tmp_path / "site" / "README.md").read_text() == "a site\nedited\n"
    assert (tmp_path / "site" / "new file.bin").read_bytes() == b"\0\1binary"
    assert not (tmp_path / "site" / "logo.bin").exists()


def test_its_output_is_in_the_log_by_stream(edited, caller):
    lines = {(line["stream"], line["message"]) for line in caller.lines(edited["runId"])}
    assert {("stdout", "all done"), ("stderr", "to stderr")} <= lines


def test_its_files_can_be_fetched_and_checked(edited, caller):
    report = caller.artifacts(edited["runId"])["report.txt"]
    fetched = httpx.get(report["url"])
    assert fetched.content == b"what it found\n"
    assert hashlib.sha256(fetched.content).hexdigest() == report["sha256"]
    assert fetched.headers["Content-Disposition"].startswith("attachment")


def test_the_patch_is_described_to_those_who_ask_for_json(edited, caller):
    answer = caller.http.get(f"/runs/{edited['runId']}/patch", headers={"Accept": "application/json"})
    assert answer.json()["data"]["filesChanged"] == 3


def test_it_is_found_by_its_tag_and_repository(edited, caller):
    found = caller.http.get("/runs", params={"tag": "team:core", "repo": "acme/site"}).json()["data"]["runs"]
    assert [run["runId"] for run in found] == [edited["runId"]]


def test_every_transition_wrote_one_event(edited, caller):
    types = Counter(caller.event_types(edited["runId"]))
    assert [types[f"run.{word}"] for word in ("accepted", "running", "reported", "completed")] == [1, 1, 1, 1]


def test_its_execution_is_named_by_it_and_green(edited, caller):
    assert caller.wait_for_execution(edited["runId"]) == "SUCCEEDED"


def test_a_branch_is_checked_out(caller):
    run = caller.wait(caller.dispatch("cat topic.txt", repo="acme/site", branch="topic"))
    assert (run["status"], run["result"]["summary"]) == ("COMPLETED", "only on the branch")


def test_a_branch_that_is_not_there_says_so(caller):
    run = caller.wait(caller.dispatch("true", repo="acme/site", branch="nowhere"))
    assert (run["status"], run["error"]["code"]) == ("FAILED", "BRANCH_NOT_FOUND")
    assert run["error"]["remedy"]


def test_a_script_that_fails_fails_the_run_with_its_exit_code(caller):
    run = caller.wait(caller.dispatch("echo before; exit 7", repo="acme/site"))
    assert (run["status"], run["exitCode"], run["error"]["code"]) == ("FAILED", 7, "AGENT_FAILED")


def test_a_run_without_a_repository_works_in_an_empty_folder(caller):
    run = caller.wait(caller.dispatch("ls -A | grep -v '^.git$' || true; echo x > made"))
    assert run["result"]["filesChanged"] == 1


def test_a_cancelled_run_keeps_its_work_and_proves_its_end(caller):
    run_id = caller.dispatch("echo partial > work.txt; echo ready; sleep 600")
    caller.wait_for_output(run_id, "ready")
    assert caller.http.post(f"/runs/{run_id}/cancel", json={"reason": "enough"}).status_code == 202
    run = caller.wait(run_id)
    assert (run["status"], run["error"]["code"]) == ("CANCELLED", "CANCELLED_BY_USER")
    assert run["cancelRequestedAt"] < run["computeStoppedAt"] <= run["endedAt"]
    assert b"+partial" in caller.patch(run_id)
    assert caller.http.post(f"/runs/{run_id}/cancel").status_code == 409


def test_a_run_out_of_time_is_stopped_to_the_second_and_keeps_its_work(caller):
    run_id = caller.dispatch("echo partial > work.txt; trap '' TERM; sleep 600", timeoutSeconds=30)
    run = caller.wait(run_id, seconds=60)
    assert (run["status"], run["error"]["code"]) == ("TIMEOUT", "RUN_TIMEOUT")
    assert b"+partial" in caller.patch(run_id)


def test_two_runs_do_not_see_each_other(caller):
    look = """
    echo "$OUTPOST_RUN_ID-secret" > mine
    touch /tmp/seen-by-others 2>/dev/null
    sleep 2
    find / "$PWD" -name mine -path '*workspace*' 2>/dev/null | sort -u
    cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep '^OUTPOST_RUN_ID=' | sort -u
    cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c '^BOOTSTRAP_TOKEN=' || true
    """
    ids = [caller.dispatch(look) for _ in range(2)]
    for run_id in ids:
        assert caller.wait(run_id)["status"] == "COMPLETED"
    first, second = ([line["message"] for line in caller.lines(run_id)] for run_id in ids)
    assert f"OUTPOST_RUN_ID={ids[0]}" in first
    assert f"OUTPOST_RUN_ID={ids[1]}" in second
    assert not any(ids[1] in line for line in first)
    assert not any(ids[0] in line for line in second)
    assert sum(line.endswith("/mine") for line in first) == 1


def calls_of(caller, function, act):
    """What the act returns, and the AWS calls of the function meanwhile."""
    before = len(caller.stack.calls)
    done = act()
    return done, [call.operation for call in caller.stack.calls[before:] if call.function == function]


def fresh_key(caller):
    """The headers of a key that no process has seen yet, early enough in a minute to be remembered for some seconds."""
    seconds = time.time() % 60
    time.sleep(60 - seconds if seconds > 50 else 0)
    wish = {"name": "fresh", "scopes": ["dispatch", "status"]}
    return {"Authorization": f"Bearer {caller.http.post('/keys', json=wish).json()['data']['apiKey']}"}


def test_a_post_costs_three_calls_and_two_where_the_key_is_remembered(caller):
    caller.wait(caller.dispatch("true"))
    headers = fresh_key(caller)

    def post():
        return caller.http.post("/dispatch", json={"agent": "shell", "task": "true"}, headers=headers)

    first, unknown = calls_of(caller, "DispatchFunction", post)
    second, remembered = calls_of(caller, "DispatchFunction", post)
    assert (first.status_code, second.status_code) == (201, 201)
    assert unknown == ["UpdateItem", "TransactWriteItems", "StartExecution"]
    assert remembered == ["TransactWriteItems", "StartExecution"]


def test_a_get_costs_two_calls_where_the_key_is_remembered(caller):
    run_id = caller.dispatch("true")
    caller.wait(run_id)
    headers = fresh_key(caller)

    def get():
        return caller.http.get(f"/runs/{run_id}", headers=headers)

    _, unknown = calls_of(caller, "ReadFunction", get)
    _, remembered = calls_of(caller, "ReadFunction", get)
    assert unknown == ["UpdateItem", "GetItem", "GetItem"]
    assert remembered == ["BatchGetItem", "GetItem"]


def test_every_call_is_one_that_the_functions_policy_allows(edited, caller):
    calls = set(caller.stack.calls)
    assert sorted({use for call in calls for use in refused(call)}) == []
    assert {call.function for call in calls} >= {"DispatchFunction", "ReadFunction", "BrokerFunction", "FinishFunction"}


def test_no_secret_and_no_task_text_is_in_a_log_record_or_event(edited, caller):
    task = "echo a-canary-of-a-task-text"
    caller.wait(caller.dispatch(task))
    dynamodb = caller.stack.aws.client("dynamodb")
    events = json.dumps(dynamodb.scan(TableName="outpost-audit-dev")["Items"])
    records = json.dumps(dynamodb.scan(TableName="outpost-jobs-dev")["Items"])
    logs = Path(caller.stack.log_path).read_text()
    assert "answered" in logs
    assert [caller.stack.api_key in text for text in (events, records, logs)] == [False, False, False]
    assert [task in text for text in (events, logs)] == [False, False]
