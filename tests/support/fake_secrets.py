"""Secrets in memory: their records, and the vault."""

from collections.abc import Callable
from dataclasses import dataclass, field

from outpost.domain.credentials import ProviderKey
from outpost.domain.errors import Unavailable
from outpost.domain.event import Event
from outpost.domain.secret import MOST_SECRETS, Secret, secrets_full
from outpost.ports import SecretPage


@dataclass
class InMemoryTenantSecrets:
    """Records in a dictionary; what others do comes `before_writes`, one deed a write."""

    records: dict[tuple[str, str], Secret] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    before_writes: list[Callable[[], object]] = field(default_factory=list)
    queries: int = 0

    def get(self, tenant_id: str, name: str) -> Secret | None:
        return self.records.get((tenant_id, name))

    def page(self, tenant_id: str, *, after_name: str | None, limit: int) -> SecretPage:
        self.queries += 1
        mine = sorted(secret.name for secret in self._of(tenant_id) if after_name is None or secret.name > after_name)
        found = tuple(self.records[tenant_id, name] for name in mine[:limit])
        return SecretPage(found, found[-1].name if len(mine) > limit else None)

    def record(self, before: Secret | None, after: Secret, event: Event) -> bool:
        self._let_others_write()
        if self.get(after.tenant_id, after.name) != before:
            return False
        if before is None and len(self._of(after.tenant_id)) >= MOST_SECRETS:
            raise secrets_full(MOST_SECRETS)
        self.records[after.tenant_id, after.name] = after
        self.events.append(event)
        return True

    def remove(self, before: Secret, event: Event) -> bool:
        self._let_others_write()
        if self.get(before.tenant_id, before.name) != before:
            return False
        del self.records[before.tenant_id, before.name]
        self.events.append(event)
        return True

    def _of(self, tenant_id: str) -> list[Secret]:
        return [secret for secret in self.records.values() if secret.tenant_id == tenant_id]

    def _let_others_write(self) -> None:
        if self.before_writes:
            self.before_writes.pop(0)()


@dataclass
class InMemoryVault:
    """Values in a dictionary; `reads` names what was asked for, and where it `is_down` every call fails."""

    values: dict[tuple[str, str], str] = field(default_factory=dict)
    providers: dict[str, ProviderKey] = field(default_factory=dict)
    git_token: str | None = None
    reads: list[str] = field(default_factory=list)
    is_down: bool = False

    def put(self, tenant_id: str, name: str, value: str) -> None:
        self._fail_if_down()
        self.values[tenant_id, name] = value

    def delete(self, tenant_id: str, name: str) -> None:
        self._fail_if_down()
        self.values.pop((tenant_id, name), None)

    def tenant_value(self, tenant_id: str, name: str) -> str | None:
        self._fail_if_down()
        self.reads.append(f"{tenant_id}/{name}")
        return self.values.get((tenant_id, name))

    def platform_provider(self, provider: str) -> ProviderKey | None:
        self._fail_if_down()
        self.reads.append(f"agents/{provider}")
        return self.providers.get(provider)

    def platform_git(self) -> str | None:
        self._fail_if_down()
        self.reads.append("github")
        return self.git_token

    def _fail_if_down(self) -> None:
        if self.is_down:
            raise Unavailable("Secrets Manager")
