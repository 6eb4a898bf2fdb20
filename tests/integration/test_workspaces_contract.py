"""What every `Workspaces` promises, and how runs take and leave them: of the tables and of the fake alike."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from threading import Lock

import pytest
from builders import (
    CLAIM,
    NOON,
    TASK_ARN,
    WORKSPACE,
    a_report,
    a_snapshot,
    a_use,
    an_admission,
    an_event,
    later,
)

from outpost.adapters.dynamo_items import workspace_count_key
from outpost.adapters.dynamo_runs import DynamoRuns
from outpost.adapters.dynamo_workspaces import DynamoWorkspaces
from outpost.domain.clocks import give_up_waiting
from outpost.domain.errors import WorkspaceInUse, WorkspaceNotFound, WorkspacesFull
from outpost.domain.event import EventType
from outpost.domain.run import RunStatus
from outpost.domain.run_error import RunError, RunErrorCode
from outpost.ports import NotAdmitted, RunChangedMeanwhile

from .both import START_FAILED, numbered, waiting

FIRST, SECOND, THIRD = (f"01Q3ENHRG0WS{number:014d}" for number in range(3))
AT_ONCE = 20
LOST = RunError.of(RunErrorCode.COMPUTE_LOST, "reclaimed")


def maker(number=0, workspace_id=WORKSPACE, **changes):
    """A run that makes a workspace."""
    use = a_use(workspace_id=workspace_id, is_new=True)
    return numbered(number, **({"workspace": use, "repo": "acme/site", "branch": "main"} | changes))


def user(number, **changes):
    """A run that works in the workspace that there is."""
    return numbered(number, **({"workspace": a_use(), "created_at": later(hours=number)} | changes))


def end(ports, run, status=RunStatus.FAILED, at=None, **changes):
    """The run at its end."""
    return ports.save(run, replace(run.ended(status, START_FAILED, at or later(minutes=5)), **changes))


def make(ports, **use):
    """The workspace, made by a run that has ended and kept its tree."""
    run = ports.create(maker(workspace=a_use(is_new=True, **use)))
    end(ports, run, report=a_report(snapshot=a_snapshot(run_id=run.run_id)))
    return the(ports)


def the(ports, workspace_id=WORKSPACE):
    return ports.workspaces.get("acme", workspace_id)


def event(ports, kind=EventType.WORKSPACE_DELETED):
    return ports.event(type=kind, run_id=None)


def refused(ports, run, **admission):
    """Why the run cannot have its workspace; nothing of it is recorded."""
    before = (ports.counters, ports.used)
    with pytest.raises(NotAdmitted) as found:
        ports.create(run, **admission)
    assert ports.runs.get("acme", run.run_id) is None
    assert (ports.counters, ports.used) == before
    return found.value.workspace


def test_a_run_makes_its_workspace_and_has_it(ports):
    run = ports.create(maker())
    made = the(ports)
    assert (made.leased_by, made.repo, made.branch) == (run.run_id, "acme/site", "main")
    assert (made.created_at, made.last_used_at, made.expires_at) == (NOON, NOON, later(days=30))
    assert (made.snapshot, made.previous, made.last_run_id) == (None, None, None)


def test_a_run_without_a_workspace_makes_none(ports):
    ports.create(numbered(0))
    assert ports.workspaces.page("acme", before_id=None, limit=10).workspaces == ()


def test_a_workspace_is_its_tenants_own(ports):
    make(ports)
    assert ports.workspaces.get("other", WORKSPACE) is None
    assert ports.workspaces.page("other", before_id=None, limit=10).workspaces == ()


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.TIMEOUT])
def test_a_run_that_ends_leaves_its_workspace_with_its_tree(ports, status):
    created = ports.create(maker())
    run = ports.save(created, created.claimed(attempt=1, claim_id=CLAIM, task_arn=TASK_ARN, at=later(seconds=9)))
    end(ports, run, status, report=a_report(snapshot=a_snapshot()))
    left = the(ports)
    assert (left.leased_by, left.last_run_id) == (None, run.run_id)
    assert (left.last_used_at, left.expires_at) == (later(minutes=5), later(days=30, minutes=5))
    assert left.snapshot == a_snapshot()


def test_a_run_that_is_cancelled_leaves_its_workspace_once_it_has_stopped(ports):
    run = ports.create(maker())
    asked = ports.save(run, run.cancel_requested(None, later(minutes=1)))
    assert the(ports).leased_by == run.run_id
    end(ports, asked, RunStatus.CANCELLED)
    assert the(ports).leased_by is None


def test_a_run_that_waits_has_its_workspace_already(ports):
    make(ports)
    ports.set_counters(active_runs=10)
    run = ports.create(waiting(1, workspace=a_use()))
    assert the(ports).leased_by == run.run_id


@pytest.mark.parametrize(
    "over",
    [
        lambda run: run.cancel_requested(None, later(minutes=1)),
        lambda run: give_up_waiting(run, later(hours=1)),
    ],
    ids=["cancelled", "waited too long"],
)
def test_a_run_that_ends_in_the_queue_leaves_its_workspace(ports, over):
    kept = make(ports).snapshot
    ports.set_counters(active_runs=10)
    run = ports.create(waiting(1, workspace=a_use()))
    ended = ports.save(run, over(run))
    assert ended.status.is_terminal
    assert (the(ports).leased_by, the(ports).last_run_id, the(ports).snapshot) == (None, run.run_id, kept)


def test_the_next_attempt_has_the_workspace_still(ports):
    run = ports.create(maker())
    ports.save(run, run.relaunched(LOST, later(minutes=1)))
    assert the(ports).leased_by == run.run_id


def test_a_change_that_is_no_end_leaves_nothing(ports):
    run = ports.create(maker())
    ports.save(run, run.stopping(RunErrorCode.RUN_TIMEOUT, later(minutes=1)))
    assert the(ports).leased_by == run.run_id


def test_a_stale_end_leaves_nothing(ports):
    run = ports.create(maker())
    ports.save(run, run.checked(later(minutes=1)))
    with pytest.raises(RunChangedMeanwhile):
        end(ports, run)
    assert the(ports).leased_by == run.run_id


def test_a_run_takes_a_workspace_that_nobody_has(ports):
    before = make(ports)
    run = ports.create(user(2))
    taken = the(ports)
    assert (taken.leased_by, taken.snapshot, taken.repo) == (run.run_id, before.snapshot, before.repo)
    assert (taken.last_used_at, taken.expires_at) == (later(hours=2), later(days=30, hours=2))
    assert taken.revision > before.revision


def test_a_workspace_that_another_run_has_is_refused_by_its_name(ports):
    make(ports)
    first = ports.create(user(1))
    found = refused(ports, user(2))
    assert isinstance(found, WorkspaceInUse)
    assert found.run_id == first.run_id


def test_a_workspace_that_is_not_there_is_refused(ports):
    assert isinstance(refused(ports, user(1)), WorkspaceNotFound)


def test_a_workspace_of_another_tenant_is_not_there(ports):
    make(ports)
    others = ports.add_tenant("other")
    with pytest.raises(NotAdmitted) as found:
        ports.runs.create(user(1, tenant_id="other"), ports.event(tenant_id="other"), others)
    assert isinstance(found.value.workspace, WorkspaceNotFound)
    assert the(ports).leased_by is None


def test_the_first_tree_has_none_before_it(ports):
    made = make(ports)
    assert made.previous in (None, made.snapshot)


def test_a_new_tree_stands_in_the_place_of_the_one_before(ports):
    before = make(ports).snapshot
    run = ports.create(user(1))
    newer = a_snapshot(run_id=run.run_id, base_sha=None)
    end(ports, run, report=a_report(snapshot=newer))
    assert (the(ports).snapshot, the(ports).previous) == (newer, before)


def test_a_run_that_kept_nothing_changes_neither_tree(ports):
    before = make(ports)
    end(ports, ports.create(user(1)), report=a_report())
    assert (the(ports).snapshot, the(ports).previous) == (before.snapshot, before.previous)


def test_one_more_than_there_may_be_is_refused_with_how_many_there_are(ports):
    ports.create(maker(0, FIRST), most_workspaces=1)
    found = refused(ports, maker(1, SECOND), most_workspaces=1)
    assert isinstance(found, WorkspacesFull)
    assert (found.limit.dimension, found.limit.limit, found.limit.used) == ("workspaces", 1, 1)
    assert the(ports, SECOND) is None


def test_where_there_may_be_none_the_first_is_refused(ports):
    found = refused(ports, maker(), most_workspaces=0)
    assert isinstance(found, WorkspacesFull)
    assert (found.limit.limit, found.limit.used) == (0, 0)


def test_a_smaller_limit_than_there_are_refuses_more(ports):
    ports.create(maker(0, FIRST))
    ports.create(maker(1, SECOND))
    found = refused(ports, maker(2, THIRD), most_workspaces=1)
    assert found.limit.used == 2


def test_without_a_limit_there_may_be_any_number(ports):
    ports.create(maker(0, FIRST), most_workspaces=None)
    ports.create(maker(1, SECOND), most_workspaces=None)
    assert len(ports.workspaces.page("acme", before_id=None, limit=10).workspaces) == 2


def test_the_workspaces_of_others_are_not_counted(ports):
    ports.create(maker(0, FIRST), most_workspaces=1)
    others = ports.add_tenant("other")
    run = maker(1, SECOND, tenant_id="other")
    ports.runs.create(run, ports.event(tenant_id="other"), replace(others, most_workspaces=1))
    assert ports.workspaces.get("other", SECOND) is not None


def test_one_that_was_removed_leaves_room_for_another(ports):
    assert ports.workspaces.remove(make(ports), event(ports))
    ports.create(maker(1, SECOND), most_workspaces=1)
    assert the(ports, SECOND) is not None


def test_what_is_removed_is_gone(ports):
    assert ports.workspaces.remove(make(ports), event(ports))
    assert the(ports) is None


def test_it_is_removed_once_and_counted_once(ports):
    made = make(ports)
    ports.workspaces.remove(made, event(ports))
    assert not ports.workspaces.remove(made, event(ports))
    ports.create(maker(1, SECOND), most_workspaces=1)
    assert isinstance(refused(ports, maker(2, THIRD), most_workspaces=1), WorkspacesFull)


def test_one_that_a_run_has_is_not_removed(ports):
    ports.create(maker())
    assert not ports.workspaces.remove(the(ports), event(ports))
    assert the(ports) is not None


def test_one_that_was_used_since_is_not_removed(ports):
    seen = make(ports)
    end(ports, ports.create(user(1)))
    assert not ports.workspaces.remove(seen, event(ports))
    assert the(ports) is not None


def test_that_its_owner_was_told_is_noted(ports):
    made = make(ports)
    assert ports.workspaces.note_end(made, later(days=29), event(ports))
    assert the(ports) == replace(made, noticed_at=later(days=29), revision=made.revision + 1)


def test_it_is_noted_once(ports):
    made = make(ports)
    ports.workspaces.note_end(made, later(days=29), event(ports))
    assert not ports.workspaces.note_end(made, later(days=29), event(ports))


def test_of_one_that_a_run_has_nothing_is_noted(ports):
    ports.create(maker())
    assert not ports.workspaces.note_end(the(ports), later(days=29), event(ports))
    assert the(ports).noticed_at is None


def test_of_one_that_is_gone_nothing_is_noted(ports):
    made = make(ports)
    ports.workspaces.remove(made, event(ports))
    assert not ports.workspaces.note_end(made, later(days=29), event(ports))
    assert the(ports) is None


def ending(ports, at, limit=10, *, is_noticed=False):
    found = ports.workspaces.ending(at, limit, is_noticed=is_noticed)
    return [workspace_id for _, workspace_id in found]


def test_those_that_end_come_in_the_order_of_their_ends(ports):
    runs = [
        ports.create(maker(0, FIRST, workspace=a_use(workspace_id=FIRST, is_new=True, keep_days=3))),
        ports.create(maker(1, SECOND, workspace=a_use(workspace_id=SECOND, is_new=True, keep_days=1))),
        ports.create(maker(2, THIRD, workspace=a_use(workspace_id=THIRD, is_new=True, keep_days=9))),
    ]
    [end(ports, run, at=NOON) for run in runs]
    assert ending(ports, later(days=5)) == [SECOND, FIRST]
    assert ending(ports, later(days=5), limit=1) == [SECOND]


def test_one_that_ends_at_that_moment_is_among_them(ports):
    make(ports)
    assert ending(ports, later(days=30, minutes=5)) == [WORKSPACE]
    assert ending(ports, later(days=30, minutes=4)) == []


def test_one_that_a_run_has_does_not_end(ports):
    make(ports)
    ports.create(user(1))
    assert ending(ports, later(days=90)) == []


def test_one_that_a_run_makes_does_not_end_meanwhile(ports):
    ports.create(maker())
    assert ending(ports, later(days=90)) == []


def test_those_that_were_told_of_are_apart(ports):
    ports.workspaces.note_end(make(ports), later(days=29), event(ports))
    assert ending(ports, later(days=90)) == []
    assert ending(ports, later(days=90), is_noticed=True) == [WORKSPACE]


def test_one_that_is_used_after_its_owner_was_told_is_to_be_told_of_anew(ports):
    ports.workspaces.note_end(make(ports), later(days=29), event(ports))
    run = ports.create(user(1))
    taken = the(ports)
    end(ports, run)
    assert (taken.noticed_at, the(ports).noticed_at) == (None, None)
    assert ending(ports, later(days=90)) == [WORKSPACE]
    assert ending(ports, later(days=90), is_noticed=True) == []


def test_one_that_is_gone_does_not_end(ports):
    ports.workspaces.remove(make(ports), event(ports))
    assert ending(ports, later(days=90)) == []


def test_pages_are_newest_first_disjoint_and_complete(ports):
    [ports.create(maker(number, workspace_id)) for number, workspace_id in enumerate((SECOND, THIRD, FIRST))]
    first = ports.workspaces.page("acme", before_id=None, limit=2)
    rest = ports.workspaces.page("acme", before_id=first.last_workspace_id, limit=2)
    assert [each.workspace_id for each in (*first.workspaces, *rest.workspaces)] == [THIRD, SECOND, FIRST]
    assert rest.last_workspace_id is None


def test_a_page_that_ends_exactly_has_no_more(ports):
    make(ports)
    assert ports.workspaces.page("acme", before_id=None, limit=1).last_workspace_id is None


def test_the_tree_of_a_lost_attempt_is_never_kept(ports):
    created = ports.create(maker())
    run = ports.save(created, created.claimed(attempt=1, claim_id=CLAIM, task_arn=TASK_ARN, at=later(seconds=9)))
    reported = ports.save(run, replace(run, report=a_report(snapshot=a_snapshot())))
    again = ports.save(reported, reported.relaunched(LOST, later(minutes=1)))
    end(ports, again)
    assert (the(ports).leased_by, the(ports).snapshot) == (None, None)


class OneCallAtATime:
    """A client for many threads at once: moto itself is not made for them."""

    def __init__(self, client):
        self._client, self._lock = client, Lock()

    def __getattr__(self, name):
        call = getattr(self._client, name)

        def locked(*args, **kwargs):
            with self._lock:
                return call(*args, **kwargs)

        return locked


@pytest.fixture
def at_once(deployment, dynamo_runs):
    """Records many runs at the same moment, and says how each came out."""
    runs = DynamoRuns(OneCallAtATime(deployment.dynamodb), deployment.settings)
    numbers = count(100)

    def record(wanted, **admission):
        def one(run):
            happened = an_event(event_id=f"01Q3ENHRG0{next(numbers):016d}")
            try:
                runs.create(run, happened, an_admission(**admission))
            except NotAdmitted as found:
                return type(found.workspace)
            return None

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(one, wanted))

    return record


def test_of_many_dispatches_for_the_last_workspace_one_wins(deployment, at_once):
    wanted = [maker(number, f"01Q3ENHRG0WS{number:014d}") for number in range(AT_ONCE)]
    outcomes = at_once(wanted, most_workspaces=1)
    found = DynamoWorkspaces(deployment.dynamodb, deployment.settings).page("acme", before_id=None, limit=100)
    assert sorted(map(str, outcomes)) == sorted(map(str, [None] + [WorkspacesFull] * (AT_ONCE - 1)))
    assert len(found.workspaces) == 1
    counted = deployment.dynamodb.get_item(
        TableName=deployment.settings.workspaces_table, Key=workspace_count_key("acme")
    )["Item"]["workspaces"]["N"]
    assert counted == "1"


def test_of_many_dispatches_for_one_workspace_one_has_it(deployment, dynamo_runs, at_once):
    run = maker(900)
    dynamo_runs.create(run, an_event(), an_admission())
    over = run.ended(RunStatus.FAILED, START_FAILED, later(minutes=1))
    dynamo_runs.save(run, over, an_event(event_id="01Q3ENHRG0ENDENDENDENDENDE"))
    outcomes = at_once([user(number) for number in range(AT_ONCE)])
    leased_by = DynamoWorkspaces(deployment.dynamodb, deployment.settings).get("acme", WORKSPACE).leased_by
    assert sorted(map(str, outcomes)) == sorted(map(str, [None] + [WorkspaceInUse] * (AT_ONCE - 1)))
    assert leased_by == user(outcomes.index(None)).run_id
