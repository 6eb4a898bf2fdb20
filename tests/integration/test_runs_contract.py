"""What every `Runs` promises: the same tests for the tables and for the fake, so that the fake cannot drift."""

from dataclasses import replace

import pytest
from builders import CLAIM, NOON, TASK_ARN, a_report, a_run, a_running_run, an_admission, an_event, later

from outpost.adapters.dynamo_pages import CLOCKS_DIFFER, lowest_id, query_page
from outpost.domain.report import Artifact
from outpost.domain.run import Priority, RunStatus
from outpost.domain.run_error import RunErrorCode
from outpost.domain.usage import Reservation
from outpost.ports import IdempotencyLock, NotAdmitted, RunChangedMeanwhile, RunFilter

ADMISSION = an_admission()


@pytest.fixture
def runs(ports):
    return ports.runs


def lock(run, key="k", **changes):
    return replace(IdempotencyLock(key, "1" * 64, run.run_id, later(hours=24)), **changes)


def numbered(number, **changes):
    """A run of its own second, so that its id says its time."""
    ids = ["01Q3ENHRG0", "01Q3ENHSF8", "01Q3ENHTEG", "01Q3ENHVDR", "01Q3ENHWD0"]
    return a_run(run_id=ids[number] + "A" * 16, created_at=later(seconds=number), **changes)


def create(runs, run, admission=ADMISSION):
    runs.create(run, an_event(event_id=f"01EVENT{run.run_id[7:]}", run_id=run.run_id), admission)


def test_a_run_comes_back_as_it_was_written(runs):
    run = a_run(
        tags={"team": "core", "a.b": "ü"},
        repo="acme/site",
        branch="main",
        requested_by="somebody",
        priority=Priority.HIGH,
        queue_timeout_seconds=60,
        reservation=Reservation("2030-01", 600, 1_665, "01Q3ENHRG0KEYKEYKEYKEYKEYK", "2030-01"),
    )
    create(runs, run)
    assert runs.get("acme", run.run_id) == run


def test_a_run_with_everything_set_comes_back_as_it_was_written(runs):
    create(runs, a_run())
    full = (
        a_running_run()
        .reported(a_report(), claim_id=CLAIM)
        .stopping(RunErrorCode.HEARTBEAT_LOST, later(minutes=2))
        .cancel_requested("enough", later(minutes=3))
    )
    saved = runs.save(a_run(), full, an_event(event_id="01Q3ENHRG0SAVED"))
    assert runs.get("acme", full.run_id) == saved == replace(full, revision=2)


def test_no_run_is_none(runs):
    assert runs.get("acme", "01Q3ENHRG0NNNNNNNNNNNNNNNN") is None


def test_a_run_is_not_found_under_another_tenant(runs):
    create(runs, a_run())
    assert runs.get("other", a_run().run_id) is None


def test_an_idempotency_key_holds_one_run(runs):
    first, second = numbered(0), numbered(1)
    create(runs, first, an_admission(lock=lock(first)))
    with pytest.raises(NotAdmitted) as refused:
        create(runs, second, an_admission(lock=lock(second)))
    assert refused.value.lock_is_taken
    assert runs.find_lock("acme", "k") == lock(first)
    assert runs.get("acme", second.run_id) is None


def test_a_lock_is_its_tenants_own(runs):
    create(runs, a_run(), an_admission(lock=lock(a_run())))
    assert runs.find_lock("other", "k") is None


def test_an_expired_lock_is_taken_over(runs):
    first, second = numbered(0), numbered(1)
    create(runs, first, an_admission(lock=lock(first, expires_at=later(seconds=1))))
    create(runs, second, an_admission(lock=lock(second)))
    assert runs.find_lock("acme", "k").run_id == second.run_id


def test_a_change_decided_upon_an_old_state_is_refused(runs):
    create(runs, a_run())
    runs.save(a_run(), a_running_run(), an_event(event_id="01Q3ENHRG0CLAIMED"))
    with pytest.raises(RunChangedMeanwhile):
        runs.save(a_run(), a_run().cancel_requested(None, NOON), an_event(event_id="01Q3ENHRG0CANCEL"))
    assert runs.get("acme", a_run().run_id).status is RunStatus.RUNNING


def test_a_change_without_event_is_refused_in_the_same_way(runs):
    create(runs, a_run())
    runs.save(a_run(), a_run().noted("first"), None)
    with pytest.raises(RunChangedMeanwhile):
        runs.save(a_run(), a_run().noted("second"), None)
    assert runs.get("acme", a_run().run_id).task_arn == "first"


def test_what_becomes_none_is_removed(runs):
    create(runs, a_run(repo="acme/site"))
    saved = runs.save(a_run(repo="acme/site"), a_run(repo=None), None)
    assert runs.get("acme", a_run().run_id) == saved
    assert saved.repo is None


def test_the_files_of_a_run_are_kept_with_its_report(runs):
    create(runs, a_run())
    files = (
        Artifact(1, "a.txt", "artifact", 1, "0" * 64, "text/plain"),
        Artifact(1, "p", "patch", 2, "1" * 64, "text/x-diff"),
    )
    runs.save(a_run(), a_running_run(), an_event(event_id="01Q3ENHRG0FILES"), files)
    assert runs.artifacts("acme", a_run().run_id, 1) == files
    assert runs.artifacts("other", a_run().run_id, 1) == ()


def test_pages_are_newest_first_disjoint_and_complete(runs):
    for number in range(5):
        create(runs, numbered(number))
    first = runs.page("acme", RunFilter(), before_run_id=None, limit=2)
    second = runs.page("acme", RunFilter(), before_run_id=first.last_run_id, limit=2)
    third = runs.page("acme", RunFilter(), before_run_id=second.last_run_id, limit=2)
    seen = [run.run_id for page in (first, second, third) for run in page.runs]
    assert seen == [numbered(number).run_id for number in (4, 3, 2, 1, 0)]
    assert third.last_run_id is None


def test_a_page_that_ends_exactly_has_no_more(runs):
    create(runs, numbered(0))
    create(runs, numbered(1))
    assert runs.page("acme", RunFilter(), before_run_id=None, limit=2).last_run_id is None


def test_a_list_is_empty_for_another_tenant(runs):
    create(runs, a_run())
    assert runs.page("other", RunFilter(), before_run_id=None, limit=10).runs == ()


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (RunFilter(status=RunStatus.CANCELLING), [3]),
        (RunFilter(agent="claude"), [2]),
        (RunFilter(repo="acme/site"), [1]),
        (RunFilter(tags={"team": "core"}), [4, 0]),
        (RunFilter(tags={"team": "core", "a.b": "1"}), [0]),
        (RunFilter(since=later(seconds=3)), [4, 3]),
        (RunFilter(until=later(seconds=2)), [1, 0]),
        (RunFilter(since=later(seconds=1), until=later(seconds=3)), [2, 1]),
        (RunFilter(tags={"team": "core"}, since=later(seconds=1)), [4]),
    ],
)
def test_a_filter_shows_what_it_names(runs, wanted, numbers):
    create(runs, numbered(0, tags={"team": "core", "a.b": "1"}))
    create(runs, numbered(1, repo="acme/site"))
    create(runs, numbered(2, agent="claude"))
    create(runs, numbered(3, status=RunStatus.CANCELLING))
    create(runs, numbered(4, tags={"team": "core"}))
    found = runs.page("acme", wanted, before_run_id=None, limit=10).runs
    assert [run.run_id for run in found] == [numbered(number).run_id for number in numbers]


def test_a_filtered_page_goes_on_where_it_ended(runs):
    for number in range(5):
        create(runs, numbered(number, agent="claude" if number % 2 else "shell"))
    first = runs.page("acme", RunFilter(agent="shell"), before_run_id=None, limit=2)
    second = runs.page("acme", RunFilter(agent="shell"), before_run_id=first.last_run_id, limit=2)
    assert [len(first.runs), len(second.runs)] == [2, 1]
    assert second.last_run_id is None


def test_runs_that_are_due_are_found_until_they_end(runs):
    create(runs, a_run())
    shard = a_run().active_shard
    place = ("acme", a_run().run_id)
    assert runs.due(shard, later(seconds=59), 10) == ()
    assert runs.due(shard, later(seconds=60), 10) == (place,)
    runs.save(a_run(), a_run(status=RunStatus.FAILED), an_event(event_id="01Q3ENHRG0ENDED"))
    assert runs.due(shard, later(hours=1), 10) == ()


def test_a_claimed_task_is_kept(runs):
    create(runs, a_run())
    runs.save(a_run(), a_running_run(), an_event(event_id="01Q3ENHRG0CLAIMED"))
    assert runs.get("acme", a_run().run_id).task_arn == TASK_ARN


class RecordingClient:
    """A table of no runs, which remembers what it was asked."""

    def query(self, **request):
        self.asked = request["ExpressionAttributeValues"]
        return {"Items": []}


@pytest.mark.parametrize("name", ["parent", "batch"])
def test_what_came_of_another_is_looked_for_from_that_on(name):
    client = RecordingClient()
    query_page(client, "runs", "acme", RunFilter(**{name: a_run().run_id}), before_run_id=None, limit=10)
    assert client.asked[":first"]["S"] == f"RUN#{lowest_id(NOON - CLOCKS_DIFFER)}"


def test_a_later_beginning_that_was_asked_for_stands():
    client = RecordingClient()
    wanted = RunFilter(parent=a_run().run_id, since=later(hours=1))
    query_page(client, "runs", "acme", wanted, before_run_id=None, limit=10)
    assert client.asked[":first"]["S"] == f"RUN#{lowest_id(later(hours=1))}"


def test_what_is_no_id_has_no_beginning():
    client = RecordingClient()
    query_page(client, "runs", "acme", RunFilter(parent="x"), before_run_id=None, limit=10)
    assert client.asked[":first"]["S"] == "RUN#"
