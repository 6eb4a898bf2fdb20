"""What every `TenantSecrets` and `Vault` promises, of AWS and of the fakes alike."""

from dataclasses import replace

import pytest
from builders import a_secret, later

from outpost.domain.errors import SecretsFull
from outpost.domain.event import EventType
from outpost.domain.secret import MOST_SECRETS

NAMES = [f"NAME_{number:02}" for number in range(MOST_SECRETS)]
REPLACED = a_secret(updated_at=later(hours=1), updated_by="another key", revision=2)


def record(ports, secret=None, before=None):
    """Whether the secret was recorded."""
    secret = secret or a_secret()
    return ports.secrets.record(before, secret, ports.event(type=EventType.SECRET_CREATED, tenant_id=secret.tenant_id))


def remove(ports, secret=None):
    """Whether the secret's end was recorded."""
    return ports.secrets.remove(secret or a_secret(), ports.event(type=EventType.SECRET_DELETED))


def fill(ports):
    """As many secrets as there may be."""
    return [record(ports, a_secret(name=name)) for name in NAMES]


def test_a_secret_comes_back_as_it_was_recorded(ports):
    assert record(ports)
    assert ports.secrets.get("acme", "DEPLOY_KEY") == a_secret()


def test_a_secret_is_its_tenants_own(ports):
    record(ports)
    assert ports.secrets.get("other", "DEPLOY_KEY") is None
    assert ports.secrets.page("other", after_name=None, limit=10).secrets == ()


def test_a_secret_is_recorded_once(ports):
    record(ports)
    assert not record(ports, a_secret(updated_by="another key"))
    assert ports.secrets.get("acme", "DEPLOY_KEY") == a_secret()


def test_a_new_value_is_recorded_over_what_was_read(ports):
    record(ports)
    assert record(ports, REPLACED, before=a_secret())
    assert ports.secrets.get("acme", "DEPLOY_KEY") == REPLACED


def test_a_new_value_is_not_recorded_over_one_that_came_meanwhile(ports):
    record(ports)
    record(ports, REPLACED, before=a_secret())
    assert not record(ports, replace(REPLACED, updated_by="a third key"), before=a_secret())
    assert ports.secrets.get("acme", "DEPLOY_KEY") == REPLACED


def test_a_new_value_of_a_secret_that_was_removed_is_not_recorded(ports):
    record(ports)
    remove(ports)
    assert not record(ports, REPLACED, before=a_secret())
    assert ports.secrets.get("acme", "DEPLOY_KEY") is None


def test_a_removed_secret_is_gone(ports):
    record(ports)
    assert remove(ports)
    assert ports.secrets.get("acme", "DEPLOY_KEY") is None


def test_a_secret_is_removed_once(ports):
    record(ports)
    remove(ports)
    assert not remove(ports)


def test_a_secret_that_changed_meanwhile_is_not_removed(ports):
    record(ports)
    record(ports, REPLACED, before=a_secret())
    assert not remove(ports)
    assert ports.secrets.get("acme", "DEPLOY_KEY") == REPLACED


def test_a_removed_secret_can_be_recorded_again(ports):
    record(ports)
    remove(ports)
    assert record(ports)


def test_pages_of_secrets_are_by_name_disjoint_and_complete(ports):
    outcomes = [record(ports, a_secret(name=name)) for name in ("openai", "B_NAME", "A_NAME")]
    first = ports.secrets.page("acme", after_name=None, limit=2)
    second = ports.secrets.page("acme", after_name=first.last_name, limit=2)
    assert outcomes == [True, True, True]
    assert [secret.name for secret in first.secrets] == ["A_NAME", "B_NAME"]
    assert [secret.name for secret in second.secrets] == ["openai"]
    assert second.last_name is None


def test_a_page_of_secrets_that_ends_exactly_has_no_more(ports):
    record(ports)
    assert ports.secrets.page("acme", after_name=None, limit=1).last_name is None


def test_a_tenant_has_no_more_secrets_than_it_may(ports):
    recorded = fill(ports)
    with pytest.raises(SecretsFull) as found:
        record(ports)
    assert all(recorded)
    assert (found.value.limit.dimension, found.value.limit.limit) == ("secrets", MOST_SECRETS)
    assert ports.secrets.get("acme", "DEPLOY_KEY") is None


def test_the_secrets_of_others_take_no_place(ports):
    fill(ports)
    assert record(ports, a_secret(tenant_id="other"))


def test_a_full_tenant_still_replaces_values(ports):
    fill(ports)
    secret = a_secret(name=NAMES[0])
    assert record(ports, replace(secret, revision=2), before=secret)


def test_who_comes_late_with_a_name_that_is_taken_is_told_so_before_that_there_is_no_room(ports):
    fill(ports)
    assert not record(ports, a_secret(name=NAMES[0]))


def test_a_removed_secret_makes_room(ports):
    fill(ports)
    remove(ports, a_secret(name=NAMES[0]))
    assert record(ports)


def test_a_value_comes_back_as_it_was_put(ports):
    value = "-----BEGIN KEY-----\nümläut \N{ROCKET}\n"
    ports.vault.put("acme", "DEPLOY_KEY", value)
    assert ports.vault.tenant_value("acme", "DEPLOY_KEY") == value


def test_the_last_value_is_the_one(ports):
    ports.vault.put("acme", "DEPLOY_KEY", "the first value")
    ports.vault.put("acme", "DEPLOY_KEY", "the second value")
    assert ports.vault.tenant_value("acme", "DEPLOY_KEY") == "the second value"


def test_a_value_is_its_tenants_own(ports):
    ports.vault.put("acme", "DEPLOY_KEY", "the value")
    assert ports.vault.tenant_value("other", "DEPLOY_KEY") is None


def test_a_deleted_value_is_gone_and_can_be_put_again(ports):
    ports.vault.put("acme", "DEPLOY_KEY", "the first value")
    ports.vault.delete("acme", "DEPLOY_KEY")
    gone = ports.vault.tenant_value("acme", "DEPLOY_KEY")
    ports.vault.put("acme", "DEPLOY_KEY", "the second value")
    assert (gone, ports.vault.tenant_value("acme", "DEPLOY_KEY")) == (None, "the second value")


def test_deleting_what_is_not_there_is_no_error(ports):
    ports.vault.delete("acme", "DEPLOY_KEY")
    ports.vault.delete("acme", "DEPLOY_KEY")
    assert ports.vault.tenant_value("acme", "DEPLOY_KEY") is None


def test_a_platform_without_keys_has_none(ports):
    assert ports.vault.platform_provider("anthropic") is None
    assert ports.vault.platform_git() is None
