"""The values of secrets in Secrets Manager: tenants' own, and the operator's.

outpost/{env}/tenants/{tenant}/{name}   a tenant's own: the text itself
outpost/agents/{provider}               the operator's key of a provider: {"apiKey": "...", "baseUrl": "..." or nothing}
outpost/github                          the operator's git token: {"token": "..."}
outpost/github-app                      the operator's GitHub App: {"appId": "...", "privateKey": "..."}
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from outpost.adapters.aws import error_code, unavailable_if_it_fails
from outpost.domain.credentials import ProviderKey
from outpost.domain.errors import Unavailable
from outpost.ports import Clock
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import TagTypeDef

REMEMBERED_FOR = timedelta(seconds=60)
# A deletion without recovery is done within seconds; a request has 29 of them.
TRIES = 10
WAIT_SECONDS = 1.0
# InvalidRequestException is what Secrets Manager says of a secret whose deletion is under way.
_NOT_THERE = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
_NOT_NOW = _NOT_THERE | {"ResourceExistsException"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Known:
    fields: Mapping[str, str] = field(repr=False)
    until: datetime


class SecretsManagerVault:
    """The vault. The operator's secrets are remembered for a minute, also that they are not there; tenants' are not."""

    def __init__(self, client: "SecretsManagerClient", settings: Settings, clock: Clock) -> None:
        self._client = client
        self._environment = settings.environment
        self._clock = clock
        self._known: dict[str, _Known] = {}

    def put(self, tenant_id: str, name: str, value: str) -> None:
        # Creating comes first: what exists can be told by its own error, while a role that may touch only some names
        # could be told that it has no access to one that does not exist.
        secret_id = self._tenant_secret_id(tenant_id, name)
        tags: list[TagTypeDef] = [
            {"Key": "outpost:environment", "Value": self._environment},
            {"Key": "outpost:tenant", "Value": tenant_id},
        ]
        for _ in range(TRIES):
            if _done(lambda: self._client.create_secret(Name=secret_id, SecretString=value, Tags=tags)):
                return
            if _done(lambda: self._client.put_secret_value(SecretId=secret_id, SecretString=value)):
                return
            self._clock.sleep(WAIT_SECONDS)
        raise Unavailable("an earlier deletion of the secret is not done yet")

    def delete(self, tenant_id: str, name: str) -> None:
        secret_id = self._tenant_secret_id(tenant_id, name)
        _done(lambda: self._client.delete_secret(SecretId=secret_id, ForceDeleteWithoutRecovery=True))

    def tenant_value(self, tenant_id: str, name: str) -> str | None:
        return self._text(self._tenant_secret_id(tenant_id, name)) or None

    def platform_provider(self, provider: str) -> ProviderKey | None:
        fields = self._platform_fields(f"outpost/agents/{provider}", "apiKey", optional="baseUrl")
        return ProviderKey(fields["apiKey"], fields.get("baseUrl")) if fields else None

    def platform_git(self) -> str | None:
        return self._platform_fields("outpost/github", "token").get("token")

    def platform_github_app(self) -> tuple[str, str] | None:
        fields = self._platform_fields("outpost/github-app", "appId", "privateKey")
        return (fields["appId"], fields["privateKey"]) if fields else None

    def _tenant_secret_id(self, tenant_id: str, name: str) -> str:
        return f"outpost/{self._environment}/tenants/{tenant_id}/{name}"

    def _platform_fields(self, secret_id: str, *required: str, optional: str = "") -> Mapping[str, str]:
        """The fields of a secret of the operator's; none where it is not there, or cannot be read."""
        now, known = self._clock.now(), self._known.get(secret_id)
        if known is None or known.until <= now:
            text = self._text(secret_id)
            fields = {} if text is None else _fields(secret_id, text, required, optional)
            known = self._known[secret_id] = _Known(fields, now + REMEMBERED_FOR)
        return known.fields

    def _text(self, secret_id: str) -> str | None:
        """What the secret holds, nothing where that is no text; None where there is no secret."""
        with unavailable_if_it_fails():
            try:
                return self._client.get_secret_value(SecretId=secret_id).get("SecretString", "")
            except ClientError as error:
                if error_code(error) in _NOT_THERE:
                    return None
                raise


def _done(call: Callable[[], object]) -> bool:
    """Whether the call was done; False where the secret is not in a state for it. Raises Unavailable."""
    with unavailable_if_it_fails():
        try:
            call()
        except ClientError as error:
            if error_code(error) in _NOT_NOW:
                return False
            raise
    return True


def _fields(secret_id: str, text: str, required: Sequence[str], optional: str) -> Mapping[str, str]:
    """The fields that were asked for; none, and a log line without the text, where it is not as it has to be."""
    document = _read_object(text)
    fields = {name: document[name] for name in (*required, optional) if name in document}
    if not all(map(fields.get, required)) or not all(isinstance(value, str) for value in fields.values()):
        logger.error("the secret %s is not a JSON object with a text as its %s", secret_id, " and its ".join(required))
        return {}
    return fields


def _read_object(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
