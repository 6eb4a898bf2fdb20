"""The sweep over runs that have, or should have, compute."""

from dataclasses import replace

import pytest
from builders import TASK_ARN, a_run, a_running_run, a_stopped_task, later
from fakes import UNSTOPPABLE

from outpost.domain.run import RunStatus
from outpost.domain.run_error import RunErrorCode
from outpost.ports import ExecutionStatus
from outpost.use_cases.look_after_run import Deed

RUN_ID = a_run().run_id


def test_the_sweep_leaves_alone_what_is_not_due(world):
    world.add(a_run())
    assert world.sweep() == {}


def test_the_sweep_starts_what_was_accepted_and_not_started(world):
    world.add(a_run())
    world.clock.move(seconds=61)
    assert world.sweep() == {Deed.STARTED: 1}
    assert RUN_ID in world.executions.started
    assert world.sweep() == {}


def test_the_sweep_lets_a_healthy_run_be(world):
    world.add(a_running_run(heartbeat_at=later(seconds=60)))
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.tasks.states[TASK_ARN] = a_stopped_task(is_stopped=False)
    world.clock.move(seconds=75)
    assert world.sweep() == {Deed.NOTHING: 2}
    assert world.run().check_at == later(seconds=135)


def test_the_sweep_finishes_what_ended_unseen(world):
    world.add(a_running_run())
    world.tasks.states[TASK_ARN] = a_stopped_task(exit_code=137)
    world.clock.move(seconds=75)
    assert world.sweep() == {Deed.FINISHED: 1}
    assert world.run().error.code is RunErrorCode.COMPUTE_LOST


def test_the_sweep_stops_a_silent_runner(world):
    world.add(a_running_run())
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.tasks.states[TASK_ARN] = a_stopped_task(is_stopped=False)
    world.clock.move(seconds=75)
    assert world.sweep()[Deed.STOPPED] == 1
    assert world.run().stop_code is RunErrorCode.HEARTBEAT_LOST
    assert world.executions.stopped[RUN_ID].startswith("HEARTBEAT_LOST")
    assert world.tasks.stopped == [TASK_ARN]


def test_the_sweep_stops_a_run_past_its_time_whose_runner_still_beats(world):
    world.add(a_running_run(heartbeat_at=later(seconds=740)))
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.clock.move(seconds=740)
    assert world.sweep() == {Deed.STOPPED: 1}
    assert world.run().stop_code is RunErrorCode.RUN_TIMEOUT


def test_the_sweep_stops_what_nobody_claimed(world):
    world.add(a_run())
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.clock.move(seconds=601)
    assert world.sweep() == {Deed.STOPPED: 1}
    assert world.run().stop_code is RunErrorCode.START_TIMEOUT


def test_the_sweep_stops_again_what_a_cancel_could_not(world):
    world.add(a_running_run().cancel_requested("enough", later(seconds=20)))
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.tasks.states[TASK_ARN] = a_stopped_task(is_stopped=False)
    world.clock.move(seconds=90)
    assert world.sweep()[Deed.STOPPED] == 1
    assert world.executions.stopped[RUN_ID] == "CANCELLED_BY_USER: enough"


def test_the_sweep_ends_a_cancelled_run_whose_execution_never_began(world):
    world.add(a_run().cancel_requested(None, later(seconds=1)))
    world.clock.move(seconds=90)
    assert world.sweep() == {Deed.FINISHED: 1}
    assert world.run().status is RunStatus.CANCELLED


def test_the_sweep_waits_for_calls_that_may_be_under_way(world):
    cancelled = a_run().cancel_requested(None, later(seconds=1))
    world.add(replace(cancelled, check_at=later(seconds=10)))
    world.clock.move(seconds=30)
    assert world.sweep() == {Deed.NOTHING: 1}


def test_the_sweep_ends_a_run_whose_execution_ended_without_a_task(world):
    world.add(a_run())
    world.executions.statuses[RUN_ID] = ExecutionStatus.ABORTED
    world.clock.move(seconds=90)
    assert world.sweep() == {Deed.FINISHED: 1}
    assert world.run().error.code is RunErrorCode.AGENT_START_FAILED


def test_the_sweep_stops_a_task_whose_execution_is_over(world):
    world.add(a_running_run(heartbeat_at=later(seconds=80)))
    world.executions.statuses[RUN_ID] = ExecutionStatus.ABORTED
    world.tasks.states[TASK_ARN] = a_stopped_task(is_stopped=False)
    world.clock.move(seconds=90)
    assert world.sweep()[Deed.STOPPED] == 1
    assert world.tasks.stopped == [TASK_ARN]


@pytest.mark.parametrize("status", [ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED])
def test_the_sweep_leaves_a_healthy_task_alone_though_its_execution_ended(world, status):
    world.add(a_running_run(heartbeat_at=later(seconds=80)))
    world.executions.statuses[RUN_ID] = status
    world.tasks.states[TASK_ARN] = a_stopped_task(is_stopped=False)
    world.clock.move(seconds=90)
    assert Deed.STOPPED not in world.sweep()
    assert world.tasks.stopped == []


def test_the_sweep_ends_a_run_whose_task_ecs_has_forgotten(world):
    world.add(a_running_run())
    world.clock.move(hours=3)
    assert world.sweep() == {Deed.FINISHED: 1}
    assert world.run().error.code is RunErrorCode.COMPUTE_LOST


@pytest.mark.parametrize(
    "run", [a_running_run(status=RunStatus.COMPLETED), a_running_run(attempt=2, check_at=later(days=1))]
)
def test_the_sweep_stops_a_task_that_works_for_no_live_run(world, run):
    world.add(run)
    world.tasks.states[TASK_ARN] = a_stopped_task(is_stopped=False)
    assert world.sweep() == {Deed.ORPHAN_STOPPED: 1}
    assert world.tasks.stopped == [TASK_ARN]


def test_what_fails_for_good_gives_way_to_the_others_of_its_shard(world):
    world.add(a_run())
    world.executions.is_down = True
    world.clock.move(seconds=90)
    assert world.sweep() == {Deed.FAILED: 1}
    assert world.run().check_at == later(seconds=150)


def test_an_orphan_that_cannot_be_stopped_does_not_save_the_others(world):
    ended = a_running_run(status=RunStatus.COMPLETED)
    world.add(ended)
    world.tasks.states = {arn: a_stopped_task(task_arn=arn, is_stopped=False) for arn in (UNSTOPPABLE, TASK_ARN)}
    assert world.sweep() == {Deed.FAILED: 1, Deed.ORPHAN_STOPPED: 1}


def test_without_ecs_the_sweep_still_starts_what_was_not_started(world):
    world.add(a_run())
    world.tasks.is_down = True
    world.clock.move(seconds=90)
    assert world.sweep() == {Deed.STARTED: 1}


def test_nothing_is_taken_for_never_launched_while_the_tasks_are_not_all_known(world):
    world.add(a_run())
    world.tasks.is_complete = False
    world.executions.statuses[RUN_ID] = ExecutionStatus.ABORTED
    world.clock.move(seconds=90)
    world.sweep()
    assert world.run().status is RunStatus.PENDING


def test_one_runs_trouble_does_not_keep_the_sweep_from_the_others(world):
    other = a_run(run_id="01Q3ENHRG0ZZZZZZZZZZZZZZZZ")
    world.add(a_run(), other)
    world.executions.is_down = True
    world.tasks.states[TASK_ARN] = a_stopped_task(run_id=other.run_id, is_stopped=False)
    world.clock.move(seconds=90)
    assert world.sweep()[Deed.FAILED] == 2
