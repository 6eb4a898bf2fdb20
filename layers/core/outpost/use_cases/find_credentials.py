"""Finds what a run gets of keys, tokens and secrets: the tenant's own where it has one, else the operator's."""

from collections.abc import Sequence

from outpost.domain.credentials import Credentials, ProviderKey
from outpost.domain.secret import GIT, MOST_SECRETS, is_variable_name
from outpost.ports import TenantSecrets, Vault


def find_credentials(
    tenant_id: str,
    provider: str | None,
    git_wanted: bool,
    names: Sequence[str],
    own_only: bool,
    *,
    secrets: TenantSecrets,
    vault: Vault,
) -> Credentials:
    """The credentials. Raises Unavailable.

    `names` are the secrets to place in the environment. With `own_only` nothing of the operator's is given. A secret
    without a value is one that is being deleted: it counts as none.
    """
    if provider is None and not git_wanted and not names:
        return Credentials()
    page = secrets.page(tenant_id, after_name=None, limit=MOST_SECRETS)
    finder = _Finder(tenant_id, frozenset(secret.name for secret in page.secrets), own_only, vault)
    key = None if provider is None else finder.provider_key(provider)
    environment = finder.environment(names)
    wanted = (() if provider is None or key is not None else (provider,), names)
    return Credentials(
        provider=key,
        git_token=finder.git_token() if git_wanted else None,
        environment=environment,
        missing=tuple(name for group in wanted for name in group if name not in environment),
    )


class _Finder:
    """Where to look for the tenant; a secret that is not recorded costs no call."""

    def __init__(self, tenant_id: str, recorded: frozenset[str], own_only: bool, vault: Vault) -> None:
        self._tenant_id = tenant_id
        self._recorded = recorded
        self._own_only = own_only
        self._vault = vault

    def provider_key(self, provider: str) -> ProviderKey | None:
        own = self._own(provider)
        if own is not None:
            return ProviderKey(own, is_own=True)
        return None if self._own_only else self._vault.platform_provider(provider)

    def git_token(self) -> str | None:
        own = self._own(GIT)
        return own if own is not None or self._own_only else self._vault.platform_git()

    def environment(self, names: Sequence[str]) -> dict[str, str]:
        found = {name: self._own(name) for name in names if is_variable_name(name)}
        return {name: value for name, value in found.items() if value is not None}

    def _own(self, name: str) -> str | None:
        return self._vault.tenant_value(self._tenant_id, name) if name in self._recorded else None
