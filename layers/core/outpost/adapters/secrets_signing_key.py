"""The signing key from Secrets Manager, read once in the life of a process."""

from typing import TYPE_CHECKING

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class SecretsManagerSigningKey:
    """The secret that the template generates."""

    def __init__(self, client: "SecretsManagerClient", settings: Settings) -> None:
        self._client = client
        self._secret_id = settings.signing_key_secret
        self._value: bytes | None = None

    def value(self) -> bytes:
        if self._value is None:
            with unavailable_if_it_fails():
                self._value = self._client.get_secret_value(SecretId=self._secret_id)["SecretString"].encode()
        return self._value
