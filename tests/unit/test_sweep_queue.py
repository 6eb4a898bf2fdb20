"""The sweep over what waits: the queue, its executions, kill switches, and the counters of slots."""

from dataclasses import dataclass, replace

import pytest
from builders import TASK_ARN, a_run, a_running_run, a_stopped_task, later
from fake_runs import InMemoryQueue

from outpost.domain.deployment import Breaker
from outpost.domain.errors import Unavailable
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.run import QUEUED_SHARDS, RunStatus
from outpost.domain.run_error import RunErrorCode
from outpost.domain.token import Purpose, verify
from outpost.ports import ExecutionStatus
from outpost.use_cases.look_after_run import Deed
from outpost.use_cases.sweep_runs import RUNS_PER_SHARD

RUN_ID = a_run().run_id
QUEUED = a_run(status=RunStatus.QUEUED)
STOP_ALL = KillSwitch("too much", later(), "operator", stop_running=True)
STOP_NEW = replace(STOP_ALL, stop_running=False)


@dataclass
class SilentQueue(InMemoryQueue):
    """A queue that does not say who waits."""

    def waiting_tenants(self, limit):
        raise Unavailable("DynamoDB")


@pytest.fixture
def full(world):
    """A tenant with no slot left to give."""
    world.change_tenant(active_runs=10)


def test_the_sweep_lets_a_queued_run_wait_whose_execution_waits(world, full):
    world.add(QUEUED)
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.clock.move(seconds=90)
    assert world.sweep() == {Deed.NOTHING: 1}
    assert world.run().status is RunStatus.QUEUED


def test_the_sweep_starts_the_execution_of_a_queued_run_without_a_token(world, full):
    world.add(QUEUED)
    world.clock.move(seconds=90)
    assert world.sweep() == {Deed.STARTED: 1}
    assert world.executions.started == {RUN_ID: ""}


def test_the_sweep_gives_free_slots(world):
    world.add(QUEUED)
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.clock.move(seconds=90)
    assert world.sweep() == {Deed.NOTHING: 1, Deed.SLOTS_GIVEN: 1}
    assert world.run().status is RunStatus.PENDING


@pytest.mark.parametrize(
    "status",
    [ExecutionStatus.ABORTED, ExecutionStatus.FAILED, ExecutionStatus.SUCCEEDED, ExecutionStatus.TIMED_OUT],
)
def test_the_sweep_abandons_a_queued_run_whose_execution_ended(world, status):
    world.add(QUEUED)
    world.executions.statuses[RUN_ID] = status
    world.clock.move(seconds=90)
    assert world.sweep() == {Deed.FINISHED: 1}
    assert (world.run().status, world.run().error.code) == (RunStatus.FAILED, RunErrorCode.AGENT_START_FAILED)
    assert world.tenant().queued_runs == 0


def test_the_sweep_ends_what_waited_too_long_for_a_slot(world):
    world.add(a_run(status=RunStatus.QUEUED))
    world.clock.move(seconds=3601)
    assert world.sweep()[Deed.FINISHED] == 1
    assert world.run().error.code is RunErrorCode.QUEUE_TIMEOUT
    assert world.event_types() == ["run.timeout"]


def test_a_queued_run_that_is_late_needs_no_step_functions_to_end(world):
    world.add(QUEUED)
    world.executions.is_down = True
    world.clock.move(seconds=3601)
    assert world.sweep() == {Deed.FINISHED: 1}


def test_the_sweep_tells_an_execution_again_of_its_slot(world):
    world.add(a_run(wait_tokens=("waits",)))
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.clock.move(seconds=90)
    assert world.sweep() == {Deed.NOTHING: 1}
    claims = verify(world.signing_key.value(), Purpose.RUNNER_BOOTSTRAP, world.executions.released["waits"], later())
    assert (claims["run"], claims["attempt"]) == (RUN_ID, 1)


def test_an_execution_whose_task_is_on_its_way_is_not_told_again(world):
    world.add(a_run(wait_tokens=("waits",), task_arn=TASK_ARN))
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.tasks.states[TASK_ARN] = a_stopped_task(is_stopped=False)
    world.clock.move(seconds=90)
    world.sweep()
    assert world.executions.released == {}


@pytest.mark.parametrize("run", [a_run(), a_running_run(heartbeat_at=later(seconds=60))])
@pytest.mark.parametrize("change", ["change_tenant", "change_deployment"])
def test_a_kill_switch_that_ends_what_runs_cancels_it(world, run, change):
    world.add(run)
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    getattr(world, change)(kill_switch=STOP_ALL)
    world.clock.move(seconds=90)
    assert world.sweep() == {Deed.CANCELLED: 1}
    assert (world.run().status, world.run().cancel_reason) == (RunStatus.CANCELLING, "A kill switch was put on.")
    assert RUN_ID in world.executions.stopped


@pytest.mark.parametrize("change", ["change_tenant", "change_deployment"])
def test_a_kill_switch_for_new_work_leaves_what_runs_alone(world, change):
    world.add(a_running_run(heartbeat_at=later(seconds=60)))
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    getattr(world, change)(kill_switch=STOP_NEW)
    world.clock.move(seconds=75)
    world.sweep()
    assert world.run().status is RunStatus.RUNNING


def test_a_kill_switch_that_ends_what_runs_leaves_the_queue_as_it_is(world):
    world.add(QUEUED)
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.change_tenant(kill_switch=STOP_ALL)
    world.clock.move(seconds=90)
    assert world.sweep() == {Deed.NOTHING: 1}
    assert world.run().status is RunStatus.QUEUED


def test_a_run_on_its_way_out_is_not_cancelled_a_second_time(world):
    world.add(a_running_run().cancel_requested("enough", later(seconds=20)))
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.change_tenant(kill_switch=STOP_ALL)
    world.clock.move(seconds=90)
    assert world.sweep() == {Deed.STOPPED: 1}
    assert world.run().cancel_reason == "enough"


def test_the_end_of_a_task_is_heard_before_a_kill_switch(world):
    world.add(a_running_run())
    world.tasks.states[TASK_ARN] = a_stopped_task(exit_code=1)
    world.change_tenant(kill_switch=STOP_ALL)
    world.clock.move(seconds=90)
    assert world.sweep() == {Deed.FINISHED: 1}
    assert world.run().status is RunStatus.FAILED


def test_a_counter_that_drifted_is_corrected_once(world):
    world.add(a_run(check_at=later(days=1)))
    world.runs.tenants["acme"] = replace(world.runs.tenants["acme"], active_runs=4)
    assert world.sweep() == {Deed.SLOTS_CORRECTED: 1}
    assert world.runs.tenants["acme"].active_runs == 1
    assert world.sweep() == {}


def test_counters_are_counted_every_ten_minutes(world):
    world.runs.tenants["acme"] = replace(world.runs.tenants["acme"], active_runs=4)
    world.clock.move(minutes=9)
    assert world.sweep() == {}
    world.clock.move(minutes=1)
    assert world.sweep() == {Deed.SLOTS_CORRECTED: 1}


def test_the_deployments_counter_that_drifted_is_corrected_once(world):
    world.add(a_run(check_at=later(days=1)))
    world.change_deployment(active_runs=7)
    assert world.sweep() == {Deed.SLOTS_CORRECTED: 1}
    assert world.runs.deployment.active_runs == 1
    assert world.sweep() == {}


def test_places_in_the_queue_that_drifted_are_corrected_too(world):
    world.change_tenant(queued_runs=3)
    assert world.sweep() == {Deed.SLOTS_CORRECTED: 1}
    assert world.tenant().queued_runs == 0


@pytest.mark.parametrize(
    ("breaker", "deeds"),
    [
        (Breaker(5, later(seconds=-59)), {Deed.BREAKER_SEEN_OPEN: 1}),
        (Breaker(5, later(seconds=-60)), {Deed.BREAKER_SEEN_OPEN: 1}),
        (Breaker(5, later(days=-1)), {Deed.BREAKER_SEEN_OPEN: 1}),
        (Breaker(4, later(seconds=-1)), {}),
    ],
    ids=["open", "half-open", "long half-open", "closed"],
)
def test_the_sweep_counts_a_breaker_that_is_not_closed(world, breaker, deeds):
    world.change_deployment(breakers={"shell": breaker})
    assert world.sweep() == deeds


def test_the_sweep_says_how_many_breakers_are_not_closed(world):
    breakers = {"shell": Breaker(5, later(seconds=-59)), "claude": Breaker(5, later(seconds=-60)), "codex": Breaker(1)}
    world.change_deployment(breakers=breakers)
    assert world.sweep() == {Deed.BREAKER_SEEN_OPEN: 2}


def test_slots_that_cannot_be_handed_out_do_not_break_the_round(world):
    world.add(QUEUED)
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.change_deployment(breakers={"claude": Breaker(5, later())})
    world.clock.move(seconds=90)
    assert world.sweep(queue=SilentQueue(world.runs)) == {Deed.NOTHING: 1, Deed.BREAKER_SEEN_OPEN: 1}
    assert world.run().status is RunStatus.QUEUED


def test_however_many_wait_those_with_compute_have_their_turn(world, full):
    waiting = [a_run(run_id=f"01Q3ENHRG0{number:016d}", status=RunStatus.QUEUED) for number in range(500)]
    world.add(*waiting)
    world.executions.statuses = {run.run_id: ExecutionStatus.RUNNING for run in waiting}
    world.add(a_run())
    world.clock.move(seconds=90)
    assert world.sweep() == {Deed.NOTHING: len(QUEUED_SHARDS) * RUNS_PER_SHARD, Deed.STARTED: 1}
    assert RUN_ID in world.executions.started


def test_those_that_one_round_had_no_room_for_come_with_the_next(world, full):
    world.add(*(a_run(run_id=f"01Q3ENHRG0{number:016d}", status=RunStatus.QUEUED) for number in range(100)))
    world.clock.move(seconds=90)
    world.sweep()
    world.sweep()
    assert len(world.executions.started) == 100
