"""Where a run begins that goes back to another one: with what that one began with, or with what it left."""

from dataclasses import replace

import pytest
from builders import WORKSPACE, a_report, a_run, a_snapshot, a_use, a_workspace, later

from outpost.domain.errors import RunNotEnded, RunNotFound, WorkNotKept
from outpost.domain.origin import LeftPatch, Origin, OriginKind
from outpost.domain.report import Artifact, Result
from outpost.domain.run import RunStatus
from outpost.use_cases.repeat_run import follow_up_of, rerun_of, task_of

BASE, EARLIER_BASE = "a" * 40, "e" * 40
PARENT = a_run().run_id
GRANDPARENT = "01Q3ENHRG0GRANDPARENTGRAND"
PATCH = Artifact(1, "changes.patch", "patch", 10, "0" * 64, "text/x-diff")
LOG = Artifact(1, "output.log", "log", 10, "0" * 64, "text/plain")
EARLIER_PATCH = LeftPatch(GRANDPARENT, PATCH)
RESULT = a_report().result
FOLLOWED_UP = Origin(GRANDPARENT, OriginKind.FOLLOW_UP, EARLIER_BASE, EARLIER_PATCH, GRANDPARENT)


@pytest.fixture
def leave(world):
    """Puts a run there that has ended, with its files; without a report it left neither."""

    def put(*files, result=RESULT, **changes):
        report = a_report(result=result) if result is not None else None
        ended = {"status": RunStatus.COMPLETED, "repo": "acme/site", "result": result, "report": report}
        run = a_run(**(ended | changes))
        world.runs.records["acme", run.run_id] = run
        world.runs.files["acme", run.run_id, run.attempt] = files
        return run

    return put


@pytest.fixture
def rerun(world):
    def begin(*, is_elsewhere=False):
        return rerun_of("acme", PARENT, is_elsewhere=is_elsewhere, **world.ports("runs", "clock"))

    return begin


@pytest.fixture
def follow_up(world):
    return lambda: follow_up_of("acme", PARENT, **world.ports("runs", "workspaces", "clock"))


@pytest.fixture
def left_workspace(world):
    """Puts the workspace there as the parent left it, but for the changes."""

    def put(**changes):
        as_left = {"snapshot": a_snapshot(run_id=PARENT), "last_run_id": PARENT}
        world.runs.workspaces["acme", WORKSPACE] = a_workspace(**(as_left | changes))

    return put


def test_a_rerun_begins_with_the_commit_that_the_run_began_with(leave, rerun):
    parent = leave(PATCH)
    assert rerun().origin == Origin(PARENT, OriginKind.RERUN, BASE)
    assert rerun().parent == parent


@pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.FAILED])
def test_a_run_without_a_result_is_rerun_from_its_branch(leave, rerun, status):
    leave(result=None, status=status)
    assert rerun().origin == Origin(PARENT, OriginKind.RERUN)


def test_a_run_without_a_repository_is_rerun_without_a_commit(leave, rerun):
    leave(repo=None)
    assert rerun().origin.commit is None


def test_a_rerun_elsewhere_begins_with_nothing_of_the_run(leave, rerun):
    leave(origin=FOLLOWED_UP)
    assert rerun(is_elsewhere=True).origin == Origin(PARENT, OriginKind.RERUN)


def test_a_rerun_of_a_follow_up_begins_with_what_was_followed_up(leave, rerun):
    leave(run_id=GRANDPARENT)
    leave(PATCH, origin=FOLLOWED_UP)
    assert rerun().origin == Origin(PARENT, OriginKind.RERUN, BASE, EARLIER_PATCH, GRANDPARENT)


@pytest.mark.parametrize("result", [None, Result(None, 0, 0, 0, None, None)])
def test_a_rerun_of_a_follow_up_that_told_no_commit_has_that_of_its_origin(leave, rerun, result):
    leave(run_id=GRANDPARENT)
    leave(origin=FOLLOWED_UP, result=result)
    assert rerun().origin == Origin(PARENT, OriginKind.RERUN, EARLIER_BASE, EARLIER_PATCH, GRANDPARENT)


def test_a_rerun_of_a_rerun_names_the_last_one(leave, rerun):
    leave(origin=Origin(GRANDPARENT, OriginKind.RERUN, EARLIER_BASE), result=None)
    assert rerun().origin == Origin(PARENT, OriginKind.RERUN, EARLIER_BASE)


def test_a_rerun_of_a_follow_up_is_refused_once_its_patch_has_expired(world, leave, rerun):
    leave(run_id=GRANDPARENT, created_at=later(days=-90))
    leave(origin=FOLLOWED_UP)
    with pytest.raises(WorkNotKept):
        rerun()


def test_elsewhere_an_expired_patch_does_not_matter(leave, rerun):
    leave(run_id=GRANDPARENT, created_at=later(days=-90))
    leave(origin=FOLLOWED_UP)
    assert rerun(is_elsewhere=True).origin.patch is None


def test_nobodys_run_is_not_rerun(rerun):
    with pytest.raises(RunNotFound):
        rerun()


def test_nobodys_run_is_not_followed_up(follow_up):
    with pytest.raises(RunNotFound):
        follow_up()


@pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.PENDING, RunStatus.RUNNING, RunStatus.CANCELLING])
def test_a_run_at_work_is_not_followed_up(leave, follow_up, status):
    leave(status=status)
    with pytest.raises(RunNotEnded) as refused:
        follow_up()
    assert refused.value.status == status


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.TIMEOUT, RunStatus.CANCELLED])
def test_a_follow_up_begins_with_the_commit_and_the_patch(leave, follow_up, status):
    leave(LOG, PATCH, status=status)
    found = follow_up()
    assert found.origin == Origin(PARENT, OriginKind.FOLLOW_UP, BASE, LeftPatch(PARENT, PATCH), PARENT)
    assert found.workspace_id is None


def test_a_follow_up_of_a_run_that_changed_nothing_has_no_patch(leave, follow_up):
    leave(LOG, result=Result("nothing to do", 0, 0, 0, BASE, BASE))
    assert follow_up().origin == Origin(PARENT, OriginKind.FOLLOW_UP, BASE, None, PARENT)


def test_a_follow_up_without_a_repository_has_the_patch_alone(leave, follow_up):
    leave(PATCH, repo=None)
    assert follow_up().origin == Origin(PARENT, OriginKind.FOLLOW_UP, None, LeftPatch(PARENT, PATCH), PARENT)


def test_work_whose_patch_was_left_out_is_not_followed_up(leave, follow_up):
    leave(LOG)
    with pytest.raises(WorkNotKept):
        follow_up()


def test_work_that_has_expired_is_not_followed_up(leave, follow_up, left_workspace):
    leave(PATCH, workspace=a_use(), created_at=later(days=-90))
    left_workspace()
    with pytest.raises(WorkNotKept):
        follow_up()


def test_a_run_that_came_to_nothing_is_followed_up_from_its_own_beginning(leave, follow_up):
    leave(run_id=GRANDPARENT)
    leave(origin=FOLLOWED_UP, result=None, status=RunStatus.FAILED)
    assert follow_up().origin == Origin(PARENT, OriginKind.FOLLOW_UP, EARLIER_BASE, EARLIER_PATCH, GRANDPARENT)


def test_what_it_began_with_has_to_be_kept(leave, follow_up):
    leave(run_id=GRANDPARENT, created_at=later(days=-90))
    leave(origin=FOLLOWED_UP, result=None, status=RunStatus.FAILED)
    with pytest.raises(WorkNotKept):
        follow_up()


def test_work_that_was_undone_is_not_done_again(leave, follow_up):
    leave(run_id=GRANDPARENT)
    leave(origin=FOLLOWED_UP, result=Result("undone", 0, 0, 0, BASE, BASE))
    assert follow_up().origin.patch is None


def test_a_follow_up_goes_on_in_the_workspace_and_could_do_without(leave, follow_up, left_workspace):
    leave(PATCH, workspace=a_use())
    left_workspace()
    found = follow_up()
    assert found.workspace_id == WORKSPACE
    assert found.origin == Origin(PARENT, OriginKind.FOLLOW_UP, BASE, LeftPatch(PARENT, PATCH), PARENT)


def test_a_workspace_stands_for_a_patch_that_was_left_out(leave, follow_up, left_workspace):
    leave(workspace=a_use())
    left_workspace()
    assert (follow_up().workspace_id, follow_up().origin.patch) == (WORKSPACE, None)


def test_a_run_that_kept_nothing_since_has_left_the_tree_as_it_was(leave, follow_up, left_workspace):
    leave(PATCH, workspace=a_use())
    left_workspace(last_run_id="another run")
    assert follow_up().workspace_id == WORKSPACE


@pytest.mark.parametrize(
    "changes",
    [
        {"leased_by": "another run"},
        {"snapshot": None},
        {"snapshot": a_snapshot(run_id="another run"), "last_run_id": "another run"},
        {"snapshot": a_snapshot(run_id="an earlier run")},
    ],
    ids=["taken", "never kept", "used since", "not kept by the run"],
)
def test_elsewise_the_patch_is_what_the_run_left(leave, follow_up, left_workspace, changes):
    leave(PATCH, workspace=a_use())
    left_workspace(**changes)
    found = follow_up()
    assert (found.workspace_id, found.origin.patch) == (None, LeftPatch(PARENT, PATCH))


def test_a_workspace_that_is_gone_is_done_without(leave, follow_up):
    leave(PATCH, workspace=a_use())
    assert follow_up().workspace_id is None


def test_a_run_that_came_to_nothing_left_its_workspace_as_it_found_it(leave, follow_up, left_workspace):
    leave(workspace=a_use(), result=None, status=RunStatus.FAILED)
    left_workspace(snapshot=a_snapshot(run_id="an earlier run"))
    assert follow_up().workspace_id == WORKSPACE


def test_a_follow_up_that_came_to_nothing_in_its_workspace_passes_on_what_it_had_begun_with(
    leave, follow_up, left_workspace
):
    leave(run_id=GRANDPARENT)
    leave(workspace=a_use(), origin=FOLLOWED_UP, result=None, status=RunStatus.CANCELLED)
    left_workspace(snapshot=a_snapshot(run_id=GRANDPARENT))
    found = follow_up()
    assert (found.workspace_id, found.origin.patch, found.origin.background_run_id) == (
        WORKSPACE,
        EARLIER_PATCH,
        GRANDPARENT,
    )


def test_a_workspace_stands_for_a_patch_that_has_expired(leave, follow_up, left_workspace):
    leave(run_id=GRANDPARENT, created_at=later(days=-90))
    leave(workspace=a_use(), origin=FOLLOWED_UP, result=None, status=RunStatus.CANCELLED)
    left_workspace(snapshot=a_snapshot(run_id=GRANDPARENT))
    assert (follow_up().workspace_id, follow_up().origin.patch) == (WORKSPACE, None)


def test_a_workspace_that_another_run_had_since_is_not_as_it_was_found(leave, follow_up, left_workspace):
    leave(workspace=a_use(), result=None, status=RunStatus.FAILED)
    left_workspace(snapshot=a_snapshot(run_id="another run"), last_run_id="another run")
    assert follow_up().workspace_id is None


def test_the_whole_text_of_a_task_is_read_from_the_bucket(world):
    world.files.put_task("acme", PARENT, "the whole text")
    assert task_of(a_run(task_in_bucket=True), **world.ports("files", "clock")) == "the whole text"


def test_a_task_of_which_only_the_beginning_is_kept_is_none_to_do_again(world):
    world.clock.move(days=90)
    with pytest.raises(WorkNotKept):
        task_of(a_run(task_in_bucket=True), **world.ports("files", "clock"))


def test_a_short_task_is_kept_with_its_run(world):
    world.clock.move(days=900)
    assert task_of(replace(a_run(), task="echo hello"), **world.ports("files", "clock")) == "echo hello"
