"""A run takes its workspace with its record, has it through every attempt, and leaves it at its end."""

from dataclasses import replace

import pytest
from builders import (
    CLAIM,
    SMALL,
    TASK_ARN,
    WORKSPACE,
    a_caller,
    a_plan,
    a_report,
    a_run,
    a_running_run,
    a_snapshot,
    a_stopped_task,
    a_use,
    a_workspace,
    evidence_of,
    later,
    terms_of,
)

from outpost.domain.errors import InputInvalid, QuotaExceeded, WorkspaceInUse, WorkspaceNotFound
from outpost.domain.outcome import StopCode
from outpost.domain.promotion import PromotionWish
from outpost.domain.report import Artifact, ReportedOutcome
from outpost.domain.run import RunStatus
from outpost.domain.workspace import WorkspaceUse
from outpost.use_cases.cancel_run import cancel_run
from outpost.use_cases.claim_run import RunnerIdentity
from outpost.use_cases.delete_workspace import delete_workspace, forget_previous
from outpost.use_cases.dispatch_run import Dispatch, dispatch_run
from outpost.use_cases.finish_run import expire_queued, finish_run
from outpost.use_cases.grant_uploads import grant_uploads

PORTS = (
    *("runs", "accounts", "secrets", "workspaces", "api_keys", "full_tenants", "files", "executions", "signing_key"),
    *("clock", "identifiers"),
)
CHANGE = ("runs", "clock", "identifiers")
A_DISPATCH = Dispatch(
    agent="shell",
    model_id="none",
    task="echo hello",
    timeout_seconds=600,
    body_sha256="1" * 64,
    api_url="https://api.example.com/dev",
    git_base_url="https://git.example.com",
    size=SMALL,
)
RUNNER = RunnerIdentity("acme", a_run().run_id, 1, CLAIM)
PACKED = Artifact(1, "workspace.tar.zst", "workspace", 8_192, "d" * 64, "application/zstd")


def dispatch(world, **changes):
    terms = changes.pop("terms", None) or terms_of(world.tenant())
    return dispatch_run(a_caller(), replace(A_DISPATCH, **changes), terms, **world.ports(*PORTS))


def put(world, workspace):
    world.runs.workspaces[workspace.tenant_id, workspace.workspace_id] = workspace
    return workspace


def workspace_of(world, workspace_id=WORKSPACE):
    return world.workspaces.get("acme", workspace_id)


def wrong_fields(refused):
    return [wrong.path for wrong in refused.value.errors]


def at_work(world, **changes):
    """A run in the hands of its runner, in the workspace."""
    put(world, a_workspace(leased_by=a_run().run_id, snapshot=a_snapshot(run_id="earlier")))
    run = a_running_run(workspace=a_use(), **changes)
    world.add(run)
    return run


def finish(world, **task):
    return finish_run("acme", a_run().run_id, evidence_of(a_stopped_task(**task)), **world.ports(*CHANGE))


def test_a_persistent_run_makes_a_workspace_and_has_it(world):
    run = dispatch(world, is_persistent=True, repo="acme/site", branch="main").run
    made = workspace_of(world, run.workspace.workspace_id)
    assert (made.repo, made.branch, made.leased_by) == ("acme/site", "main", run.run_id)
    assert made.snapshot is None


def test_the_plan_says_for_how_long_a_tree_is_kept_and_how_large_it_may_be(world):
    world.change_tenant(plan=a_plan(workspace_days=7, workspace_mb=3))
    run = dispatch(world, is_persistent=True).run
    assert (run.workspace.keep_days, run.workspace.most_bytes) == (7, 3 * 1024 * 1024)
    assert workspace_of(world, run.workspace.workspace_id).expires_at == later(days=7)


def test_a_run_without_a_workspace_takes_none(world):
    assert dispatch(world).run.workspace is None
    assert world.runs.workspaces == {}


def test_a_run_in_a_workspace_has_its_repository_and_branch(world):
    put(world, a_workspace())
    run = dispatch(world, workspace_id=WORKSPACE).run
    assert (run.repo, run.branch) == ("acme/site", "main")
    assert workspace_of(world).leased_by == run.run_id


def test_a_workspace_that_is_used_lives_longer_and_its_owner_is_told_anew(world):
    put(world, a_workspace(expires_at=later(days=1), noticed_at=later()))
    dispatch(world, workspace_id=WORKSPACE)
    assert (workspace_of(world).expires_at, workspace_of(world).noticed_at) == (later(days=30), None)


def test_the_same_repository_may_be_named_beside_its_workspace(world):
    put(world, a_workspace())
    assert dispatch(world, workspace_id=WORKSPACE, repo="acme/site", branch="main").run.workspace == a_use(
        most_bytes=2_048 * 1024 * 1024
    )


def test_another_repository_and_branch_than_the_workspaces_are_both_refused(world):
    put(world, a_workspace())
    with pytest.raises(InputInvalid) as refused:
        dispatch(world, workspace_id=WORKSPACE, repo="acme/other", branch="other")
    assert wrong_fields(refused) == ["repo", "branch"]


def test_a_workspace_that_nobody_has_is_a_wrong_field(world):
    with pytest.raises(InputInvalid) as refused:
        dispatch(world, workspace_id=WORKSPACE)
    assert wrong_fields(refused) == ["workspaceId"]
    assert world.runs.records == {}


def test_a_workspace_of_another_tenant_is_a_wrong_field(world):
    put(world, a_workspace(tenant_id="other"))
    with pytest.raises(InputInvalid):
        dispatch(world, workspace_id=WORKSPACE)


def test_a_promotion_needs_a_repository_in_a_workspace_too(world):
    put(world, a_workspace(repo=None, branch=None))
    with pytest.raises(InputInvalid) as refused:
        dispatch(world, workspace_id=WORKSPACE, promote=PromotionWish())
    assert wrong_fields(refused) == ["promote"]


def test_a_workspace_that_another_run_has_is_refused_by_that_runs_name(world):
    put(world, a_workspace(leased_by="another run"))
    with pytest.raises(WorkspaceInUse) as refused:
        dispatch(world, workspace_id=WORKSPACE)
    assert refused.value.run_id == "another run"
    assert world.tenant().active_runs == 0


def test_a_run_that_would_have_to_wait_is_refused_its_workspace_all_the_same(world):
    world.change_tenant(plan=a_plan(concurrent_runs=1), active_runs=1)
    put(world, a_workspace(leased_by="another run"))
    with pytest.raises(WorkspaceInUse):
        dispatch(world, workspace_id=WORKSPACE)


def test_a_workspace_that_is_deleted_between_reading_and_record_is_not_found(world):
    world.change_tenant(plan=a_plan(concurrent_runs=1), active_runs=1)
    put(world, a_workspace())
    world.runs.after_refusals.append(world.runs.workspaces.clear)
    with pytest.raises(WorkspaceNotFound):
        dispatch(world, workspace_id=WORKSPACE)


def test_one_workspace_more_than_the_plan_allows_is_refused(world):
    world.change_tenant(plan=a_plan(workspaces=1))
    dispatch(world, is_persistent=True)
    with pytest.raises(QuotaExceeded) as refused:
        dispatch(world, is_persistent=True)
    limit = refused.value.limit
    assert (limit.dimension, limit.limit, limit.used) == ("workspaces", 1, 1)


@pytest.mark.parametrize("workspaces", [0, 1])
def test_at_the_limit_the_workspaces_that_there_are_can_be_used(world, workspaces):
    world.change_tenant(plan=a_plan(workspaces=workspaces))
    put(world, a_workspace())
    assert dispatch(world, workspace_id=WORKSPACE).run.workspace.workspace_id == WORKSPACE


def test_the_limit_of_the_plan_as_it_is_now_counts(world):
    known = terms_of(world.tenant())
    world.change_tenant(plan=a_plan(workspaces=0), plan_revision=2)
    with pytest.raises(QuotaExceeded):
        dispatch(world, is_persistent=True, terms=known)


def test_the_same_request_again_is_answered_while_its_run_has_the_workspace(world):
    put(world, a_workspace())
    first = dispatch(world, workspace_id=WORKSPACE, idempotency_key="k")
    again = dispatch(world, workspace_id=WORKSPACE, idempotency_key="k")
    assert (again.run, again.is_replay) == (first.run, True)


def test_the_same_request_again_is_answered_once_its_workspace_is_gone(world):
    put(world, a_workspace())
    first = dispatch(world, workspace_id=WORKSPACE, idempotency_key="k")
    world.runs.workspaces.clear()
    again = dispatch(world, workspace_id=WORKSPACE, idempotency_key="k")
    assert (again.run.run_id, again.is_replay) == (first.run.run_id, True)


def test_a_run_that_is_cancelled_while_it_waits_leaves_its_workspace(world):
    put(world, a_workspace(leased_by=a_run().run_id))
    world.add(a_run(status=RunStatus.QUEUED, workspace=a_use()))
    cancel_run("acme", a_run().run_id, None, **world.ports("runs", "executions", "clock", "identifiers"))
    assert workspace_of(world).leased_by is None
    assert workspace_of(world).last_run_id == a_run().run_id


def test_a_run_that_waited_too_long_leaves_its_workspace(world):
    put(world, a_workspace(leased_by=a_run().run_id))
    world.add(a_run(status=RunStatus.QUEUED, workspace=a_use()))
    world.clock.move(hours=1)
    run = expire_queued("acme", a_run().run_id, **world.ports(*CHANGE))
    assert run.status is RunStatus.TIMEOUT
    assert workspace_of(world).leased_by is None


def test_the_tree_of_the_report_is_kept_when_the_run_ends_and_not_before(world):
    earlier = a_snapshot(run_id="earlier")
    at_work(world, report=a_report(snapshot=a_snapshot()))
    assert workspace_of(world).snapshot == earlier
    assert finish(world).status is RunStatus.COMPLETED
    assert (workspace_of(world).snapshot, workspace_of(world).previous) == (a_snapshot(), earlier)


def test_a_failed_run_keeps_its_tree_as_well(world):
    at_work(world, report=a_report(outcome=ReportedOutcome.FAILED, exit_code=1, snapshot=a_snapshot()))
    assert finish(world, exit_code=1).status is RunStatus.FAILED
    assert workspace_of(world).snapshot == a_snapshot()


def test_a_run_that_kept_no_tree_leaves_the_one_that_there_was(world):
    at_work(world, report=a_report())
    finish(world)
    assert workspace_of(world).snapshot == a_snapshot(run_id="earlier")
    assert workspace_of(world).leased_by is None


def test_a_workspace_stays_with_its_run_from_attempt_to_attempt(world):
    at_work(world)
    assert finish(world, stop_code=StopCode.SPOT_INTERRUPTION, exit_code=None).attempt == 2
    assert workspace_of(world).leased_by == a_run().run_id


def test_the_tree_of_a_lost_attempt_is_not_kept(world):
    lost = a_report(outcome=ReportedOutcome.CANCELLED, snapshot=a_snapshot())
    at_work(world, report=lost)
    finish(world, stop_code=StopCode.SPOT_INTERRUPTION, exit_code=None)
    second = world.run().claimed(attempt=2, claim_id=CLAIM, task_arn=TASK_ARN, at=later(minutes=2))
    world.runs.save(world.run(), second, None)
    finish(world, attempt=2, exit_code=1)
    assert workspace_of(world).leased_by is None
    assert workspace_of(world).snapshot == a_snapshot(run_id="earlier")


def test_the_tree_before_the_present_one_is_forgotten(world):
    earlier = a_snapshot(run_id="earlier")
    put(world, a_workspace(snapshot=a_snapshot(), previous=earlier))
    forget_previous("acme", WORKSPACE, **world.ports("workspaces", "files"))
    assert world.files.deleted == [earlier]


@pytest.mark.parametrize("workspace", [a_workspace(), a_workspace(snapshot=a_snapshot(), previous=a_snapshot())])
def test_the_present_tree_is_never_forgotten(world, workspace):
    put(world, workspace)
    forget_previous("acme", WORKSPACE, **world.ports("workspaces", "files"))
    assert world.files.deleted == []


def test_nothing_is_forgotten_of_a_workspace_that_is_gone(world):
    forget_previous("acme", WORKSPACE, **world.ports("workspaces", "files"))
    assert world.files.deleted == []


def test_a_runner_may_store_a_tree_as_large_as_the_plan_allows(world):
    at_work(world)
    urls = grant_uploads(RUNNER, [PACKED], **world.ports("runs", "files", "clock"))
    assert [url.url for url in urls] == [f"https://bucket.example.com/{WORKSPACE}/{a_run().run_id}"]


def test_a_larger_tree_is_refused(world):
    at_work(world)
    with pytest.raises(InputInvalid):
        grant_uploads(RUNNER, [replace(PACKED, size_bytes=8_193)], **world.ports("runs", "files", "clock"))


def test_a_run_without_a_workspace_stores_no_tree(world):
    world.add(a_running_run())
    with pytest.raises(InputInvalid):
        grant_uploads(RUNNER, [PACKED], **world.ports("runs", "files", "clock"))


def delete(world):
    return delete_workspace(a_caller(), WORKSPACE, **world.ports("workspaces", "files", "clock", "identifiers"))


def test_a_deleted_workspace_is_gone_with_all_its_trees(world):
    workspace = put(world, a_workspace(snapshot=a_snapshot(), previous=a_snapshot(run_id="earlier")))
    assert delete(world) == workspace
    assert workspace_of(world) is None
    assert {each.run_id for each in world.files.deleted} == {a_run().run_id, "earlier"}
    assert world.runs.events[-1].details == {"workspaceId": WORKSPACE, "keyId": a_caller().key_id}


def test_a_workspace_that_a_run_has_is_not_deleted(world):
    put(world, a_workspace(leased_by="a run", snapshot=a_snapshot()))
    with pytest.raises(WorkspaceInUse):
        delete(world)
    assert (workspace_of(world).leased_by, world.files.deleted) == ("a run", [])


def test_a_workspace_is_deleted_once(world):
    put(world, a_workspace())
    delete(world)
    with pytest.raises(WorkspaceNotFound):
        delete(world)


def test_a_workspace_of_a_new_run_is_named_by_an_id_of_its_own(world):
    run = dispatch(world, is_persistent=True).run
    assert run.workspace == WorkspaceUse(run.workspace.workspace_id, True, 30, 2_048 * 1024 * 1024)
    assert run.workspace.workspace_id != run.run_id
