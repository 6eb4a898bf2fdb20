from dataclasses import dataclass
from datetime import timedelta

import pytest
from builders import a_caller, a_key, later
from fakes import SteppedClock

from outpost.domain.api_key import KeyStatus, Restrictions, Scope, hash_secret
from outpost.domain.errors import PolicyDenied, ScopeMissing, TenantSuspended
from outpost.domain.tenant import TenantStatus
from outpost.use_cases.create_key import KeyWish, create_key, recover_key

PORTS = ("keyring", "clock", "identifiers")
STATUS = frozenset({Scope.STATUS})
RESTRICTIONS = Restrictions(agents=("shell",), repositories=("acme/*",), monthly_budget_microusd=1)


@dataclass
class PassingClock(SteppedClock):
    """A clock on which a millisecond passes with each look."""

    def now(self):
        self.move(milliseconds=1)
        return super().now()


def create(world, caller=None, **wish):
    return create_key(caller or a_caller(), KeyWish(**{"name": "ci", "scopes": STATUS, **wish}), **world.ports(*PORTS))


def test_a_key_is_kept_by_its_hash_and_its_secret_nowhere(world):
    made = create(world)
    assert world.runs.keys[hash_secret(made.secret)] == made.key
    assert made.secret not in repr(world.runs)


def test_a_key_is_what_was_asked_for(world):
    key = create(world, lifetime=timedelta(days=30), restrictions=RESTRICTIONS).key
    assert (key.tenant_id, key.name, key.scopes, key.status) == ("acme", "ci", STATUS, KeyStatus.ACTIVE)
    assert (key.created_at, key.created_by, key.expires_at) == (later(), a_key().key_id, later(days=30))
    assert (key.restrictions, key.budget_key_id) == (RESTRICTIONS, key.key_id)


def test_a_key_without_a_lifetime_has_no_end(world):
    assert create(world).key.expires_at is None


def test_the_event_names_the_key_and_who_made_it(world):
    made = create(world)
    (event,) = world.runs.events
    assert event.type == "key.created"
    assert event.details == {"keyId": made.key.key_id, "name": "ci", "by": a_key().key_id, "scopes": "status"}


def test_nobody_gives_a_scope_that_they_have_not(world):
    caller = a_caller(scopes=frozenset({Scope.STATUS, Scope.KEYS}))
    with pytest.raises(ScopeMissing) as missing:
        create(world, caller, scopes=frozenset({Scope.STATUS, Scope.DISPATCH}))
    assert missing.value.scope == "dispatch"
    assert len(world.runs.keys) == 1


@pytest.mark.parametrize("scopes", [frozenset(Scope), frozenset({Scope.KEYS})])
def test_a_token_makes_no_key_whatever_its_scopes(world, scopes):
    with pytest.raises(PolicyDenied, match="a token makes no keys"):
        create(world, a_caller(scopes=scopes, token_expires_at=later(minutes=1)), scopes=frozenset({Scope.KEYS}))
    assert len(world.runs.keys) == 1


def test_a_key_that_has_been_replaced_makes_no_key_in_its_grace(world):
    replaced = a_key(replaced_by="its successor", expires_at=later(hours=1))
    with pytest.raises(PolicyDenied, match="a key that has been replaced makes no keys"):
        create(world, a_caller(key=replaced), lifetime=timedelta(minutes=1))
    assert len(world.runs.keys) == 1


@pytest.mark.parametrize(
    ("lifetime", "ends_at"),
    [
        (None, later(hours=1)),
        (timedelta(minutes=20), later(minutes=50)),
        (timedelta(minutes=30), later(hours=1)),
    ],
)
def test_the_key_of_a_key_that_ends_ends_with_it_or_before(world, lifetime, ends_at):
    world.clock.move(minutes=30)
    made = create(world, a_caller(key=a_key(expires_at=later(hours=1))), lifetime=lifetime)
    assert made.key.expires_at == ends_at


def test_a_key_that_is_to_outlive_its_maker_is_refused_by_its_field(world):
    world.clock.move(minutes=30)
    with pytest.raises(PolicyDenied, match="makes no key that outlives it") as denied:
        create(world, a_caller(key=a_key(expires_at=later(hours=1))), lifetime=timedelta(minutes=30, seconds=1))
    assert denied.value.field == "expiresInSeconds"
    assert (len(world.runs.keys), world.event_types()) == (1, [])


def test_a_key_does_not_outlive_its_maker_though_time_goes_on_while_it_is_made(world):
    world.clock = PassingClock()
    made = create(world, a_caller(key=a_key(expires_at=later(hours=1))))
    assert made.key.expires_at <= later(hours=1)


@pytest.mark.parametrize(
    "restrictions",
    [Restrictions(agents=("shell",)), Restrictions(repositories=()), Restrictions(monthly_budget_microusd=1)],
)
def test_a_restricted_key_makes_no_other(world, restrictions):
    with pytest.raises(PolicyDenied, match="a restricted key makes no other keys"):
        create(world, a_caller(key=a_key(restrictions=restrictions)))
    assert len(world.runs.keys) == 1


def test_a_suspended_tenant_gets_no_key(world):
    world.change_tenant(status=TenantStatus.SUSPENDED)
    with pytest.raises(TenantSuspended):
        create(world)


def test_an_operator_gives_a_tenant_that_lost_its_keys_one_with_every_scope(world):
    made = recover_key("acme", "recovered", **world.ports(*PORTS))
    assert (made.key.scopes, made.key.created_by) == (frozenset(Scope), "operator")
    assert world.runs.keys[made.key.key_hash] == made.key
