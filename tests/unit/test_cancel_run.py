import pytest
from builders import a_run, a_running_run, later

from outpost.domain.errors import RunAlreadyEnded, RunNotFound
from outpost.domain.run import RunStatus
from outpost.use_cases.cancel_run import cancel_run

RUN_ID = a_run().run_id


def cancel(world, reason=None):
    return cancel_run("acme", RUN_ID, reason, **world.ports("runs", "clock", "identifiers", "executions"))


def test_a_cancel_stops_the_execution_and_waits_for_the_proof(world):
    world.add(a_running_run())
    assert cancel(world, "enough").status is RunStatus.CANCELLING
    assert world.executions.stopped[RUN_ID] == "CANCELLED_BY_USER: enough"
    assert world.runs.tenants["acme"].active_runs == 1


def test_a_cancel_again_gives_the_same_answer(world):
    world.add(a_running_run())
    assert cancel(world, "first") == cancel(world, "second")
    assert world.event_types() == ["run.cancelling"]


def test_a_cancel_stands_though_the_stop_failed(world):
    world.add(a_running_run())
    world.executions.is_down = True
    assert cancel(world).status is RunStatus.CANCELLING


def test_a_cancel_of_a_run_that_has_ended_is_refused(world):
    world.add(a_running_run(status=RunStatus.COMPLETED))
    with pytest.raises(RunAlreadyEnded):
        cancel(world)


def test_a_cancel_of_no_run_is_refused(world):
    with pytest.raises(RunNotFound):
        cancel(world)


def test_a_cancel_of_a_queued_run_ends_it_at_once(world):
    world.add(a_run(status=RunStatus.QUEUED))
    assert cancel(world).status is RunStatus.CANCELLED
    assert RUN_ID in world.executions.stopped
    assert world.event_types() == ["run.cancelled"]


def test_a_cancel_of_a_queued_run_takes_it_out_of_the_queue(world):
    world.add(a_run(status=RunStatus.QUEUED))
    cancel(world)
    assert (world.tenant().queued_runs, world.queue.order("acme")) == (0, ())


def test_a_cancel_that_comes_with_the_slot_waits_for_the_proof_like_any_other(world):
    queued = a_run(status=RunStatus.QUEUED)
    world.add(queued)
    released = queued.released(later(seconds=1))
    world.runs.before_changes = [lambda: world.runs.save(queued, released, None)]
    assert cancel(world).status is RunStatus.CANCELLING
    assert world.tenant().active_runs == 1
