"""Persistent workspaces, beside the runs that take and leave them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from outpost.domain.event import Event
from outpost.domain.workspace import Workspace


@dataclass(frozen=True)
class WorkspacePage:
    """A page of workspaces, newest first; `last_workspace_id` is where the next page goes on, None at the end."""

    workspaces: tuple[Workspace, ...]
    last_workspace_id: str | None


class Workspaces(Protocol):
    """The records of workspaces. Runs make, take and leave them in their own transactions."""

    def get(self, tenant_id: str, workspace_id: str) -> Workspace | None:
        """The workspace as it is now."""
        ...

    def page(self, tenant_id: str, *, before_id: str | None, limit: int) -> WorkspacePage:
        """Workspaces older than `before_id` (or the newest), newest first."""
        ...

    def remove(self, before: Workspace, event: Event) -> bool:
        """Record its end; False, and nothing written, if a run has it or it is not `before` any more."""
        ...

    def note_end(self, before: Workspace, at: datetime, event: Event) -> bool:
        """Record that its owner was told of its end; False, and nothing written, if it is not `before` any more."""
        ...

    def ending(self, at: datetime, limit: int, *, is_noticed: bool) -> tuple[tuple[str, str], ...]:
        """(tenant id, workspace id) of workspaces that no run has and that end by then, the first to end first.

        Either of those whose owners were told of it, or of the others; may lag behind.
        """
        ...
