"""Where several things are in the way of a run, the strongest reason is the one that is said."""

import pytest
from builders import SECRET, a_key, a_plan, later

from outpost.domain.admission import Usage
from outpost.domain.api_key import KeyStatus, hash_secret
from outpost.domain.deployment import Breaker
from outpost.domain.errors import (
    AgentUnavailable,
    CallerUnknown,
    KillSwitchOn,
    QueueFull,
    QuotaExceeded,
    TenantSuspended,
)
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.tenant import TenantStatus
from outpost.ports import IdempotencyLock, RunExistsAlready

SWITCH = KillSwitch("too much", later(), "operator")
LOCK = IdempotencyLock("k", "1" * 64, "another run", later(hours=24))


@pytest.fixture
def world(world):
    """A world in which everything is in the way."""
    world.put_key(a_key(status=KeyStatus.REVOKED))
    world.runs.locks["acme", "k"] = LOCK
    world.change_tenant(
        status=TenantStatus.SUSPENDED,
        kill_switch=SWITCH,
        plan=a_plan(dispatches=1, queued_runs=0),
        active_runs=10,
    )
    world.change_deployment(kill_switch=SWITCH, breakers={"shell": Breaker(5, later())})
    world.runs.used["acme", "2030-01", None] = Usage(dispatches=1)
    return world


@pytest.fixture
def valid_key(world):
    world.put_key(a_key())


@pytest.fixture
def active(world, valid_key):
    world.change_tenant(status=TenantStatus.ACTIVE)


@pytest.fixture
def unlocked(world, active):
    world.runs.locks.clear()


@pytest.fixture
def deployment_on(world, unlocked):
    world.change_deployment(kill_switch=None)


@pytest.fixture
def tenant_on(world, deployment_on):
    world.change_tenant(kill_switch=None)


@pytest.fixture
def launching(world, tenant_on):
    world.change_deployment(breakers={})


@pytest.fixture
def with_room(world, tenant_on):
    world.change_tenant(active_runs=0)


@pytest.fixture
def with_quota(world, with_room):
    world.runs.used.clear()


def test_an_invalid_key_comes_before_all_and_is_forgotten(world):
    with pytest.raises(CallerUnknown):
        world.admit(lock=LOCK)
    assert world.api_keys.forgotten == [hash_secret(SECRET)]


@pytest.mark.parametrize("end", [{"status": KeyStatus.REVOKED}, {"expires_at": later()}])
def test_a_key_that_ended_meanwhile_is_an_invalid_one(world, active, end):
    world.put_key(a_key(**end))
    with pytest.raises(CallerUnknown):
        world.admit(lock=LOCK)


def test_a_suspension_comes_before_the_replay(world, valid_key):
    with pytest.raises(TenantSuspended):
        world.admit(lock=LOCK)


def test_a_replay_comes_before_switches_and_limits(world, active):
    with pytest.raises(RunExistsAlready):
        world.admit(lock=LOCK)


def test_a_replay_comes_before_a_quota_that_is_used_up(world, with_room):
    world.change_deployment(breakers={})
    world.runs.locks["acme", "k"] = LOCK
    with pytest.raises(RunExistsAlready):
        world.admit(lock=LOCK)


def test_a_stopped_deployment_comes_before_a_stopped_tenant_and_keeps_its_reason_to_itself(world, unlocked):
    with pytest.raises(KillSwitchOn) as stopped:
        world.admit(lock=LOCK)
    assert stopped.value.reason is None


def test_a_stopped_tenant_is_told_its_own_reason(world, deployment_on):
    with pytest.raises(KillSwitchOn) as stopped:
        world.admit(lock=LOCK)
    assert stopped.value.reason == "too much"


def test_an_open_breaker_is_said_before_a_full_queue(world, tenant_on):
    with pytest.raises(AgentUnavailable):
        world.admit(lock=LOCK)


def test_a_full_queue_is_said_before_a_quota(world, launching):
    with pytest.raises(QueueFull):
        world.admit(lock=LOCK)


def test_a_quota_is_said_before_the_breaker(world, with_room):
    with pytest.raises(QuotaExceeded) as exceeded:
        world.admit(lock=LOCK)
    assert exceeded.value.limit.dimension == "dispatches"


def test_the_breaker_is_said_where_no_limit_is_in_the_way(world, with_quota):
    with pytest.raises(AgentUnavailable):
        world.admit(lock=LOCK)


def test_what_is_refused_leaves_nothing_behind(world, with_quota):
    with pytest.raises(AgentUnavailable):
        world.admit(lock=LOCK)
    assert (world.runs.records, world.runs.used, world.runs.events) == ({}, {}, [])
    assert (world.runs.locks, world.tenant().active_runs) == ({}, 0)
