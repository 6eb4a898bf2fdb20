"""Cancel, finish and sweep."""

from dataclasses import replace

import pytest
from builders import TASK_ARN, a_run, a_running_run, a_stopped_task, evidence_of, later
from fakes import UNSTOPPABLE

from outpost.domain.errors import RunAlreadyEnded, RunNotFound
from outpost.domain.outcome import Evidence, NeverLaunched, StopCode, Testimony
from outpost.domain.run import RunStatus
from outpost.domain.run_error import RunErrorCode
from outpost.ports import ExecutionStatus
from outpost.use_cases.cancel_run import cancel_run
from outpost.use_cases.finish_run import mark_stopping
from outpost.use_cases.hear_testimony import hear_testimony
from outpost.use_cases.sweep_runs import Deed, Sweeper, sweep_runs

CHANGE = ("runs", "clock", "identifiers")
RUN_ID = a_run().run_id


def cancel(world, reason=None):
    return cancel_run("acme", RUN_ID, reason, **world.ports(*CHANGE, "executions"))


def hear(world, evidence, **road):
    return hear_testimony(Testimony("acme", RUN_ID, evidence, **road), **world.ports(*CHANGE, "tasks"))


def sweep(world):
    names = ("runs", "slots", "tasks", "executions", "signing_key", "clock", "identifiers")
    return {deed: count for deed, count in sweep_runs(Sweeper(**world.ports(*names))).items() if count}


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


def test_the_end_of_the_task_ends_the_run_and_frees_its_slot(world):
    world.add(a_running_run().cancel_requested(None, later(seconds=20)))
    assert hear(world, evidence_of(a_stopped_task())).status is RunStatus.CANCELLED
    assert world.runs.tenants["acme"].active_runs == 0
    assert world.event_types() == ["run.cancelled"]


def test_evidence_heard_twice_ends_the_run_once(world):
    world.add(a_running_run())
    first = hear(world, evidence_of(a_stopped_task()))
    assert hear(world, evidence_of(a_stopped_task(exit_code=9))) == first
    assert len(world.runs.events) == 1
    assert world.runs.tenants["acme"].active_runs == 0


def test_a_launch_is_noted_so_that_the_task_can_be_found(world):
    world.add(a_run())
    task = a_stopped_task(is_stopped=False)
    run = hear(world, evidence_of(task))
    assert (run.status, run.task_arn) == (RunStatus.PENDING, TASK_ARN)


def test_a_machine_out_of_time_blames_the_clock_and_stops_the_task(world):
    world.add(a_running_run())
    world.tasks.states[TASK_ARN] = a_stopped_task(is_stopped=False)
    run = hear(world, Evidence(1), ran_out_of_time=True, is_given_up=True)
    assert (run.status, run.stop_code) == (RunStatus.RUNNING, RunErrorCode.RUN_TIMEOUT)
    assert world.tasks.stopped == [TASK_ARN]


def test_a_machine_out_of_time_whose_task_has_stopped_ends_the_run(world):
    world.add(a_running_run())
    world.tasks.states[TASK_ARN] = a_stopped_task(exit_code=137)
    run = hear(world, Evidence(1), ran_out_of_time=True, is_given_up=True)
    assert (run.status, run.error.code) == (RunStatus.TIMEOUT, RunErrorCode.RUN_TIMEOUT)


def test_a_reason_to_stop_one_attempt_is_no_reason_to_stop_the_next(world):
    world.add(a_run(attempt=2))
    run = mark_stopping("acme", RUN_ID, 1, RunErrorCode.START_TIMEOUT, **world.ports(*CHANGE))
    assert run.stop_code is None


def test_a_machine_out_of_time_before_the_claim_blames_the_start(world):
    world.add(a_run())
    hear(world, Evidence(1), ran_out_of_time=True, is_given_up=True)
    assert world.run().stop_code is RunErrorCode.START_TIMEOUT


def test_a_task_that_nobody_gave_up_is_left_to_its_work(world):
    world.add(a_running_run())
    world.tasks.states[TASK_ARN] = a_stopped_task(is_stopped=False)
    another = evidence_of(a_stopped_task(task_arn="another", exit_code=20))
    assert hear(world, another).status is RunStatus.RUNNING
    assert world.tasks.stopped == []


def test_a_cause_that_says_nothing_is_made_good_by_asking_ecs(world):
    world.add(a_running_run())
    world.tasks.states[TASK_ARN] = a_stopped_task(exit_code=10)
    assert hear(world, Evidence(1)).status is RunStatus.FAILED


def test_a_refused_launch_keeps_its_slot_for_the_next_attempt(world):
    world.add(a_run())
    run = hear(world, Evidence(1, never_launched=NeverLaunched.LAUNCH_REFUSED))
    assert (run.status, run.attempt) == (RunStatus.PENDING, 2)
    assert world.event_types() == ["run.relaunched"]
    assert world.runs.tenants["acme"].active_runs == 1


def test_the_machine_hears_again_of_a_relaunch_that_an_event_was_first_to_bring(world):
    world.add(a_running_run())
    lost = evidence_of(a_stopped_task(stop_code=StopCode.SPOT_INTERRUPTION))
    assert hear(world, lost) == hear(world, lost)
    assert world.event_types() == ["run.relaunched"]


def test_a_refused_launch_ends_the_run_after_three(world):
    world.add(a_run(attempt=3))
    run = hear(world, Evidence(3, never_launched=NeverLaunched.LAUNCH_REFUSED))
    assert run.error.code is RunErrorCode.AGENT_START_FAILED


def test_a_cancel_of_a_queued_run_ends_it_at_once(world):
    world.add(a_run(status=RunStatus.QUEUED))
    assert cancel(world).status is RunStatus.CANCELLED
    assert RUN_ID in world.executions.stopped
    assert world.event_types() == ["run.cancelled"]


def test_the_sweep_ends_what_waited_too_long_for_a_slot(world):
    world.add(a_run(status=RunStatus.QUEUED))
    world.clock.move(seconds=3601)
    assert sweep(world)[Deed.FINISHED] == 1
    assert world.run().error.code is RunErrorCode.QUEUE_TIMEOUT
    assert world.event_types() == ["run.timeout"]


def test_the_sweep_lets_a_queued_run_wait(world):
    world.add(a_run(status=RunStatus.QUEUED))
    world.clock.move(seconds=90)
    assert sweep(world) == {Deed.NOTHING: 1}


def test_the_sweep_leaves_alone_what_is_not_due(world):
    world.add(a_run())
    assert sweep(world) == {}


def test_the_sweep_starts_what_was_accepted_and_not_started(world):
    world.add(a_run())
    world.clock.move(seconds=61)
    assert sweep(world) == {Deed.STARTED: 1}
    assert RUN_ID in world.executions.started
    assert sweep(world) == {}


def test_the_sweep_lets_a_healthy_run_be(world):
    world.add(a_running_run(heartbeat_at=later(seconds=60)))
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.tasks.states[TASK_ARN] = a_stopped_task(is_stopped=False)
    world.clock.move(seconds=75)
    assert sweep(world) == {Deed.NOTHING: 2}
    assert world.run().check_at == later(seconds=135)


def test_the_sweep_finishes_what_ended_unseen(world):
    world.add(a_running_run())
    world.tasks.states[TASK_ARN] = a_stopped_task(exit_code=137)
    world.clock.move(seconds=75)
    assert sweep(world) == {Deed.FINISHED: 1}
    assert world.run().error.code is RunErrorCode.COMPUTE_LOST


def test_the_sweep_stops_a_silent_runner(world):
    world.add(a_running_run())
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.tasks.states[TASK_ARN] = a_stopped_task(is_stopped=False)
    world.clock.move(seconds=75)
    assert sweep(world)[Deed.STOPPED] == 1
    assert world.run().stop_code is RunErrorCode.HEARTBEAT_LOST
    assert world.executions.stopped[RUN_ID].startswith("HEARTBEAT_LOST")
    assert world.tasks.stopped == [TASK_ARN]


def test_the_sweep_stops_a_run_past_its_time_whose_runner_still_beats(world):
    world.add(a_running_run(heartbeat_at=later(seconds=740)))
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.clock.move(seconds=740)
    assert sweep(world) == {Deed.STOPPED: 1}
    assert world.run().stop_code is RunErrorCode.RUN_TIMEOUT


def test_the_sweep_stops_what_nobody_claimed(world):
    world.add(a_run())
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.clock.move(seconds=601)
    assert sweep(world) == {Deed.STOPPED: 1}
    assert world.run().stop_code is RunErrorCode.START_TIMEOUT


def test_the_sweep_stops_again_what_a_cancel_could_not(world):
    world.add(a_running_run().cancel_requested("enough", later(seconds=20)))
    world.executions.statuses[RUN_ID] = ExecutionStatus.RUNNING
    world.tasks.states[TASK_ARN] = a_stopped_task(is_stopped=False)
    world.clock.move(seconds=90)
    assert sweep(world)[Deed.STOPPED] == 1
    assert world.executions.stopped[RUN_ID] == "CANCELLED_BY_USER: enough"


def test_the_sweep_ends_a_cancelled_run_whose_execution_never_began(world):
    world.add(a_run().cancel_requested(None, later(seconds=1)))
    world.clock.move(seconds=90)
    assert sweep(world) == {Deed.FINISHED: 1}
    assert world.run().status is RunStatus.CANCELLED


def test_the_sweep_waits_for_calls_that_may_be_under_way(world):
    cancelled = a_run().cancel_requested(None, later(seconds=1))
    world.add(replace(cancelled, check_at=later(seconds=10)))
    world.clock.move(seconds=30)
    assert sweep(world) == {Deed.NOTHING: 1}


def test_the_sweep_ends_a_run_whose_execution_ended_without_a_task(world):
    world.add(a_run())
    world.executions.statuses[RUN_ID] = ExecutionStatus.ABORTED
    world.clock.move(seconds=90)
    assert sweep(world) == {Deed.FINISHED: 1}
    assert world.run().error.code is RunErrorCode.AGENT_START_FAILED


def test_the_sweep_stops_a_task_whose_execution_is_over(world):
    world.add(a_running_run(heartbeat_at=later(seconds=80)))
    world.executions.statuses[RUN_ID] = ExecutionStatus.ABORTED
    world.tasks.states[TASK_ARN] = a_stopped_task(is_stopped=False)
    world.clock.move(seconds=90)
    assert sweep(world)[Deed.STOPPED] == 1
    assert world.tasks.stopped == [TASK_ARN]


@pytest.mark.parametrize("status", [ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED])
def test_the_sweep_leaves_a_healthy_task_alone_though_its_execution_ended(world, status):
    world.add(a_running_run(heartbeat_at=later(seconds=80)))
    world.executions.statuses[RUN_ID] = status
    world.tasks.states[TASK_ARN] = a_stopped_task(is_stopped=False)
    world.clock.move(seconds=90)
    assert Deed.STOPPED not in sweep(world)
    assert world.tasks.stopped == []


def test_the_sweep_ends_a_run_whose_task_ecs_has_forgotten(world):
    world.add(a_running_run())
    world.clock.move(hours=3)
    assert sweep(world) == {Deed.FINISHED: 1}
    assert world.run().error.code is RunErrorCode.COMPUTE_LOST


@pytest.mark.parametrize(
    "run", [a_running_run(status=RunStatus.COMPLETED), a_running_run(attempt=2, check_at=later(days=1))]
)
def test_the_sweep_stops_a_task_that_works_for_no_live_run(world, run):
    world.add(run)
    world.tasks.states[TASK_ARN] = a_stopped_task(is_stopped=False)
    assert sweep(world) == {Deed.ORPHAN_STOPPED: 1}
    assert world.tasks.stopped == [TASK_ARN]


def test_what_fails_for_good_gives_way_to_the_others_of_its_shard(world):
    world.add(a_run())
    world.executions.is_down = True
    world.clock.move(seconds=90)
    assert sweep(world) == {Deed.FAILED: 1}
    assert world.run().check_at == later(seconds=150)


def test_an_orphan_that_cannot_be_stopped_does_not_save_the_others(world):
    ended = a_running_run(status=RunStatus.COMPLETED)
    world.add(ended)
    world.tasks.states = {arn: a_stopped_task(task_arn=arn, is_stopped=False) for arn in (UNSTOPPABLE, TASK_ARN)}
    assert sweep(world) == {Deed.FAILED: 1, Deed.ORPHAN_STOPPED: 1}


def test_without_ecs_the_sweep_still_starts_what_was_not_started(world):
    world.add(a_run())
    world.tasks.is_down = True
    world.clock.move(seconds=90)
    assert sweep(world) == {Deed.STARTED: 1}


def test_nothing_is_taken_for_never_launched_while_the_tasks_are_not_all_known(world):
    world.add(a_run())
    world.tasks.is_complete = False
    world.executions.statuses[RUN_ID] = ExecutionStatus.ABORTED
    world.clock.move(seconds=90)
    sweep(world)
    assert world.run().status is RunStatus.PENDING


def test_a_counter_that_drifted_is_corrected_once(world):
    world.add(a_run(check_at=later(days=1)))
    world.runs.tenants["acme"] = replace(world.runs.tenants["acme"], active_runs=4)
    assert sweep(world) == {Deed.SLOTS_CORRECTED: 1}
    assert world.runs.tenants["acme"].active_runs == 1
    assert sweep(world) == {}


def test_counters_are_counted_every_ten_minutes(world):
    world.runs.tenants["acme"] = replace(world.runs.tenants["acme"], active_runs=4)
    world.clock.move(minutes=9)
    assert sweep(world) == {}
    world.clock.move(minutes=1)
    assert sweep(world) == {Deed.SLOTS_CORRECTED: 1}


def test_one_runs_trouble_does_not_keep_the_sweep_from_the_others(world):
    other = a_run(run_id="01Q3ENHRG0ZZZZZZZZZZZZZZZZ")
    world.add(a_run(), other)
    world.executions.is_down = True
    world.tasks.states[TASK_ARN] = a_stopped_task(run_id=other.run_id, is_stopped=False)
    world.clock.move(seconds=90)
    assert sweep(world)[Deed.FAILED] == 2
