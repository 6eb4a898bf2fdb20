"""A runner that asks for work which may not be done any more gets none, and the run ends for that reason."""

from dataclasses import replace

import pytest
from builders import a_run, a_stopped_task, evidence_of, later

from outpost.domain.errors import ClaimRefused
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.outcome import Evidence, NeverLaunched, StopCode
from outpost.domain.run import RunStatus
from outpost.domain.run_error import RunErrorCode
from outpost.domain.tenant import TenantStatus
from outpost.ports import WorkForbidden
from outpost.use_cases.claim_run import RunnerIdentity
from outpost.use_cases.finish_run import finish_run

CHANGE = ("runs", "clock", "identifiers")
RUN_ID = a_run().run_id
SWITCH = KillSwitch("too much", later(), "operator")


def claim(world):
    return world.claim(RunnerIdentity("acme", RUN_ID, 1))


def finish(world, evidence):
    return finish_run("acme", RUN_ID, evidence, **world.ports(*CHANGE))


def stop_tenant(world):
    world.change_tenant(kill_switch=SWITCH)
    return RunErrorCode.KILL_SWITCH_ON


def stop_deployment(world):
    world.change_deployment(kill_switch=SWITCH)
    return RunErrorCode.KILL_SWITCH_ON


def suspend(world):
    world.change_tenant(status=TenantStatus.SUSPENDED)
    return RunErrorCode.TENANT_SUSPENDED


def suspend_and_stop(world):
    world.change_tenant(status=TenantStatus.SUSPENDED, kill_switch=SWITCH)
    return RunErrorCode.TENANT_SUSPENDED


@pytest.fixture(params=[stop_tenant, stop_deployment, suspend, suspend_and_stop])
def code(request, world):
    """Why the run may not be worked on."""
    world.add(a_run())
    return request.param(world)


def test_the_claim_is_refused_and_the_run_is_marked_with_the_reason(world, code):
    with pytest.raises(ClaimRefused) as refused:
        claim(world)
    assert isinstance(refused.value.__cause__, WorkForbidden)
    assert (world.run().status, world.run().stop_code, world.run().claim_id) == (RunStatus.PENDING, code, None)
    assert [(event.type, event.details["because"]) for event in world.runs.events] == [("run.stopping", code)]


def test_the_run_fails_with_the_reason_when_its_runner_has_gone(world, code):
    with pytest.raises(ClaimRefused):
        claim(world)
    run = finish(world, evidence_of(a_stopped_task(exit_code=20)))
    assert (run.status, run.error.code) == (RunStatus.FAILED, code)
    assert world.tenant().active_runs == 0


@pytest.mark.parametrize("lost", [StopCode.SPOT_INTERRUPTION, StopCode.TASK_FAILED_TO_START])
def test_the_run_is_not_launched_again(world, code, lost):
    with pytest.raises(ClaimRefused):
        claim(world)
    run = finish(world, evidence_of(a_stopped_task(stop_code=lost, exit_code=143)))
    assert (run.status, run.attempt, run.error.code) == (RunStatus.FAILED, 1, code)


def test_a_run_without_a_task_is_not_launched_again_either(world, code):
    with pytest.raises(ClaimRefused):
        claim(world)
    run = finish(world, Evidence(1, never_launched=NeverLaunched.LAUNCH_REFUSED))
    assert (run.status, run.error.code) == (RunStatus.FAILED, code)


def test_a_second_claim_is_refused_though_work_may_be_done_again(world, code):
    with pytest.raises(ClaimRefused):
        claim(world)
    world.change_tenant(status=TenantStatus.ACTIVE, kill_switch=None)
    world.change_deployment(kill_switch=None)
    with pytest.raises(ClaimRefused):
        claim(world)
    assert world.run().status is RunStatus.PENDING


def test_a_claim_that_was_answered_before_is_answered_again(world):
    world.add(a_run())
    first = claim(world)
    world.change_tenant(kill_switch=SWITCH)
    assert claim(world) == first


def test_a_runner_of_a_lost_attempt_marks_nothing(world):
    world.add(replace(a_run(), attempt=2))
    world.change_tenant(kill_switch=SWITCH)
    with pytest.raises(ClaimRefused):
        claim(world)
    assert world.run().stop_code is None
