"""Keeping and deleting secrets: value first, then the record, whatever happens between."""

from dataclasses import dataclass, field, replace

import pytest
from builders import a_caller, a_secret, later
from fake_secrets import InMemoryTenantSecrets, InMemoryVault
from fakes import CountedIdentifiers, SteppedClock

from outpost.domain.errors import InputInvalid, SecretNotFound, SecretsFull, Unavailable
from outpost.domain.secret import MOST_SECRETS
from outpost.use_cases.delete_secret import delete_secret
from outpost.use_cases.put_secret import ATTEMPTS, put_secret

NAME = "DEPLOY_KEY"
ME = a_caller().key_id


@dataclass
class Cupboard:
    """The ports of a test, and the deeds on them."""

    secrets: InMemoryTenantSecrets = field(default_factory=InMemoryTenantSecrets)
    vault: InMemoryVault = field(default_factory=InMemoryVault)
    clock: SteppedClock = field(default_factory=SteppedClock)
    identifiers: CountedIdentifiers = field(default_factory=CountedIdentifiers)

    def put(self, value="the first value", name=NAME):
        return put_secret(a_caller(), name, value, **vars(self))

    def delete(self, name=NAME):
        return delete_secret(a_caller(), name, **vars(self))

    @property
    def value(self):
        return self.vault.values.get(("acme", NAME))

    @property
    def recorded(self):
        return self.secrets.get("acme", NAME)

    @property
    def events(self):
        return [event.type for event in self.secrets.events]

    def fill(self):
        """As many other secrets as there may be."""
        others = [a_secret(name=f"NAME_{number}") for number in range(MOST_SECRETS)]
        self.secrets.records |= {("acme", secret.name): secret for secret in others}

    def before_writes(self, *deeds):
        """What others do, one deed before each write of a record."""
        self.secrets.before_writes.extend(deeds)

    def change_record(self):
        """Another hand's record of a new value."""
        before = self.recorded
        self.secrets.records["acme", NAME] = replace(before, revision=before.revision + 1, updated_by="another key")


@pytest.fixture
def cupboard():
    return Cupboard()


def test_a_new_secret_is_kept_and_recorded(cupboard):
    assert cupboard.put() == (a_secret(), True)
    assert (cupboard.value, cupboard.recorded) == ("the first value", a_secret())


def test_a_replaced_secret_says_since_when_and_by_whom(cupboard):
    cupboard.put()
    cupboard.clock.move(hours=1)
    assert cupboard.put("the second value") == (a_secret(updated_at=later(hours=1), revision=2), False)
    assert cupboard.value == "the second value"


def test_each_deed_leaves_one_event_that_names_the_secret_alone(cupboard):
    cupboard.put()
    cupboard.put("the second value")
    cupboard.delete()
    assert cupboard.events == ["secret.created", "secret.replaced", "secret.deleted"]
    assert [event.details for event in cupboard.secrets.events] == [{"name": NAME, "kind": "environment", "by": ME}] * 3


def test_what_does_not_fit_reaches_nothing(cupboard):
    with pytest.raises(InputInvalid):
        cupboard.put("short")
    assert (cupboard.value, cupboard.recorded) == (None, None)


def test_without_the_vault_nothing_is_recorded(cupboard):
    cupboard.vault.is_down = True
    with pytest.raises(Unavailable):
        cupboard.put()
    assert cupboard.recorded is None


def crash():
    raise Unavailable("the function ended here")


def test_a_put_that_ended_between_its_writes_is_repaired_by_repeating_it(cupboard):
    cupboard.before_writes(crash)
    with pytest.raises(Unavailable):
        cupboard.put()
    assert (cupboard.value, cupboard.recorded) == ("the first value", None)
    assert cupboard.put() == (a_secret(), True)


def test_a_value_that_was_never_recorded_can_be_deleted(cupboard):
    cupboard.before_writes(crash)
    with pytest.raises(Unavailable):
        cupboard.put()
    with pytest.raises(SecretNotFound):
        cupboard.delete()
    assert cupboard.value is None


def test_a_delete_that_ended_between_its_writes_is_repaired_by_repeating_it(cupboard):
    cupboard.put()
    cupboard.before_writes(crash)
    with pytest.raises(Unavailable):
        cupboard.delete()
    assert (cupboard.value, cupboard.recorded) == (None, a_secret())
    assert cupboard.delete() == a_secret()
    assert cupboard.recorded is None


def test_a_delete_that_ended_between_its_writes_is_repaired_by_a_put(cupboard):
    cupboard.put()
    cupboard.before_writes(crash)
    with pytest.raises(Unavailable):
        cupboard.delete()
    assert cupboard.put("the second value")[1] is False
    assert cupboard.value == "the second value"


def test_there_is_an_end_to_secrets(cupboard):
    cupboard.fill()
    with pytest.raises(SecretsFull) as found:
        cupboard.put()
    assert found.value.limit.used == MOST_SECRETS
    assert cupboard.value is None


def test_the_last_place_that_another_took_meanwhile_leaves_no_value_behind(cupboard):
    cupboard.before_writes(cupboard.fill)
    with pytest.raises(SecretsFull):
        cupboard.put()
    assert cupboard.value is None


def test_at_the_end_of_secrets_values_can_be_replaced(cupboard):
    cupboard.put()
    cupboard.fill()
    assert cupboard.put("the second value")[1] is False


def test_a_put_that_another_overtook_puts_its_value_again(cupboard):
    cupboard.before_writes(lambda: cupboard.put("a faster value"))
    secret, is_new = cupboard.put("the slower value")
    assert (cupboard.value, secret.revision, is_new) == ("the slower value", 2, False)


def test_a_put_that_a_delete_overtook_puts_its_value_again(cupboard):
    cupboard.put()
    cupboard.before_writes(cupboard.delete)
    secret, is_new = cupboard.put("the second value")
    assert (cupboard.value, secret, is_new) == ("the second value", a_secret(), True)


def test_a_delete_that_a_put_overtook_deletes_the_new_value_too(cupboard):
    cupboard.put()
    cupboard.before_writes(lambda: cupboard.put("the second value"))
    cupboard.delete()
    assert (cupboard.value, cupboard.recorded) == (None, None)


@pytest.mark.parametrize("deed", ["put", "delete"])
def test_nobody_is_overtaken_for_ever(cupboard, deed):
    cupboard.put()
    cupboard.before_writes(*[cupboard.change_record] * ATTEMPTS)
    with pytest.raises(Unavailable):
        getattr(cupboard, deed)()
    assert cupboard.recorded.revision == 1 + ATTEMPTS


@pytest.mark.parametrize("name", [NAME, "PATH", "../another", "github"])
def test_what_is_not_there_is_not_found(cupboard, name):
    with pytest.raises(SecretNotFound):
        cupboard.delete(name)
    assert cupboard.events == []


def test_a_name_that_no_secret_has_never_reaches_the_vault(cupboard):
    cupboard.vault.is_down = True
    with pytest.raises(SecretNotFound):
        cupboard.delete("../another")


def test_another_tenants_secret_of_the_same_name_is_left_alone(cupboard):
    cupboard.vault.put("other", NAME, "another's value")
    cupboard.secrets.records["other", NAME] = a_secret(tenant_id="other")
    cupboard.put()
    cupboard.delete()
    assert cupboard.vault.values == {("other", NAME): "another's value"}
    assert cupboard.secrets.records == {("other", NAME): a_secret(tenant_id="other")}
