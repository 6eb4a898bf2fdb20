"""What one run leaves for the next, through the real template: workspaces, follow-ups, reruns, checks, files."""

from itertools import takewhile

import httpx
import pytest
from forge import REPOSITORY
from policies import refused

pytestmark = pytest.mark.xdist_group("stack")

FIRST = """
set -e
echo node_modules > .gitignore
git add .gitignore
git commit --quiet --message='Ignore what is installed'
mkdir node_modules && echo installed > node_modules/package
echo first >> README.md
echo 'the first is done'
"""
LOOK = "git log --format=%s; cat node_modules/package README.md; echo second > second.txt"
CHECK = "grep -q first README.md && echo fine; echo of the check > left-behind.txt"


@pytest.fixture(scope="module")
def late_id(worker) -> str:
    """A run in a workspace of its own that runs out of its time while other tests are at work."""
    return worker.dispatch("echo late > late.txt; sleep 600", timeoutSeconds=30, workspaceMode="persistent")


@pytest.fixture(scope="module")
def unjudged_id(worker) -> str:
    """A run whose check goes on until the run's time is over, while other tests are at work."""
    return worker.dispatch("echo x > made.txt", check="sleep 600", timeoutSeconds=30)


@pytest.fixture(scope="module")
def first(worker, late_id, unjudged_id) -> dict:
    """A run that made a workspace, with a check."""
    run_id = worker.dispatch(FIRST, repo=REPOSITORY, workspaceMode="persistent", check=CHECK)
    return worker.wait(run_id)


@pytest.fixture(scope="module")
def second(worker, first) -> dict:
    """A run that followed up while the workspace was as the first had left it."""
    return worker.wait(worker.follow_up(first["runId"], LOOK))


@pytest.fixture(scope="module")
def third(worker, first, second) -> dict:
    """A run that followed the first up when the second had used the workspace."""
    return worker.wait(worker.follow_up(first["runId"], "ls -A; git status --short; echo third > third.txt"))


def printed(worker, run):
    """What the agent wrote; what its check wrote comes behind the runner's announcement."""
    lines = takewhile(lambda line: not line["message"].startswith("Running the check"), worker.lines(run["runId"]))
    return [line["message"] for line in lines if line["stream"] == "stdout"]


def snapshots(worker, workspace_id):
    """(bucket, key) of what lies below the workspace's own prefix."""
    s3 = worker.stack.aws.client("s3")
    prefix = f"workspaces/local/{workspace_id}/"
    answers = [s3.list_objects_v2(Bucket=bucket["Name"], Prefix=prefix) for bucket in s3.list_buckets()["Buckets"]]
    return [(answer["Name"], entry["Key"]) for answer in answers for entry in answer.get("Contents", [])]


def test_a_workspace_is_kept_when_its_run_has_ended(worker, first):
    assert first["workspace"] == {"restored": None, "saved": True, "reason": None}
    kept = worker.workspace(first["workspaceId"])
    assert (kept["repo"], kept["baseSha"], kept["inUseBy"]) == (REPOSITORY, first["result"]["baseSha"], None)
    assert kept["sizeBytes"] > 0


def test_the_next_run_begins_with_its_files_ignored_ones_too_and_with_its_commits(worker, first, second):
    assert second["workspaceId"] == first["workspaceId"]
    assert second["workspace"] == {"restored": True, "saved": True, "reason": None}
    lines = printed(worker, second)
    assert lines[:2] == ["Ignore what is installed", "Base"]
    assert lines[2:] == ["installed", "Hello", "first"]


def test_what_is_kept_is_one_object_and_an_earlier_one_is_gone(worker, second):
    ((_, key),) = snapshots(worker, second["workspaceId"])
    assert second["runId"] in key


def test_a_patch_in_a_workspace_holds_the_work_of_both_runs_and_fits_a_fresh_clone(worker, forge, second, tmp_path):
    clone = forge.clone(tmp_path)
    forge.patched_tree(clone, worker.patch(second["runId"]))
    assert (clone / ".gitignore").read_text() == "node_modules\n"
    assert (clone / "README.md").read_text() == "Hello\nfirst\n"
    assert (clone / "second.txt").read_text() == "second\n"
    assert second["result"]["filesChanged"] == 3


def test_once_the_workspace_has_moved_on_a_follow_up_begins_with_the_base_and_the_patch(worker, third):
    assert (third["status"], third["workspaceId"]) == ("COMPLETED", None)
    assert printed(worker, third)[-2:] == [" M README.md", "?? .gitignore"]
    assert not {"second.txt", "node_modules"} & set(printed(worker, third))


def test_such_a_follow_ups_patch_holds_both_runs_work_and_fits_a_fresh_clone(worker, forge, third, tmp_path):
    clone = forge.clone(tmp_path)
    forge.patched_tree(clone, worker.patch(third["runId"]))
    assert (clone / "README.md").read_text() == "Hello\nfirst\n"
    assert (clone / "third.txt").read_text() == "third\n"
    assert not (clone / "second.txt").exists()


def test_a_check_that_passes_is_told_with_what_it_printed(first):
    check = first["check"]
    assert (check["command"], check["passed"], check["exitCode"], check["timedOut"]) == (CHECK, True, 0, False)
    assert check["output"].strip() == "fine"


def test_what_a_check_leaves_is_in_no_patch_and_no_workspace(worker, first, second):
    assert b"left-behind" not in worker.patch(first["runId"])
    assert b"left-behind" not in worker.patch(second["runId"])


def test_a_check_that_fails_leaves_the_run_completed(worker):
    run = worker.wait(worker.dispatch("echo x > made.txt", check="echo it is red; touch made-by-check; exit 3"))
    assert (run["status"], run["error"]) == ("COMPLETED", None)
    assert (run["check"]["passed"], run["check"]["exitCode"], run["check"]["output"].strip()) == (False, 3, "it is red")
    assert run["result"]["filesChanged"] == 1
    assert b"made-by-check" not in worker.patch(run["runId"])


def test_a_workspace_has_one_run_at_a_time_and_is_kept_when_that_is_cancelled(worker):
    run_id = worker.dispatch("echo partial > work.txt; echo ready; sleep 600", workspaceMode="persistent")
    worker.wait_for_output(run_id, "ready")
    workspace_id = worker.run(run_id)["workspaceId"]
    refusals = [
        worker.refuse("POST", "/dispatch", agent="shell", task="true", workspaceId=workspace_id),
        worker.refuse("DELETE", f"/workspaces/{workspace_id}"),
    ]
    assert [(status, details.get("runId")) for status, details in refusals] == [(409, run_id), (409, run_id)]
    worker.post(f"/runs/{run_id}/cancel", status=202)
    run = worker.wait(run_id)
    assert (run["status"], run["workspace"]["saved"]) == ("CANCELLED", True)
    following = worker.wait(worker.follow_up(run_id, "cat work.txt"))
    assert (following["workspaceId"], printed(worker, following)) == (workspace_id, ["partial"])


def test_a_rerun_works_from_the_same_commit_wherever_the_branch_is(worker, forge, first):
    moved = forge.upstream.commit({"new.txt": b"of somebody else\n"})
    again = worker.wait(worker.rerun(first["runId"], task="ls; git rev-parse HEAD", check="true"))
    fresh = worker.wait(worker.dispatch("git rev-parse HEAD", repo=REPOSITORY))
    assert (again["result"]["baseSha"], fresh["result"]["baseSha"]) == (first["result"]["baseSha"], moved)
    assert printed(worker, again)[-1] == first["result"]["baseSha"]
    assert "new.txt" not in printed(worker, again)
    assert (again["parentKind"], again["workspaceMode"], again["promotion"]) == ("rerun", "ephemeral", None)


def test_what_came_of_a_run_is_listed_by_it(worker, first, second, third):
    rerun_id = worker.rerun(second["runId"], task="true")
    of_first, of_second = (
        {
            run["runId"]: run["parentKind"]
            for run in worker.http.get("/runs", params={"parent": parent}).json()["data"]["runs"]
        }
        for parent in (first["runId"], second["runId"])
    )
    assert {second["runId"]: "follow-up", third["runId"]: "follow-up"}.items() <= of_first.items()
    assert of_second == {rerun_id: "rerun"}


def test_a_run_at_work_cannot_be_followed_up(worker):
    run_id = worker.dispatch("sleep 600")
    status, details = worker.refuse("POST", f"/runs/{run_id}/follow-up", task="true")
    worker.post(f"/runs/{run_id}/cancel", status=202)
    assert (status, details["status"] in {"PENDING", "RUNNING"}) == (409, True)


def test_a_snapshot_that_is_gone_is_replaced_by_a_clone_with_a_notice(worker):
    run = worker.wait(worker.dispatch("echo x > made.txt", repo=REPOSITORY, workspaceMode="persistent"))
    ((bucket, key),) = snapshots(worker, run["workspaceId"])
    worker.stack.aws.client("s3").delete_object(Bucket=bucket, Key=key)
    following = worker.wait(worker.dispatch("ls", workspaceId=run["workspaceId"]))
    assert (following["status"], following["workspace"]["restored"]) == ("COMPLETED", False)
    assert "README.md" in printed(worker, following)
    assert "made.txt" not in printed(worker, following)
    (notice,) = following["notices"]
    assert notice.startswith("The workspace could not be restored")
    assert notice.endswith("the repository was cloned instead.")


def test_workspaces_are_listed_newest_first_and_are_gone_when_they_are_deleted(worker, first):
    run = worker.wait(worker.dispatch("echo x > made.txt", workspaceMode="persistent"))
    workspace_id = run["workspaceId"]
    listed = [each["workspaceId"] for each in worker.http.get("/workspaces").json()["data"]["workspaces"]]
    assert listed[0] == workspace_id
    assert first["workspaceId"] in listed
    assert len(snapshots(worker, workspace_id)) == 1
    answer = worker.http.delete(f"/workspaces/{workspace_id}")
    assert (answer.status_code, answer.json()["data"]["workspaceId"]) == (200, workspace_id)
    assert snapshots(worker, workspace_id) == []
    assert worker.http.get(f"/workspaces/{workspace_id}").status_code == 404
    status, details = worker.refuse("POST", "/dispatch", agent="shell", task="true", workspaceId=workspace_id)
    assert (status, [error["path"] for error in details["errors"]]) == (400, ["workspaceId"])


def test_a_workspace_is_kept_when_its_run_is_out_of_time(worker, late_id):
    run = worker.wait(late_id, seconds=60)
    assert (run["status"], run["workspace"]["saved"]) == ("TIMEOUT", True)
    following = worker.wait(worker.dispatch("cat late.txt", workspaceId=run["workspaceId"]))
    assert printed(worker, following) == ["late"]


def test_a_check_that_lasts_until_the_end_of_the_time_leaves_the_run_completed_too(worker, unjudged_id):
    run = worker.wait(unjudged_id, seconds=60)
    assert (run["status"], run["check"]["passed"], run["check"]["timedOut"]) == ("COMPLETED", False, True)
    assert b"made.txt" in worker.patch(unjudged_id)


def test_artifacts_that_are_left_out_are_told_by_the_run_and_by_its_event(worker):
    run = worker.wait(worker.dispatch('for n in $(seq -w 103); do echo $n > "$OUTPOST_ARTIFACTS_DIR/$n"; done'))
    assert [each["name"] for each in run["omitted"]] == ["101", "102", "103"]
    assert {each["reason"] for each in run["omitted"]} == {"There are more than 100 artifacts."}
    assert len([name for name in worker.artifacts(run["runId"]) if name.isdecimal()]) == 100
    events = worker.http.get(f"/runs/{run['runId']}/events", params={"limit": 100}).json()["data"]["events"]
    (reported,) = [event for event in events if event["type"] == "run.reported"]
    assert "101: There are more than 100 artifacts." in reported["details"]["leftOut"]


@pytest.mark.parametrize("name", ["page.html", "drawing.svg"])
def test_what_a_browser_would_run_comes_as_an_attachment_of_no_such_type(worker, name):
    run = worker.wait(worker.dispatch(f'echo "<script>alert(1)</script>" > "$OUTPOST_ARTIFACTS_DIR/{name}"'))
    fetched = httpx.get(worker.artifacts(run["runId"])[name]["url"])
    assert fetched.text == "<script>alert(1)</script>\n"
    assert fetched.headers["Content-Type"] == "application/octet-stream"
    assert fetched.headers["Content-Disposition"].startswith("attachment")


def test_every_call_is_one_that_the_functions_policy_allows(worker, second):
    assert sorted({use for call in set(worker.stack.calls) for use in refused(call)}) == []
    assert worker.stack.lost_events == []
