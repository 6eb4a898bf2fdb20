"""Who may change which key: none that may more or lives longer than who asks, and each itself."""

from datetime import timedelta

import pytest
from builders import a_caller, a_key, later

from outpost.domain.api_key import KeyStatus, Restrictions, Scope
from outpost.domain.errors import PolicyDenied, ScopeMissing
from outpost.use_cases.rotate_key import revoke_key, rotate_key

PORTS = ("keyring", "clock", "identifiers")
FIRST = a_key().key_id
BUDGET = Restrictions(monthly_budget_microusd=5_000_000)
KEYS = frozenset({Scope.KEYS})


def rotate(world, caller, key_id):
    """The successor."""
    return rotate_key(caller, key_id, timedelta(hours=1), **world.ports(*PORTS))[0].key


def revoke(world, caller, key_id):
    """The key, revoked."""
    return revoke_key(caller, key_id, **world.ports(*PORTS))


def put(world, name, **changes):
    """Another key of the tenant, and who holds it."""
    key = world.put_key(a_key(key_id=name, key_hash=name, **changes))
    return a_caller(key=key, scopes=key.scopes)


@pytest.mark.parametrize("act", [rotate, revoke])
def test_nobody_changes_a_key_with_a_scope_that_they_have_not(world, act):
    caller = put(world, "lesser", scopes=frozenset({Scope.KEYS, Scope.STATUS}))
    put(world, "greater", scopes=frozenset({Scope.KEYS, Scope.DISPATCH}))
    before = dict(world.runs.keys)
    with pytest.raises(ScopeMissing) as missing:
        act(world, caller, "greater")
    assert missing.value.scope == "dispatch"
    assert (world.runs.keys, world.event_types()) == (before, [])


@pytest.mark.parametrize("act", [rotate, revoke])
def test_a_key_with_the_same_scopes_or_fewer_is_changed(world, act):
    caller = put(world, "lesser", scopes=frozenset({Scope.KEYS, Scope.STATUS}))
    put(world, "least", scopes=KEYS)
    assert act(world, caller, "least").scopes == KEYS


@pytest.mark.parametrize("act", [rotate, revoke])
@pytest.mark.parametrize(
    "restrictions",
    [Restrictions(agents=("shell",)), Restrictions(repositories=("acme/*",)), BUDGET],
    ids=["agents", "repositories", "budget"],
)
def test_a_restricted_key_changes_no_other(world, act, restrictions):
    caller = put(world, "restricted", restrictions=restrictions)
    before = dict(world.runs.keys)
    with pytest.raises(PolicyDenied, match="a restricted key changes no other key than itself"):
        act(world, caller, FIRST)
    assert (world.runs.keys, world.event_types()) == (before, [])


@pytest.mark.parametrize("act", [rotate, revoke])
@pytest.mark.parametrize("ends_at", [None, later(hours=2), later(hours=1, milliseconds=1)])
def test_nobody_changes_a_key_that_outlives_them(world, act, ends_at):
    caller = put(world, "short", expires_at=later(hours=1))
    put(world, "long", expires_at=ends_at)
    before = dict(world.runs.keys)
    with pytest.raises(PolicyDenied, match="a key changes no key that outlives it"):
        act(world, caller, "long")
    assert (world.runs.keys, world.event_types()) == (before, [])


@pytest.mark.parametrize("act", [rotate, revoke])
@pytest.mark.parametrize("ends_at", [later(minutes=59), later(hours=1)])
def test_a_key_that_ends_with_the_caller_or_before_is_changed(world, act, ends_at):
    caller = put(world, "long", expires_at=later(hours=1))
    put(world, "short", expires_at=ends_at)
    assert act(world, caller, "short").expires_at == ends_at


@pytest.mark.parametrize("act", [rotate, revoke])
def test_each_key_changes_itself(world, act):
    caller = put(world, "itself", scopes=KEYS, restrictions=BUDGET, expires_at=later(hours=2))
    assert act(world, caller, "itself").restrictions == BUDGET


@pytest.mark.parametrize("key_id", [FIRST, "another"])
def test_a_token_rotates_no_key_not_even_its_own(world, key_id):
    put(world, "another", scopes=KEYS)
    before = dict(world.runs.keys)
    with pytest.raises(PolicyDenied, match="a token makes no keys"):
        rotate(world, a_caller(token_expires_at=later(minutes=15)), key_id)
    assert (world.runs.keys, world.event_types()) == (before, [])


def test_a_key_that_has_been_replaced_rotates_no_key(world):
    caller = put(world, "replaced", replaced_by="its successor", expires_at=later(hours=1))
    put(world, "another", scopes=KEYS, expires_at=later(minutes=1))
    with pytest.raises(PolicyDenied, match="a key that has been replaced makes no keys"):
        rotate(world, caller, "another")


def test_a_token_revokes_its_own_key_whatever_its_scopes(world):
    revoked = revoke(world, a_caller(scopes=KEYS, token_expires_at=later(minutes=15)), FIRST)
    assert (revoked.key_id, revoked.status) == (FIRST, KeyStatus.REVOKED)


def test_a_token_revokes_no_key_with_a_scope_that_was_left_out_of_it(world):
    put(world, "another", scopes=frozenset({Scope.STATUS}))
    with pytest.raises(ScopeMissing):
        revoke(world, a_caller(scopes=KEYS, token_expires_at=later(minutes=15)), "another")


def test_a_key_that_has_been_replaced_may_be_ended_by_itself(world):
    caller = put(world, "replaced", replaced_by="its successor", expires_at=later(hours=1))
    assert revoke(world, caller, "replaced").status is KeyStatus.REVOKED


def test_what_may_not_be_revoked_is_refused_though_it_is_revoked_already(world):
    caller = put(world, "restricted", restrictions=BUDGET)
    put(world, "ended", status=KeyStatus.REVOKED)
    with pytest.raises(PolicyDenied):
        revoke(world, caller, "ended")
