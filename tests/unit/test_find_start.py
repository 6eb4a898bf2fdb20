"""What a run begins with: a tree only for who has the workspace, an earlier patch, and word of it."""

import pytest
from builders import WORKSPACE, a_report, a_run, a_running_run, a_snapshot, a_use, a_workspace

from outpost.api.runner import claimed_view
from outpost.domain.credentials import Credentials
from outpost.domain.origin import LeftPatch, Origin, OriginKind
from outpost.domain.report import Artifact
from outpost.domain.run import RESULTS_KEPT
from outpost.use_cases.claim_run import Claimed
from outpost.use_cases.find_start import Start, find_start

EARLIER = "01Q3ENHRG0EARLIEREARLIEREA"
PATCH = LeftPatch(EARLIER, Artifact(1, "changes.patch", "patch", 10, "0" * 64, "text/x-diff"))
TREE = a_snapshot(run_id=EARLIER)
FOLLOW_UP = Origin(EARLIER, OriginKind.FOLLOW_UP, "e" * 40, PATCH, EARLIER)


@pytest.fixture
def start(world):
    def begin(**changes):
        return find_start(a_running_run(**changes), **world.ports("runs", "workspaces", "files", "clock"))

    return begin


@pytest.fixture
def put(world):
    def put_there(**changes):
        world.add(a_run(run_id=EARLIER))
        world.runs.workspaces["acme", WORKSPACE] = a_workspace(**({"snapshot": TREE} | changes))

    return put_there


def told(start, **changes):
    """What the runner is told of its run."""
    run = a_running_run(**changes)
    return claimed_view(Claimed(run, "echo", Credentials(), "a token", start(**changes)), "https://git.example.com")


def test_a_run_that_goes_back_to_nothing_begins_with_nothing(start):
    assert start() == Start()


def test_who_has_the_workspace_is_given_its_tree(start, put):
    put(leased_by=a_run().run_id)
    found = start(workspace=a_use())
    assert found.snapshot == TREE
    assert found.snapshot_url.url == f"https://bucket.example.com/{WORKSPACE}/{EARLIER}"


def test_a_tree_that_the_bucket_keeps_no_longer_is_not_asked_for(world, start, put):
    put(leased_by=a_run().run_id)
    world.clock.move(seconds=RESULTS_KEPT.total_seconds())
    assert start(workspace=a_use()) == Start()


def test_a_tree_of_a_run_that_is_gone_is_not_asked_for(world, start, put):
    put(leased_by=a_run().run_id)
    world.runs.records.clear()
    assert start(workspace=a_use()) == Start()


@pytest.mark.parametrize("leased_by", [None, "another run"])
def test_who_has_it_not_is_given_nothing(start, put, leased_by):
    put(leased_by=leased_by)
    assert start(workspace=a_use()) == Start()


def test_a_workspace_of_which_nothing_was_kept_has_no_tree(start, put):
    put(leased_by=a_run().run_id, snapshot=None)
    assert told(start, workspace=a_use())["run"]["workspace"] == {"snapshot": None}


def test_a_new_workspace_has_no_tree(start):
    assert start(workspace=a_use(is_new=True)) == Start()


def test_a_workspace_that_is_gone_has_no_tree(start):
    assert start(workspace=a_use()) == Start()


def test_a_patch_is_fetched_from_the_run_that_left_it(start):
    assert told(start, origin=FOLLOW_UP)["run"]["patch"] == {
        "url": "https://bucket.example.com/changes.patch",
        "sha256": "0" * 64,
        "sizeBytes": 10,
    }


def test_the_agent_is_told_what_the_earlier_one_said(world, start):
    world.add(a_run(run_id=EARLIER, result=a_report().result))
    assert told(start, origin=FOLLOW_UP)["run"]["background"] == "done"


def test_an_earlier_run_that_said_nothing_is_not_spoken_of(world, start):
    world.add(a_run(run_id=EARLIER))
    assert start(origin=FOLLOW_UP).background is None


def test_an_earlier_run_of_another_tenant_is_not_spoken_of(world, start):
    world.add(a_run(run_id=EARLIER, tenant_id="other", result=a_report().result))
    assert start(origin=FOLLOW_UP).background is None


def test_a_runner_is_told_the_commit_to_begin_with(start):
    assert told(start, repo="acme/site", origin=FOLLOW_UP)["run"]["repo"]["commit"] == "e" * 40


def test_a_runner_is_told_how_large_a_tree_may_be(start):
    assert told(start, workspace=a_use())["limits"]["workspaceBytes"] == 8_192


def test_without_a_workspace_no_tree_may_be_kept(start):
    view = told(start)
    assert (view["limits"]["workspaceBytes"], view["run"]["workspace"]) == (0, None)


def test_a_runner_is_told_the_check(start):
    assert told(start, check="make test")["run"]["check"] == "make test"


def test_urls_are_not_shown_where_a_start_is_printed(start, put):
    put(leased_by=a_run().run_id)
    assert "bucket.example.com" not in repr(start(workspace=a_use(), origin=FOLLOW_UP))
