"""A tenant's own secrets: the records of them, and the vault with the values."""

from dataclasses import dataclass
from typing import Protocol

from outpost.domain.credentials import ProviderKey
from outpost.domain.event import Event
from outpost.domain.secret import Secret


@dataclass(frozen=True)
class SecretPage:
    """A page of secrets by name; `last_name` is where the next page goes on, None at the end."""

    secrets: tuple[Secret, ...]
    last_name: str | None


class TenantSecrets(Protocol):
    """The records of tenants' secrets, which hold no value."""

    def get(self, tenant_id: str, name: str) -> Secret | None:
        """A secret of the tenant as it is now."""
        ...

    def page(self, tenant_id: str, *, after_name: str | None, limit: int) -> SecretPage:
        """Secrets of the tenant after `after_name` (or the first), by name, as they are now."""
        ...

    def record(self, before: Secret | None, after: Secret, event: Event) -> bool:
        """Record a new secret, or a new value of one; False, and nothing written, if it is not `before` any more.

        Raises SecretsFull.
        """
        ...

    def remove(self, before: Secret, event: Event) -> bool:
        """Record a secret's end; False, and nothing written, if it is not `before` any more."""
        ...


class GitHubApp(Protocol):
    """The operator's GitHub App, where there is one."""

    def token_for(self, repo: str) -> str | None:
        """A token of an hour that may push to this repository alone; None without an app that is installed there.

        Raises Unavailable.
        """
        ...


class Vault(Protocol):
    """The values. What is not there, or was deleted, is None."""

    def put(self, tenant_id: str, name: str, value: str) -> None:
        """Keep a value of the tenant's, in the place of an earlier one. Raises Unavailable."""
        ...

    def delete(self, tenant_id: str, name: str) -> None:
        """Keep it no longer; what is not there is no error. Raises Unavailable."""
        ...

    def tenant_value(self, tenant_id: str, name: str) -> str | None:
        """A value of the tenant's as it is now. Raises Unavailable."""
        ...

    def platform_provider(self, provider: str) -> ProviderKey | None:
        """The operator's key of a provider, at most a minute old. Raises Unavailable."""
        ...

    def platform_git(self) -> str | None:
        """The operator's git token, at most a minute old. Raises Unavailable."""
        ...
