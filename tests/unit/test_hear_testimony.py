import pytest
from builders import TASK_ARN, a_run, a_running_run, a_stopped_task, evidence_of, later

from outpost.domain.errors import RunNotFound
from outpost.domain.outcome import Evidence, NeverLaunched, StopCode, Testimony
from outpost.domain.run import RunStatus
from outpost.domain.run_error import RunErrorCode
from outpost.use_cases.finish_run import mark_stopping
from outpost.use_cases.hear_testimony import hear_testimony

CHANGE = ("runs", "clock", "identifiers")
RUN_ID = a_run().run_id
QUEUED = a_run(status=RunStatus.QUEUED)


def hear(world, evidence, **road):
    return hear_testimony(Testimony("acme", RUN_ID, evidence, **road), **world.ports(*CHANGE, "tasks"))


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


def test_an_execution_out_of_time_ends_its_waiting_run(world):
    world.add(QUEUED)
    run = hear(world, Evidence(1), is_waiting=True, ran_out_of_time=True, is_given_up=True)
    assert (run.status, run.error.code) == (RunStatus.TIMEOUT, RunErrorCode.QUEUE_TIMEOUT)
    assert world.event_types() == ["run.timeout"]


def test_the_event_of_an_execution_out_of_time_ends_its_waiting_run_as_well(world):
    world.add(QUEUED)
    run = hear(world, Evidence(1), ran_out_of_time=True, is_given_up=True)
    assert run.error.code is RunErrorCode.QUEUE_TIMEOUT


def test_an_execution_that_was_aborted_ends_its_waiting_run(world):
    world.add(QUEUED)
    run = hear(world, Evidence(1), is_given_up=True)
    assert (run.status, run.error.code) == (RunStatus.FAILED, RunErrorCode.AGENT_START_FAILED)
    assert world.event_types() == ["run.failed"]


def test_any_other_trouble_while_waiting_leaves_the_run_in_the_queue(world):
    world.add(QUEUED)
    assert hear(world, Evidence(1, detail="States.Runtime: something"), is_waiting=True) == QUEUED
    assert world.event_types() == []


@pytest.mark.parametrize("road", [{"ran_out_of_time": True, "is_given_up": True}, {}])
def test_a_run_whose_slot_came_before_the_end_of_its_wait_goes_on(world, road):
    world.add(a_run())
    assert hear(world, Evidence(1), is_waiting=True, **road) == a_run()
    assert world.event_types() == []


@pytest.mark.parametrize("road", [{"ran_out_of_time": True, "is_given_up": True}, {"is_given_up": True}])
def test_a_slot_that_comes_in_the_same_moment_is_not_taken_away_again(world, road):
    world.add(QUEUED)
    world.runs.before_changes = [lambda: world.runs.save(QUEUED, QUEUED.released(later(seconds=1)), None)]
    assert hear(world, Evidence(1), is_waiting=True, **road).status is RunStatus.PENDING
    assert (world.tenant().active_runs, world.tenant().queued_runs) == (1, 0)


def test_the_end_of_a_wait_that_is_heard_twice_ends_the_run_once(world):
    world.add(QUEUED)
    first = hear(world, Evidence(1), is_waiting=True, ran_out_of_time=True)
    assert hear(world, Evidence(1), ran_out_of_time=True, is_given_up=True) == first
    assert world.event_types() == ["run.timeout"]
    assert world.tenant().queued_runs == 0


@pytest.mark.parametrize("road", [{"is_waiting": True}, {"is_given_up": True}, {"ran_out_of_time": True}, {}])
def test_testimony_of_no_run_is_refused(world, road):
    with pytest.raises(RunNotFound):
        hear(world, Evidence(1), **road)
