"""Owners are told of a workspace's end, once, and what has ended goes, however many there are."""

from dataclasses import dataclass, field

import pytest
from builders import NOON, WORKSPACE, a_caller, a_snapshot, a_workspace, later
from fake_workspaces import InMemoryWorkspaces

from outpost.domain.errors import Unavailable, WorkspaceInUse, WorkspaceNotFound
from outpost.domain.event import EventType
from outpost.domain.workspace import Workspace
from outpost.use_cases.delete_workspace import delete_workspace
from outpost.use_cases.sweep_workspaces import WORKSPACES, WorkspaceSweeper, sweep_workspaces

TWO_DAYS = later(days=2)


@dataclass
class SharedWorkspaces(InMemoryWorkspaces):
    """Workspaces that others change as well: what they do between a reading and the next removal."""

    meanwhile: list = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)

    def get(self, tenant_id: str, workspace_id: str) -> Workspace | None:
        found = super().get(tenant_id, workspace_id)
        if workspace_id in self.unreadable:
            raise RuntimeError("malformed")
        return found

    def remove(self, before, event) -> bool:
        [deed() for deed in self.meanwhile[:1]]
        self.meanwhile = self.meanwhile[1:]
        return super().remove(before, event)


@pytest.fixture
def workspaces(world) -> SharedWorkspaces:
    return SharedWorkspaces(world.runs)


@pytest.fixture
def put(world):
    def put_there(**changes):
        workspace = a_workspace(**changes)
        world.runs.workspaces[workspace.tenant_id, workspace.workspace_id] = workspace
        return workspace

    return put_there


@pytest.fixture
def sweep(world, workspaces):
    return lambda: sweep_workspaces(WorkspaceSweeper(workspaces, world.files, world.clock, world.identifiers))


@pytest.fixture
def delete(world, workspaces):
    ports = world.ports("files", "clock", "identifiers")
    return lambda: delete_workspace(a_caller(), WORKSPACE, workspaces=workspaces, **ports)


def test_an_owner_is_told_once(world, put, sweep):
    put(expires_at=TWO_DAYS)
    assert [sweep(), sweep()] == [{EventType.WORKSPACE_ENDING: 1}, {}]
    assert world.event_types() == ["workspace.ending"]
    assert world.runs.events[0].details == {"workspaceId": WORKSPACE, "expiresAt": "2030-01-03T12:00:00+00:00"}


def test_nobody_is_told_too_early(put, sweep):
    put(expires_at=later(days=2, seconds=1))
    assert sweep() == {}


def test_what_has_ended_goes_with_its_trees(world, put, sweep):
    put(expires_at=NOON, noticed_at=later(days=-2), snapshot=a_snapshot(), previous=a_snapshot(attempt=2))
    assert sweep() == {EventType.WORKSPACE_EXPIRED: 1}
    assert world.runs.workspaces == {}
    assert len(world.files.deleted) == 2


def test_what_ended_untold_goes_as_well(put, sweep):
    put(expires_at=NOON)
    assert sweep() == {EventType.WORKSPACE_EXPIRED: 1}


@pytest.mark.parametrize("noticed_at", [None, later(days=-2)])
def test_what_a_run_has_stays(world, put, sweep, noticed_at):
    put(expires_at=NOON, leased_by="a run", noticed_at=noticed_at)
    assert sweep() == {}
    assert len(world.runs.workspaces) == 1


def test_what_is_used_between_reading_and_removal_stays(world, put, sweep, workspaces):
    put(expires_at=NOON)
    workspaces.meanwhile.append(lambda: put(expires_at=later(days=30), leased_by="a run", revision=2))
    assert sweep() == {}
    assert (len(world.runs.workspaces), world.files.deleted) == (1, [])


def test_one_workspaces_trouble_does_not_stop_the_others(put, sweep, workspaces):
    put(workspace_id="A", expires_at=NOON)
    put(workspace_id="B", expires_at=later(seconds=-1))
    workspaces.unreadable.add("B")
    assert sweep() == {EventType.WORKSPACE_EXPIRED: 1}


def test_trees_that_cannot_be_removed_do_not_keep_the_record(world, put, sweep, monkeypatch):
    def fail(*_):
        raise Unavailable("S3")

    monkeypatch.setattr(world.files, "delete_snapshot", fail)
    put(expires_at=NOON, snapshot=a_snapshot())
    assert sweep() == {EventType.WORKSPACE_EXPIRED: 1}


def test_however_many_end_at_once_every_owner_is_told(put, sweep):
    [put(workspace_id=f"{number:03}", expires_at=TWO_DAYS) for number in range(WORKSPACES + 10)]
    rounds = [sweep()[EventType.WORKSPACE_ENDING] for _ in range(3)]
    assert rounds == [WORKSPACES, 10, 0]


def test_workspaces_that_runs_have_do_not_stand_before_others(put, sweep):
    [put(workspace_id=f"{number:03}", expires_at=NOON, leased_by="a run") for number in range(WORKSPACES)]
    put(workspace_id="last", expires_at=TWO_DAYS)
    assert sweep() == {EventType.WORKSPACE_ENDING: 1}


def test_what_changes_before_its_deletion_is_looked_at_again(world, put, delete, workspaces):
    put()
    later_tree = a_snapshot(attempt=2)
    workspaces.meanwhile.append(lambda: put(snapshot=later_tree, revision=2))
    assert delete().snapshot == later_tree
    assert world.files.deleted == [later_tree]


def test_what_is_taken_before_its_deletion_is_in_use(world, put, delete, workspaces):
    put(snapshot=a_snapshot())
    workspaces.meanwhile.append(lambda: put(leased_by="a run", revision=2))
    with pytest.raises(WorkspaceInUse):
        delete()
    assert world.files.deleted == []


def test_what_is_deleted_by_another_is_not_found(world, put, delete, workspaces):
    put()
    workspaces.meanwhile.append(world.runs.workspaces.clear)
    with pytest.raises(WorkspaceNotFound):
        delete()


def test_what_never_stands_still_is_not_deleted(put, delete, workspaces):
    put()
    workspaces.meanwhile += [lambda number=number: put(revision=number) for number in range(2, 10)]
    with pytest.raises(Unavailable):
        delete()
