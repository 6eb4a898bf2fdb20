"""What was admitted once under an idempotency key is answered so again, whatever refuses the request by now."""

from dataclasses import replace

import pytest
from builders import SMALL, a_caller, a_key, a_plan, later, terms_of

from outpost.domain.admission import Usage
from outpost.domain.api_key import KeyStatus
from outpost.domain.deployment import Breaker
from outpost.domain.errors import (
    AgentUnavailable,
    CallerUnknown,
    IdempotencyConflict,
    KillSwitchOn,
    PlanEnded,
    PolicyDenied,
    QueueFull,
    QuotaExceeded,
    TenantSuspended,
)
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.run import RunStatus
from outpost.domain.tenant import TenantStatus
from outpost.ports import IdempotencyLock
from outpost.use_cases.dispatch_run import Dispatch, dispatch_run

PORTS = (
    *("runs", "accounts", "secrets", "workspaces", "api_keys", "full_tenants", "files", "executions", "signing_key"),
    *("clock", "identifiers"),
)
SWITCH = KillSwitch("too much", later(), "operator")
DISPATCH = Dispatch(
    agent="shell",
    model_id="none",
    task="echo hello",
    timeout_seconds=600,
    body_sha256="1" * 64,
    api_url="https://api.example.com/dev",
    git_base_url="https://git.example.com",
    size=SMALL,
    repo="acme/site",
    idempotency_key="k",
)


def dispatch(world, caller=None, **changes):
    """Dispatch with the plan as it is now."""
    return dispatch_run(
        caller or a_caller(), replace(DISPATCH, **changes), terms_of(world.tenant()), **world.ports(*PORTS)
    )


def end_plan(world):
    world.change_tenant(plan=a_plan(ends_at=later(seconds=-1)))


def deny_repository(world):
    world.change_tenant(plan=a_plan(denied_repositories=("acme/*",)))


def use_up_quota(world):
    world.change_tenant(plan=a_plan(dispatches=1))
    world.runs.used["acme", "2030-01", None] = Usage(dispatches=1)


def allow_none(world):
    world.change_tenant(plan=a_plan(dispatches=0))


def fill_queue(world):
    world.change_tenant(plan=a_plan(queued_runs=0), active_runs=10)


def stop_tenant(world):
    world.change_tenant(kill_switch=SWITCH)


def stop_deployment(world):
    world.change_deployment(kill_switch=SWITCH)


def open_breaker(world):
    world.change_deployment(breakers={"shell": Breaker(5, later())})


LASTING = [
    (end_plan, PlanEnded),
    (deny_repository, PolicyDenied),
    (use_up_quota, QuotaExceeded),
    (allow_none, QuotaExceeded),
    (fill_queue, QueueFull),
    (stop_tenant, KillSwitchOn),
    (stop_deployment, KillSwitchOn),
]
REFUSALS = [*LASTING, (open_breaker, AgentUnavailable)]


@pytest.fixture(params=REFUSALS, ids=lambda param: param[0].__name__)
def refusal(request, world):
    """What refuses a new dispatch from now on, once there is one of before: the first run, and the refusal."""
    first = dispatch(world).run
    make, kind = request.param
    make(world)
    return first, kind


def test_a_refused_dispatch_is_answered_with_the_run_of_its_key(world, refusal):
    first, _ = refusal
    again = dispatch(world)
    assert (again.run, again.is_replay) == (first, True)
    assert world.event_types() == ["run.accepted"]


def test_a_replay_is_the_run_as_it_is_now(world, refusal):
    world.add(replace(world.run(), status=RunStatus.COMPLETED))
    assert dispatch(world).run.status is RunStatus.COMPLETED


def test_a_refused_dispatch_with_another_body_is_a_conflict(world, refusal):
    with pytest.raises(IdempotencyConflict):
        dispatch(world, body_sha256="2" * 64)


@pytest.mark.parametrize("key", [None, "another"])
def test_a_refused_dispatch_of_no_such_key_is_refused(world, refusal, key):
    _, kind = refusal
    with pytest.raises(kind):
        dispatch(world, idempotency_key=key)
    assert world.event_types() == ["run.accepted"]


@pytest.mark.parametrize(("make", "kind"), LASTING)
def test_a_refused_dispatch_is_refused_when_its_key_is_free_again(world, make, kind):
    dispatch(world)
    make(world)
    world.clock.move(hours=24)
    with pytest.raises(kind):
        dispatch(world)


def test_a_suspended_tenant_is_answered_no_replay(world, refusal):
    world.change_tenant(status=TenantStatus.SUSPENDED)
    with pytest.raises(TenantSuspended):
        dispatch(world)


@pytest.mark.parametrize("make", [stop_tenant, stop_deployment, open_breaker, fill_queue, use_up_quota])
@pytest.mark.parametrize("end", [{"status": KeyStatus.REVOKED}, {"expires_at": later()}])
def test_a_key_that_has_ended_is_answered_no_replay(world, make, end):
    dispatch(world)
    make(world)
    world.put_key(a_key(**end))
    with pytest.raises(CallerUnknown):
        dispatch(world)


@pytest.mark.parametrize("make", [end_plan, deny_repository, allow_none])
@pytest.mark.parametrize("end", [{"status": KeyStatus.REVOKED}, {"expires_at": later()}])
def test_a_key_that_has_ended_is_answered_no_replay_of_what_its_plan_refuses(world, make, end):
    dispatch(world)
    make(world)
    world.put_key(a_key(**end))
    with pytest.raises(CallerUnknown):
        dispatch(world)


def test_an_agent_that_was_taken_away_is_answered_with_what_was_admitted(world):
    first = dispatch(world).run
    assert dispatch(world, agent="claude").run == first


def test_a_lock_of_another_tenant_is_nobodys_replay(world):
    world.runs.locks["other", "k"] = IdempotencyLock("k", DISPATCH.body_sha256, "its run", later(hours=24))
    end_plan(world)
    with pytest.raises(PlanEnded):
        dispatch(world)
