"""What only Secrets Manager has: names, tags, deletions that take their time; and what is remembered of it."""

import json
import logging

import pytest
from botocore.exceptions import ClientError
from deployment import make_settings
from fakes import SteppedClock

from outpost.adapters.secrets_vault import TRIES, SecretsManagerVault
from outpost.domain.credentials import ProviderKey
from outpost.domain.errors import Unavailable

SECRET_ID = "outpost/dev/tenants/acme/DEPLOY_KEY"
CANARY = "canary-4f1d5c-of-the-operator"


@pytest.fixture
def clock():
    return SteppedClock()


@pytest.fixture
def vault(deployment, clock):
    return SecretsManagerVault(deployment.secrets, deployment.settings, clock)


@pytest.fixture
def put_platform(deployment):
    """Puts a secret as an operator does."""

    def put(secret_id, text):
        deployment.secrets.create_secret(Name=secret_id, SecretString=text)

    return put


class RefusingClient:
    """A client that refuses calls: as often as is said, for the reason that is said, then it does them."""

    def __init__(self, client, code, **times):
        self.client, self.code, self.times = client, code, times

    def __getattr__(self, name):
        def call(**request):
            if self.times.get(name, 0) > 0:
                self.times[name] -= 1
                raise ClientError({"Error": {"Code": self.code, "Message": f"of {request}"}}, name)
            return getattr(self.client, name)(**request)

        return call


def refusing_vault(deployment, clock, code, **times):
    """A vault whose client refuses."""
    return SecretsManagerVault(RefusingClient(deployment.secrets, code, **times), make_settings(), clock)


def test_a_value_lies_under_its_environment_and_tenant_and_says_so(vault, deployment):
    vault.put("acme", "DEPLOY_KEY", "the value")
    found = deployment.secrets.describe_secret(SecretId=SECRET_ID)
    tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    assert tags == {"outpost:environment": "dev", "outpost:tenant": "acme"}
    assert "KmsKeyId" not in found


def test_a_value_is_the_plain_text(vault, deployment):
    vault.put("acme", "DEPLOY_KEY", "the value")
    assert deployment.secrets.get_secret_value(SecretId=SECRET_ID)["SecretString"] == "the value"


def test_a_deleted_value_cannot_be_restored(vault, deployment):
    vault.put("acme", "DEPLOY_KEY", "the value")
    vault.delete("acme", "DEPLOY_KEY")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        deployment.secrets.restore_secret(SecretId=SECRET_ID)


def test_a_value_is_put_once_an_earlier_deletion_is_done(deployment, clock):
    vault = refusing_vault(deployment, clock, "InvalidRequestException", create_secret=3, put_secret_value=3)
    vault.put("acme", "DEPLOY_KEY", "the value")
    assert vault.tenant_value("acme", "DEPLOY_KEY") == "the value"
    assert (clock.at - SteppedClock().at).total_seconds() == 3


def test_a_deletion_that_is_never_done_is_waited_for_ten_seconds(deployment, clock):
    vault = refusing_vault(deployment, clock, "InvalidRequestException", create_secret=99, put_secret_value=99)
    with pytest.raises(Unavailable):
        vault.put("acme", "DEPLOY_KEY", "the value")
    assert (clock.at - SteppedClock().at).total_seconds() == TRIES


def test_what_is_being_deleted_has_no_value(vault, deployment):
    deployment.secrets.create_secret(Name=SECRET_ID, SecretString="old value")
    deployment.secrets.delete_secret(SecretId=SECRET_ID, RecoveryWindowInDays=7)
    assert vault.tenant_value("acme", "DEPLOY_KEY") is None


def test_a_deletion_that_is_under_way_already_is_no_error(deployment, clock):
    vault = refusing_vault(deployment, clock, "InvalidRequestException", delete_secret=1)
    vault.delete("acme", "DEPLOY_KEY")
    assert vault.tenant_value("acme", "DEPLOY_KEY") is None


def test_what_is_no_text_has_no_value(vault, deployment):
    deployment.secrets.create_secret(Name=SECRET_ID, SecretBinary=b"bytes of something")
    assert vault.tenant_value("acme", "DEPLOY_KEY") is None


@pytest.mark.parametrize("operation", ["create_secret", "delete_secret", "get_secret_value"])
def test_a_call_that_fails_is_unavailable_and_does_not_say_with_what(deployment, clock, operation):
    vault = refusing_vault(deployment, clock, "InternalServiceError", **{operation: 99})
    deeds = {
        "create_secret": lambda: vault.put("acme", "DEPLOY_KEY", CANARY),
        "delete_secret": lambda: vault.delete("acme", "DEPLOY_KEY"),
        "get_secret_value": lambda: vault.tenant_value("acme", "DEPLOY_KEY"),
    }
    with pytest.raises(Unavailable) as found:
        deeds[operation]()
    assert CANARY not in str(found.value)


def test_the_operators_key_of_a_provider_is_read(vault, put_platform):
    put_platform("outpost/agents/openai", json.dumps({"apiKey": "a key", "baseUrl": "https://models.example.com"}))
    assert vault.platform_provider("openai") == ProviderKey("a key", "https://models.example.com", is_own=False)


def test_an_operators_key_needs_no_address(vault, put_platform):
    put_platform("outpost/agents/openai", json.dumps({"apiKey": "a key", "note": "what is not asked for"}))
    assert vault.platform_provider("openai") == ProviderKey("a key")


def test_the_operators_git_token_is_read(vault, put_platform):
    put_platform("outpost/github", json.dumps({"token": "a token"}))
    assert vault.platform_git() == "a token"


@pytest.mark.parametrize(
    "text",
    [
        CANARY,
        f'"{CANARY}"',
        f'["{CANARY}"]',
        f'{{"apiKey": "{CANARY}"',
        json.dumps({"key": CANARY}),
        json.dumps({"apiKey": "", "note": CANARY}),
        json.dumps({"apiKey": [CANARY]}),
        json.dumps({"apiKey": CANARY, "baseUrl": 7}),
    ],
)
def test_a_malformed_secret_counts_as_none_and_the_log_names_it_without_its_text(vault, put_platform, caplog, text):
    put_platform("outpost/agents/openai", text)
    with caplog.at_level(logging.DEBUG, logger="outpost"):
        found = vault.platform_provider("openai")
    assert found is None
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "outpost/agents/openai" in caplog.text
    assert CANARY not in caplog.text


def test_bytes_in_the_place_of_json_count_as_none(vault, deployment, caplog):
    deployment.secrets.create_secret(Name="outpost/github", SecretBinary=b"bytes")
    assert vault.platform_git() is None
    assert "outpost/github" in caplog.text


def test_the_operators_secrets_are_remembered_for_a_minute(vault, put_platform, calls, clock):
    put_platform("outpost/agents/openai", json.dumps({"apiKey": "a key"}))
    put_platform("outpost/github", json.dumps({"token": "a token"}))
    calls.clear()
    found = [(vault.platform_provider("openai"), vault.platform_git()) for _ in range(3)]
    assert len(set(found)) == 1
    clock.move(seconds=59.999)
    vault.platform_provider("openai")
    assert calls == ["GetSecretValue"] * 2


def test_a_rotated_key_is_found_a_minute_later(vault, put_platform, deployment, clock):
    put_platform("outpost/agents/openai", json.dumps({"apiKey": "a key"}))
    vault.platform_provider("openai")
    deployment.secrets.put_secret_value(SecretId="outpost/agents/openai", SecretString='{"apiKey": "another key"}')
    clock.move(seconds=60)
    assert vault.platform_provider("openai") == ProviderKey("another key")


def test_a_key_that_comes_later_is_found_a_minute_later(vault, put_platform, clock):
    assert vault.platform_provider("openai") is None
    put_platform("outpost/agents/openai", json.dumps({"apiKey": "a key"}))
    clock.move(seconds=60)
    assert vault.platform_provider("openai") == ProviderKey("a key")


def test_a_failure_is_not_remembered(deployment, clock, put_platform):
    put_platform("outpost/github", json.dumps({"token": "a token"}))
    vault = refusing_vault(deployment, clock, "InternalServiceError", get_secret_value=1)
    with pytest.raises(Unavailable):
        vault.platform_git()
    assert vault.platform_git() == "a token"


def test_a_tenants_value_is_never_remembered(vault):
    vault.put("acme", "DEPLOY_KEY", "the first value")
    first = vault.tenant_value("acme", "DEPLOY_KEY")
    vault.put("acme", "DEPLOY_KEY", "the second value")
    assert (first, vault.tenant_value("acme", "DEPLOY_KEY")) == ("the first value", "the second value")


def test_what_the_vault_remembers_does_not_show(vault, put_platform):
    put_platform("outpost/agents/openai", json.dumps({"apiKey": CANARY, "baseUrl": f"https://{CANARY}.example.com"}))
    found = vault.platform_provider("openai")
    assert CANARY not in repr((found, vars(vault)))
