from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from builders import a_caller, a_key, later
from fake_runs import InMemoryKeyring

from outpost.domain.api_key import KeyStatus, Restrictions, Scope, hash_secret
from outpost.domain.errors import KeyAlreadyReplaced, KeyNotFound
from outpost.use_cases.rotate_key import revoke_key, rotate_key

PORTS = ("keyring", "clock", "identifiers")
HOUR = timedelta(hours=1)
BUDGET = Restrictions(monthly_budget_microusd=5_000_000)


@dataclass
class BusyKeyring(InMemoryKeyring):
    """A keyring in which another request changes the key in the same moment."""

    def rotate(self, before, after, successor, event):
        self.runs.keys[before.key_hash] = replace(before, replaced_by="another")
        return super().rotate(before, after, successor, event)


def rotate(world, grace=HOUR, *, caller=None, key_id=None):
    return rotate_key(caller or a_caller(), key_id or a_key().key_id, grace, **world.ports(*PORTS))


def revoke(world, *, caller=None, key_id=None):
    return revoke_key(caller or a_caller(), key_id or a_key().key_id, **world.ports(*PORTS))


def stored(world, key):
    return world.runs.keys[key.key_hash]


def test_the_successor_is_the_old_key_with_another_secret(world):
    old = world.put_key(
        a_key(
            name="ci",
            scopes=frozenset({Scope.STATUS, Scope.KEYS}),
            restrictions=BUDGET,
            expires_at=later(days=30),
            budget_key_id="the first of its line",
        )
    )
    made, _ = rotate(world)
    kept = ("tenant_id", "name", "scopes", "restrictions", "expires_at", "budget_key_id")
    assert [getattr(made.key, name) for name in kept] == [getattr(old, name) for name in kept]
    assert made.key.key_hash == hash_secret(made.secret) != old.key_hash
    assert made.key.key_id != old.key_id
    assert stored(world, made.key) == made.key


def test_the_old_key_lives_on_for_its_grace_and_names_its_successor(world):
    made, old = rotate(world)
    assert (old.expires_at, old.replaced_by, old.status) == (later(hours=1), made.key.key_id, KeyStatus.ACTIVE)
    assert stored(world, old) == old
    assert world.event_types() == ["key.rotated"]


def test_without_grace_the_old_key_ends_at_once(world):
    _, old = rotate(world, timedelta(0))
    assert old.refusal(later()) == "expired"


@pytest.mark.parametrize(
    ("ends_at", "until"), [(later(minutes=30), later(minutes=30)), (later(hours=2), later(hours=1))]
)
def test_the_grace_never_lengthens_the_old_keys_life(world, ends_at, until):
    world.put_key(a_key(expires_at=ends_at))
    assert rotate(world)[1].expires_at == until


def test_a_key_is_replaced_once(world):
    rotate(world)
    with pytest.raises(KeyAlreadyReplaced) as replaced:
        rotate(world)
    assert replaced.value.reason == "replaced"
    assert len(world.runs.keys) == 2


def test_the_successor_can_be_replaced_in_its_turn(world):
    first, _ = rotate(world)
    second, _ = rotate(world, key_id=first.key.key_id)
    assert second.key.budget_key_id == a_key().budget_key_id


@pytest.mark.parametrize(
    ("end", "reason"), [({"status": KeyStatus.REVOKED}, "revoked"), ({"expires_at": later()}, "expired")]
)
def test_a_key_that_has_ended_has_no_successor(world, end, reason):
    world.put_key(a_key(**end))
    with pytest.raises(KeyAlreadyReplaced) as ended:
        rotate(world)
    assert ended.value.reason == reason


def test_of_two_rotations_in_the_same_moment_one_is_refused(world):
    keyring = BusyKeyring(world.runs)
    with pytest.raises(KeyAlreadyReplaced):
        rotate_key(a_caller(), a_key().key_id, HOUR, keyring=keyring, **world.ports("clock", "identifiers"))
    assert len(world.runs.keys) == 1


@pytest.mark.parametrize("act", [rotate, revoke])
def test_a_key_of_another_tenant_is_as_one_that_does_not_exist(world, act):
    world.put_key(a_key(key_id="foreign", key_hash="foreign", tenant_id="other"))
    with pytest.raises(KeyNotFound):
        act(world, key_id="foreign")
    with pytest.raises(KeyNotFound):
        act(world, key_id="nothing")


def test_a_revoked_key_is_refused_from_then_on(world):
    revoked = revoke(world)
    assert stored(world, revoked).refusal(later()) == "revoked"
    assert world.event_types() == ["key.revoked"]


def test_a_revoke_again_changes_nothing(world):
    assert revoke(world) == revoke(world)
    assert world.event_types() == ["key.revoked"]


def test_a_replaced_key_can_be_revoked_before_its_grace_is_over(world):
    _, old = rotate(world)
    assert revoke(world).status is KeyStatus.REVOKED
    assert stored(world, old).refusal(later()) == "revoked"
    assert world.event_types() == ["key.rotated", "key.revoked"]
