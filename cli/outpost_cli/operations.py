"""The operations of the operate function as typed methods, whatever carries them out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from outpost_cli.answers import interpret
from outpost_cli.json_fields import JsonObject, drop_absent, read_list, read_object, read_optional_text
from outpost_cli.models.account import IssuedKey
from outpost_cli.models.page import Page
from outpost_cli.models.tenant import Deployment, Tenant
from outpost_cli.paging import iterate_pages


class Invocable(Protocol):
    """Carries out operations. What must not happen twice comes with `if_lost`, the remedy for a lost answer."""

    def invoke(self, operation: str, wish: JsonObject, *, if_lost: str | None = None) -> JsonObject: ...


@dataclass(frozen=True, slots=True)
class Operations:
    """What operators do. An error is raised as one of `outpost_cli.errors`."""

    function: Invocable

    def create_tenant(self, tenant_id: str, name: str, plan: JsonObject) -> IssuedKey:
        """A new tenant and its first key."""
        wish = drop_absent({"tenantId": tenant_id, "name": name, "plan": plan or None})
        if_lost = (
            f"See with `outpost operator tenant show {tenant_id}` whether the tenant is there. If it is, its first key "
            f"is lost: make another with `outpost operator key create {tenant_id}`. If not, run the command again."
        )
        return self._issue_key("create-tenant", wish, if_lost=if_lost)

    def create_key(self, tenant_id: str, name: str | None) -> IssuedKey:
        """A key with every scope."""
        if_lost = (
            "Run the command again; then see in `outpost keys list`, with the new key, whether there is another one "
            "that nobody has, and revoke it."
        )
        return self._issue_key("create-key", drop_absent({"tenantId": tenant_id, "name": name}), if_lost=if_lost)

    def extend_trial(self, tenant_id: str, days: int) -> Tenant:
        if_lost = (
            f"See with `outpost operator tenant show {tenant_id}` whether the end of the trial has moved, and run the "
            "command again only if it has not."
        )
        return self._change_tenant("extend-trial", {"tenantId": tenant_id, "days": days}, if_lost=if_lost)

    def show_tenant(self, tenant_id: str) -> Tenant:
        return self._change_tenant("show-tenant", {"tenantId": tenant_id})

    def suspend_tenant(self, tenant_id: str, reason: str) -> Tenant:
        return self._change_tenant("suspend-tenant", {"tenantId": tenant_id, "reason": reason})

    def resume_tenant(self, tenant_id: str) -> Tenant:
        return self._change_tenant("resume-tenant", {"tenantId": tenant_id})

    def set_plan(self, tenant_id: str, plan: JsonObject) -> Tenant:
        return self._change_tenant("set-plan", {"tenantId": tenant_id, "plan": plan})

    def iterate_tenants(self, *, limit: int | None) -> Iterator[Tenant]:
        """Tenants page by page, until `limit` of them (None: all)."""

        def read_page(size: int, cursor: str | None) -> tuple[tuple[Tenant, ...], Page]:
            data = self.function.invoke("list-tenants", drop_absent({"limit": size, "cursor": cursor}))
            return interpret(lambda: (read_list(data, "tenants", Tenant.from_document), read_next_page(data)))

        return iterate_pages(read_page, limit=limit)

    def show_deployment(self) -> Deployment:
        return self._change_deployment("show-deployment", {})

    def set_kill_switch(self, reason: str, *, stop_running: bool) -> Deployment:
        return self._change_deployment("set-kill-switch", {"reason": reason, "stopRunning": stop_running})

    def lift_kill_switch(self) -> Deployment:
        return self._change_deployment("lift-kill-switch", {})

    def set_tenants_kill_switch(self, tenant_id: str, reason: str, *, stop_running: bool) -> Tenant:
        wish: JsonObject = {"tenantId": tenant_id, "reason": reason, "stopRunning": stop_running}
        return self._change_tenant("set-kill-switch", wish)

    def lift_tenants_kill_switch(self, tenant_id: str) -> Tenant:
        return self._change_tenant("lift-kill-switch", {"tenantId": tenant_id})

    def _issue_key(self, operation: str, wish: JsonObject, *, if_lost: str) -> IssuedKey:
        data = self.function.invoke(operation, wish, if_lost=if_lost)
        return interpret(lambda: IssuedKey.from_documents(data, key=read_object(data, "key")))

    def _change_tenant(self, operation: str, wish: JsonObject, *, if_lost: str | None = None) -> Tenant:
        data = self.function.invoke(operation, wish, if_lost=if_lost)
        return interpret(lambda: Tenant.from_document(read_object(data, "tenant")))

    def _change_deployment(self, operation: str, wish: JsonObject) -> Deployment:
        data = self.function.invoke(operation, wish)
        return interpret(lambda: Deployment.from_document(read_object(data, "deployment")))


def read_next_page(data: JsonObject) -> Page:
    cursor = read_optional_text(data, "nextCursor")
    return Page(next_cursor=cursor, has_more=cursor is not None)
