"""From a run's patch to a pull request, through the real template: promotions, conflicts, batches."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from forge import REPOSITORY
from gits import git
from policies import refused
from traces import traces_of

from outpost_local.git_server import GitServer

pytestmark = pytest.mark.xdist_group("stack")

WORK = """
set -e
sed -i 's/^line 3$/line 3 of the run/' src/main.py
rm data.bin
printf '\\000\\001binary' > "new file.bin"
chmod +x README.md
env > "$OUTPOST_ARTIFACTS_DIR/environment.txt"
git config --list > "$OUTPOST_ARTIFACTS_DIR/configuration.txt"
echo 'did it'
"""
CHANGE_LINE = "sed -i 's/^line 12$/line 12 of the run/' src/main.py; echo notes > notes.txt"
# A batch has one task for all: each of its runs asks by its own id what it is to do.
ASK = """
until git fetch --quiet {orders} "refs/heads/$OUTPOST_RUN_ID" 2>/dev/null; do sleep 0.1; done
eval "$(git log -1 --format=%B FETCH_HEAD)"
"""


@dataclass(frozen=True)
class Orders:
    """A repository that anybody may read, with a branch for each run whose commit says what that run is to do."""

    url: str
    folder: Path

    def give(self, run_id: str, script: str) -> None:
        nothing = git("hash-object", "-t", "tree", "-w", "/dev/null", folder=self.folder)
        commit = git("commit-tree", "-m", script, nothing, folder=self.folder)
        git("update-ref", f"refs/heads/{run_id}", commit, folder=self.folder)


@pytest.fixture(scope="module")
def work(worker) -> dict:
    """A run with changes of many kinds, and with a check."""
    return worker.wait(worker.dispatch(WORK, repo=REPOSITORY, check="true", userId="somebody"))


@pytest.fixture(scope="module")
def promotion(worker, work) -> dict:
    """Its promotion at its end."""
    asked = worker.post(f"/runs/{work['runId']}/promote", 202, title="Mend the third line", draft=True)
    assert asked["status"] in {"PENDING", "RUNNING"}
    return worker.wait_for_promotion(work["runId"])


def test_a_promotion_pushes_a_branch_and_opens_a_pull_request(forge, work, promotion):
    assert (promotion["status"], promotion["error"], promotion["conflicts"]) == ("COMPLETED", None, [])
    assert promotion["branch"] == f"outpost/{work['runId']}"
    assert (promotion["baseBranch"], promotion["draft"]) == ("main", True)
    assert promotion["commit"] == forge.upstream.find(promotion["branch"])
    assert promotion["pullRequest"] == {"number": 1, "url": f"https://github.com/{REPOSITORY}/pull/1"}
    assert promotion["compareUrl"].endswith(f"/{REPOSITORY}/compare/main...{promotion['branch']}")


def test_the_pull_request_says_what_was_asked_and_what_came_of_it(forge, work, promotion):
    pull = forge.github.pulls[0]
    assert (pull["title"], pull["draft"]) == ("Mend the third line", True)
    assert (pull["base"]["ref"], pull["head"]["ref"]) == ("main", promotion["branch"])
    body = pull["body"]
    assert [text in body for text in ("line 3 of the run", "did it", "| Check | `true`: passed |")] == [True] * 3
    assert [text in body for text in ("`somebody`", f"/runs/{work['runId']}")] == [True] * 2


def test_the_commit_holds_the_very_tree_that_the_patch_makes(worker, forge, work, promotion, tmp_path):
    tree = forge.patched_tree(forge.clone(tmp_path), worker.patch(work["runId"]))
    assert forge.git("rev-parse", f"{promotion['commit']}^{{tree}}") == tree


def test_the_commit_is_one_on_the_branch_and_says_which_run_it_is_of(forge, work, promotion):
    said = forge.git("log", "-1", "--format=%s|%an|%(trailers:key=Outpost-Run,valueonly)", promotion["commit"])
    assert said == f"Mend the third line|Outpost|{work['runId']}"
    assert forge.git("rev-parse", f"{promotion['commit']}^") == work["result"]["baseSha"]


def test_the_run_and_its_events_tell_of_the_promotion(worker, work, promotion):
    shown = worker.run(work["runId"])["promotion"]
    assert (shown["status"], shown["pullRequest"]) == ("COMPLETED", promotion["pullRequest"])
    told = Counter(worker.event_types(work["runId"]))
    assert [told[f"promotion.{word}"] for word in ("requested", "started", "completed")] == [1, 1, 1]


def test_asked_again_it_is_the_same_pull_request(worker, forge, work, promotion):
    again = worker.post(f"/runs/{work['runId']}/promote", 202, title="Another title")
    assert again == promotion
    assert len([pull for pull in forge.github.pulls if pull["head"]["ref"] == promotion["branch"]]) == 1


@pytest.fixture(scope="module")
def left_behind(worker, forge) -> dict:
    """A run that changed a line which somebody else has changed since."""
    run = worker.wait(worker.dispatch(CHANGE_LINE, repo=REPOSITORY))
    source = forge.upstream.read("main", "src/main.py") + "\n"
    forge.upstream.commit({"src/main.py": source.replace("line 12\n", "line 12 of somebody\n").encode()})
    return run


@pytest.fixture(scope="module")
def conflict(worker, left_behind) -> dict:
    worker.post(f"/runs/{left_behind['runId']}/promote", 202)
    return worker.wait_for_promotion(left_behind["runId"])


def test_work_that_conflicts_with_the_branch_names_the_files_and_pushes_nothing(forge, conflict):
    assert (conflict["status"], conflict["error"]["code"]) == ("FAILED", "PROMOTION_CONFLICT")
    assert [each["path"] for each in conflict["conflicts"]] == ["src/main.py"]
    assert conflict["conflicts"][0]["reason"]
    assert "conflicts" in conflict["error"]["remedy"]
    assert (conflict["commit"], conflict["pullRequest"]) == (None, None)
    assert forge.upstream.find(conflict["branch"]) is None


def test_a_follow_up_that_takes_the_branchs_line_mends_it(worker, forge, left_behind, conflict):
    task = "sed -i 's/^line 12 of the run$/line 12 of somebody/' src/main.py"
    mended = worker.wait(worker.follow_up(left_behind["runId"], task))
    worker.post(f"/runs/{mended['runId']}/promote", 202)
    promotion = worker.wait_for_promotion(mended["runId"])
    assert (promotion["status"], promotion["pullRequest"] is None) == ("COMPLETED", False)
    assert "line 12 of somebody" in forge.upstream.read(promotion["branch"], "src/main.py")
    assert forge.upstream.read(promotion["branch"], "notes.txt") == "notes"
    assert forge.git("rev-parse", f"{promotion['commit']}^") == forge.upstream.find("main")


def test_a_run_promotes_itself_when_it_has_succeeded(worker, forge):
    wish = {"when": "success", "branch": "by-itself", "title": "By itself"}
    run_id = worker.dispatch("echo auto > auto.txt", repo=REPOSITORY, promote=wish)
    worker.wait(run_id)
    promotion = worker.wait_for_promotion(run_id)
    assert (promotion["status"], promotion["branch"], promotion["title"]) == ("COMPLETED", "by-itself", "By itself")
    assert forge.upstream.read("by-itself", "auto.txt") == "auto"


def test_a_run_that_failed_does_not_promote_itself_but_may_be_promoted(worker, forge):
    wish = {"when": "success", "branch": "of-a-failure"}
    run_id = worker.dispatch("echo half > half.txt; exit 3", repo=REPOSITORY, promote=wish)
    run = worker.wait(run_id)
    worker.wait_for_execution(run_id)
    assert (run["status"], worker.http.get(f"/runs/{run_id}/promotion").status_code) == ("FAILED", 404)
    worker.post(f"/runs/{run_id}/promote", 202, branch="of-a-failure")
    assert worker.wait_for_promotion(run_id)["status"] == "COMPLETED"
    assert forge.upstream.read("of-a-failure", "half.txt") == "half"


def test_a_branch_of_somebody_else_is_left_alone_and_another_name_mends_it(worker, forge):
    theirs = forge.upstream.commit({"theirs.txt": b"theirs\n"}, branch="taken")
    run = worker.wait(worker.dispatch("echo mine > mine.txt", repo=REPOSITORY))
    worker.post(f"/runs/{run['runId']}/promote", 202, branch="taken")
    first = worker.wait_for_promotion(run["runId"])
    assert (first["status"], first["error"]["code"]) == ("FAILED", "BRANCH_EXISTS")
    assert forge.upstream.find("taken") == theirs
    worker.post(f"/runs/{run['runId']}/promote", 202, branch="free")
    second = worker.wait_for_promotion(run["runId"])
    assert (second["status"], second["attempt"]) == ("COMPLETED", 2)


def test_what_changed_nothing_and_what_is_at_work_cannot_be_promoted(worker):
    idle = worker.wait(worker.dispatch("true", repo=REPOSITORY))
    busy_id = worker.dispatch("sleep 600", repo=REPOSITORY)
    idle_refusal = worker.refuse("POST", f"/runs/{idle['runId']}/promote")
    busy_refusal = worker.refuse("POST", f"/runs/{busy_id}/promote")
    worker.post(f"/runs/{busy_id}/cancel", status=202)
    assert (idle_refusal[0], bool(idle_refusal[1]["reason"])) == (409, True)
    assert (busy_refusal[0], busy_refusal[1]["status"] in {"PENDING", "RUNNING"}) == (409, True)


@pytest.fixture(scope="module")
def orders(tmp_path_factory) -> Iterator[Orders]:
    folder = tmp_path_factory.mktemp("orders")
    git("init", "--quiet", "--bare", "orders.git", folder=folder)
    with GitServer(folder) as server:
        yield Orders(f"{server.url}/orders.git", folder / "orders.git")


@pytest.fixture(scope="module")
def batch(worker, orders) -> dict:
    """A batch of three whose first run has done its work, whose second has failed, and whose third goes on and on."""
    task = ASK.format(orders=orders.url)
    agents = [{"agent": "shell"}] * 3
    made = worker.post("/batches", task=task, repo=REPOSITORY, agents=agents, check="test -f made.txt")
    first, second, third = (run["runId"] for run in made["runs"])
    orders.give(first, "echo first > made.txt")
    orders.give(second, "exit 3")
    orders.give(third, "echo third > made.txt; echo ready; sleep 600")
    assert worker.wait(first)["status"] == "COMPLETED"
    assert worker.wait(second)["status"] == "FAILED"
    worker.wait_for_output(third, "ready")
    return {"id": made["batchId"], "runs": [first, second, third]}


@pytest.fixture(scope="module")
def compared(worker, batch) -> dict:
    """The batch before anything of it is promoted."""
    return worker.http.get(f"/batches/{batch['id']}").json()["data"]


@pytest.fixture(scope="module")
def promoted(worker, batch, compared) -> dict:
    return worker.post(f"/batches/{batch['id']}/promote", 202, runId=batch["runs"][0], title="The first")


def test_a_batch_compares_its_runs_side_by_side(batch, compared):
    names = ("runId", "status", "check", "filesChanged")
    first, second, third = batch["runs"]
    assert [tuple(run[name] for name in names) for run in compared["runs"]] == [
        (first, "COMPLETED", True, 1),
        (second, "FAILED", False, 0),
        (third, "RUNNING", None, None),
    ]
    assert (compared["batchId"], compared["promotedRunId"]) == (batch["id"], None)


def test_a_batch_is_a_filter_of_runs(worker, batch):
    listed = worker.http.get("/runs", params={"batch": batch["id"]}).json()["data"]["runs"]
    assert sorted(run["runId"] for run in listed) == sorted(batch["runs"])


def test_a_run_of_a_batch_that_is_at_work_is_not_promoted(worker, batch, compared):
    status, details = worker.refuse("POST", f"/batches/{batch['id']}/promote", runId=batch["runs"][2])
    assert (status, details["status"]) == (409, "RUNNING")
    assert worker.http.get(f"/batches/{batch['id']}").json()["data"]["promotedRunId"] is None


def test_promoting_one_run_of_a_batch_cancels_the_one_that_is_still_at_work(worker, batch, promoted):
    first, _, third = batch["runs"]
    assert (promoted["promotion"]["runId"], promoted["cancelled"]) == (first, [third])
    run = worker.wait(third)
    assert (run["status"], run["error"]["code"]) == ("CANCELLED", "CANCELLED_BY_USER")
    assert worker.wait_for_promotion(first)["status"] == "COMPLETED"
    shown = worker.http.get(f"/batches/{batch['id']}").json()["data"]
    assert (shown["promotedRunId"], shown["runs"][0]["promotion"]["status"]) == (first, "COMPLETED")


def test_another_run_of_that_batch_is_not_promoted_any_more(worker, batch, promoted):
    worker.wait(batch["runs"][2])
    status, details = worker.refuse("POST", f"/batches/{batch['id']}/promote", runId=batch["runs"][2])
    assert (status, details["runId"]) == (409, batch["runs"][0])


def test_the_token_that_may_write_is_nowhere_but_in_the_vault(worker, forge, promotion, promoted):
    worker.wait_for_promotion(promoted["promotion"]["runId"])
    offered = b64encode(f"x-access-token:{forge.token}".encode()).decode()
    traces = traces_of(worker.stack)
    kinds = {place.split()[0] for place in traces}
    assert kinds == {"table", "history", "log", "object"}
    assert any(promotion["branch"] in text for text in traces.values())
    assert [place for place, text in traces.items() if forge.token in text or offered in text] == []


def test_every_call_is_one_that_the_functions_policy_allows(worker, promotion):
    assert sorted({use for call in set(worker.stack.calls) for use in refused(call)}) == []
    assert worker.stack.lost_events == []
