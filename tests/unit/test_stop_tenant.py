from dataclasses import dataclass

from builders import a_run, a_running_run, a_tenant
from fakes import RecordingExecutions, SteppedClock

from outpost.domain.run import RunStatus
from outpost.use_cases.stop_tenant import stop_tenant

PORTS = ("runs", "executions", "clock", "identifiers")


@dataclass
class SlowExecutions(RecordingExecutions):
    """Executions each of which takes its seconds to stop."""

    clock: SteppedClock | None = None
    seconds: float = 0.0

    def stop(self, run_id, *, error, cause):
        self.clock.move(seconds=self.seconds)
        super().stop(run_id, error=error, cause=cause)


def run_id(number):
    return f"01Q3ENHRG0{number:016d}"


def test_what_has_compute_is_cancelled_and_what_waits_stays_in_the_queue(world):
    world.add(a_run(run_id=run_id(1)), a_running_run(run_id=run_id(2)))
    world.add(a_run(run_id=run_id(3), status=RunStatus.QUEUED))
    assert stop_tenant("acme", **world.ports(*PORTS)) == 2
    statuses = [run.status for run in world.runs.records.values()]
    assert statuses == [RunStatus.CANCELLING, RunStatus.CANCELLING, RunStatus.QUEUED]
    assert world.executions.stopped[run_id(1)] == "CANCELLED_BY_USER: A kill switch was put on."


def test_what_is_another_tenants_goes_on(world):
    world.runs.tenants["other"] = a_tenant(tenant_id="other")
    world.add(a_running_run(tenant_id="other"))
    assert stop_tenant("acme", **world.ports(*PORTS)) == 0
    assert world.run().status is RunStatus.RUNNING


def test_a_run_that_ends_meanwhile_does_not_save_the_others(world):
    first, second = a_running_run(run_id=run_id(1)), a_running_run(run_id=run_id(2))
    world.add(first, second)
    ended = first.ended(RunStatus.COMPLETED, None, world.clock.now())
    world.runs.before_changes = [lambda: world.runs.save(first, ended, None)]
    assert stop_tenant("acme", **world.ports(*PORTS)) == 1
    assert world.run(second).status is RunStatus.CANCELLING


def test_what_one_request_has_no_time_for_is_left_to_the_sweep(world):
    world.add(*(a_running_run(run_id=run_id(number)) for number in range(5)))
    world.executions = SlowExecutions(clock=world.clock, seconds=6)
    assert stop_tenant("acme", **world.ports(*PORTS)) == 3
    assert world.run(a_run(run_id=run_id(4))).status is RunStatus.RUNNING
