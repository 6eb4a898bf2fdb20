"""The routes of persistent workspaces as typed methods."""

from collections.abc import Iterator
from dataclasses import dataclass

from outpost_cli.answers import interpret
from outpost_cli.ids import check_id
from outpost_cli.json_fields import JsonObject
from outpost_cli.listing import iterate_list
from outpost_cli.models.workspace import Workspace
from outpost_cli.transport import Transport


@dataclass(frozen=True, slots=True)
class WorkspaceClient:
    """A tenant's workspaces. An error answer is raised as a ServiceRefusal of `outpost_cli.errors`."""

    transport: Transport

    def iterate_workspaces(self, *, limit: int | None) -> Iterator[Workspace]:
        """Workspaces newest first, page by page, until `limit` of them (None: all)."""
        return iterate_list(self.transport, "workspaces", Workspace.from_document, limit=limit)

    def get_workspace(self, workspace_id: str) -> Workspace:
        answer = self.transport.call("GET", self._path(workspace_id))
        return interpret(lambda: Workspace.from_document(answer.data))

    def delete_workspace(self, workspace_id: str) -> JsonObject:
        """The workspace as it was; its id alone where the answer was lost. Refused while a run has it."""
        answer = self.transport.delete(self._path(workspace_id))
        return {"workspaceId": workspace_id} if answer is None else answer.data

    @staticmethod
    def _path(workspace_id: str) -> str:
        remedy = "Give an id as `outpost workspaces list` shows it."
        return f"/workspaces/{check_id(workspace_id, 'a workspace id', remedy=remedy)}"
