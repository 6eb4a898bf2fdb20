"""Small checks of what the conditions of workspaces are for; each fails where its condition is dropped."""

from dataclasses import replace

from builders import WORKSPACE, a_run, a_use, a_workspace, later

from outpost.domain.run import Run, RunStatus
from outpost.domain.workspace import Workspace
from outpost.ports import NotAdmitted

from .bench import Bench, Check, other_run

MAKER = a_run(workspace=a_use(is_new=True))
ANOTHER = "01Q3ENHRG0ANOTHERANOTHERAN"


def a_workspace_is_never_made_over(bench: Bench) -> None:
    bench.create(MAKER)
    assert bench.create(other_run(workspace=a_use(is_new=True))) is NotAdmitted


def a_workspace_has_one_run_at_a_time(bench: Bench) -> None:
    bench.create(MAKER)
    assert bench.create(other_run(workspace=a_use())) is NotAdmitted


def a_workspace_that_is_gone_is_not_made_by_its_use(bench: Bench) -> None:
    assert bench.create(a_run(workspace=a_use())) is NotAdmitted


def a_tenant_has_no_more_workspaces_than_it_may(bench: Bench) -> None:
    bench.create(MAKER)
    another = other_run(workspace=a_use(workspace_id=ANOTHER, is_new=True))
    assert bench.create(another, most_workspaces=1) is NotAdmitted


def a_tenant_that_may_have_no_workspace_has_none(bench: Bench) -> None:
    assert bench.create(MAKER, most_workspaces=0) is NotAdmitted


def a_workspace_that_a_run_has_is_not_removed(bench: Bench) -> None:
    bench.create(MAKER)
    assert not bench.workspaces.remove(stored(bench), bench.event())


def a_workspace_that_was_used_since_is_not_removed(bench: Bench) -> None:
    bench.create(MAKER)
    end(bench, MAKER)
    assert not bench.workspaces.remove(a_workspace(revision=1), bench.event())


def of_a_workspace_that_a_run_has_no_end_is_told(bench: Bench) -> None:
    bench.create(MAKER)
    assert not bench.workspaces.note_end(stored(bench), later(days=29), bench.event())


def of_a_workspace_that_was_used_since_no_end_is_told(bench: Bench) -> None:
    bench.create(MAKER)
    end(bench, MAKER)
    assert not bench.workspaces.note_end(a_workspace(revision=1), later(days=29), bench.event())


def stored(bench: Bench) -> Workspace:
    """The workspace as it is now."""
    found = bench.workspaces.get("acme", WORKSPACE)
    assert found is not None
    return found


def end(bench: Bench, run: Run) -> None:
    """The run has ended, and left its workspace."""
    assert bench.save(run, replace(run, status=RunStatus.FAILED, ended_at=later(seconds=5))) is None


WORKSPACE_CHECKS: tuple[Check, ...] = (
    a_workspace_is_never_made_over,
    a_workspace_has_one_run_at_a_time,
    a_workspace_that_is_gone_is_not_made_by_its_use,
    a_tenant_has_no_more_workspaces_than_it_may,
    a_tenant_that_may_have_no_workspace_has_none,
    a_workspace_that_a_run_has_is_not_removed,
    a_workspace_that_was_used_since_is_not_removed,
    of_a_workspace_that_a_run_has_no_end_is_told,
    of_a_workspace_that_was_used_since_no_end_is_told,
)
