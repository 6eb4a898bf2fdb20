"""What a run's change brings with it, of the tables and of the fake alike: slots, places, use, breakers, leave."""

from dataclasses import replace

import pytest
from builders import CLAIM, SMALL, TASK_ARN, a_key, a_plan, an_admission, later

from outpost.domain.admission import Allowance, Form, Usage
from outpost.domain.clocks import give_up_waiting
from outpost.domain.deployment import Breaker
from outpost.domain.money import price_compute
from outpost.domain.plan import month_of
from outpost.domain.run import RunStatus
from outpost.domain.run_error import RunError, RunErrorCode
from outpost.domain.tenant import TenantStatus
from outpost.domain.usage import Reservation
from outpost.ports import RunChangedMeanwhile, SlotRefusal, SlotRefused, WorkForbidden

from .both import MONTH, START_FAILED, SWITCH, numbered, waiting

ONE_AT_A_TIME = a_plan(concurrent_runs=1)
RESERVED = an_admission().asked
AT = later(seconds=30)


def claimed(run, seconds=10):
    """The run in the hands of its runner."""
    return run.claimed(attempt=run.attempt, claim_id=CLAIM, task_arn=TASK_ARN, at=later(seconds=seconds))


def completed(run, seconds):
    """The run after so many seconds of work."""
    ended = run.ended(RunStatus.COMPLETED, None, later(seconds=200))
    return replace(ended, compute_stopped_at=later(seconds=10 + seconds))


@pytest.fixture
def queued(make_ports):
    """The ports, and a waiting run whose tenant has room: the one before it has ended."""

    def make(**limits):
        ports = make_ports(plan=ONE_AT_A_TIME, **limits)
        first = ports.create(numbered(0))
        run = ports.create(waiting(1, reservation=RESERVED))
        ports.save(first, first.ended(RunStatus.FAILED, None, later(seconds=5)))
        return ports, run

    return make


def refuse_slot(ports, run):
    """Why a slot is refused; the run goes on waiting in its place."""
    before = ports.counters
    with pytest.raises(SlotRefused) as refused:
        ports.save(run, run.released(AT))
    assert (ports.counters, ports.runs.get("acme", run.run_id)) == (before, run)
    assert ports.queue.head("acme") == run.run_id
    return refused.value.reason


def block_shell(ports):
    """Five launches of another tenant's in a row that failed, the last one four seconds after noon."""
    admission = ports.add_tenant("unlucky")
    for failed in range(5):
        run = numbered(900 + failed, tenant_id="unlucky", created_at=later(seconds=failed))
        ports.runs.create(run, ports.event(tenant_id="unlucky"), admission)
        ports.save(run, run.ended(RunStatus.FAILED, START_FAILED, later(seconds=failed)))


def test_a_released_run_has_a_slot_and_no_place(queued):
    ports, run = queued()
    released = ports.save(run, run.released(AT))
    assert (released.status, ports.counters) == (RunStatus.PENDING, (1, 0, 1))
    assert ports.queue.order("acme") == ()
    assert ports.tenant.served_at == AT


def test_what_waits_in_other_places_stays(queued):
    ports, run = queued()
    ports.create(waiting(2))
    ports.save(run, run.released(AT))
    assert ports.queue.order("acme") == (waiting(2).run_id,)


def test_a_full_tenant_is_given_no_slot(queued):
    ports, run = queued()
    ports.create(waiting(2))
    ports.save(waiting(2), waiting(2).released(AT))
    assert refuse_slot(ports, run) is SlotRefusal.TENANT_IS_CLOSED


def test_a_suspended_tenant_is_given_no_slot(queued):
    ports, run = queued()
    ports.change_tenant(status=TenantStatus.SUSPENDED)
    assert refuse_slot(ports, run) is SlotRefusal.TENANT_IS_CLOSED


def test_the_tenants_kill_switch_keeps_slots_back(queued):
    ports, run = queued()
    ports.change_tenant(kill_switch=SWITCH)
    assert refuse_slot(ports, run) is SlotRefusal.TENANT_IS_CLOSED


def test_the_deployments_kill_switch_keeps_slots_back(queued):
    ports, run = queued()
    ports.deployments.set_kill_switch(SWITCH, ports.event())
    assert refuse_slot(ports, run) is SlotRefusal.DEPLOYMENT_IS_CLOSED


def test_a_full_deployment_has_no_slot_to_give(queued):
    ports, run = queued(deployment_runs=1)
    others = ports.add_tenant("other")
    ports.runs.create(numbered(7, tenant_id="other"), ports.event(tenant_id="other"), others)
    assert refuse_slot(ports, run) is SlotRefusal.DEPLOYMENT_IS_CLOSED


def test_a_closed_deployment_is_the_stronger_reason(queued):
    ports, run = queued()
    ports.change_tenant(kill_switch=SWITCH)
    ports.deployments.set_kill_switch(SWITCH, ports.event())
    assert refuse_slot(ports, run) is SlotRefusal.DEPLOYMENT_IS_CLOSED


def test_a_run_of_an_agent_that_keeps_failing_is_given_no_slot(queued):
    ports, run = queued()
    block_shell(ports)
    assert refuse_slot(ports, run) is SlotRefusal.AGENT_IS_BLOCKED


def test_a_run_that_is_released_tries_a_half_open_breaker_alone(queued):
    ports, run = queued()
    ports.change_tenant(plan=a_plan(concurrent_runs=2), plan_revision=2)
    second = ports.create(waiting(2), plan_revision=2)
    block_shell(ports)
    ports.save(run, run.released(later(seconds=64)))
    with pytest.raises(SlotRefused) as refused:
        ports.save(second, second.released(later(seconds=65)))
    assert refused.value.reason is SlotRefusal.AGENT_IS_BLOCKED


def test_a_slot_comes_again_once_the_switch_is_lifted(queued):
    ports, run = queued()
    ports.change_tenant(kill_switch=SWITCH)
    ports.change_tenant(kill_switch=None)
    assert ports.save(run, run.released(AT)).status is RunStatus.PENDING


def test_a_second_release_of_the_same_run_is_refused_as_stale(queued):
    ports, run = queued()
    ports.change_tenant(plan=a_plan(concurrent_runs=2), plan_revision=2)
    ports.save(run, run.released(AT))
    with pytest.raises(RunChangedMeanwhile):
        ports.save(run, run.released(AT))
    assert ports.counters == (1, 0, 1)


def test_a_cancel_in_the_queue_gives_the_place_back_and_no_slot(queued):
    ports, run = queued()
    ports.save(run, run.cancel_requested(None, AT))
    assert (ports.counters, ports.queue.order("acme")) == ((0, 0, 0), ())


def test_a_run_that_waited_too_long_gives_its_place_back(queued):
    ports, run = queued()
    ports.save(run, give_up_waiting(run, AT))
    assert (ports.counters, ports.queue.order("acme")) == ((0, 0, 0), ())


def test_the_token_of_a_waiting_execution_moves_nothing(queued):
    ports, run = queued()
    told = ports.save(run, run.waiting("a-task-token"))
    assert (ports.runs.get("acme", run.run_id), ports.counters) == (told, (0, 1, 0))
    assert told.wait_tokens == ("a-task-token",)


def test_the_end_of_a_run_frees_its_slot_once(make_ports):
    ports = make_ports(plan=a_plan(concurrent_runs=2))
    first = ports.create(numbered(1))
    ports.create(numbered(2))
    ended = ports.save(first, first.ended(RunStatus.FAILED, None, AT))
    ports.save(ended, replace(ended, exit_code=1))
    assert ports.counters == (1, 0, 1)


@pytest.mark.parametrize(
    "change",
    [claimed, lambda run: run.cancel_requested(None, AT), lambda run: run.relaunched(START_FAILED, AT)],
    ids=["claimed", "cancelled", "relaunched"],
)
def test_a_run_at_work_keeps_its_one_slot(ports, change):
    run = ports.create(numbered(1))
    ports.save(run, change(run))
    assert ports.counters == (1, 0, 1)


def test_a_cancelled_runs_slot_is_freed_with_its_compute(ports):
    run = ports.create(numbered(1))
    cancelling = ports.save(run, run.cancel_requested(None, AT))
    ports.save(cancelling, cancelling.ended(RunStatus.CANCELLED, None, later(seconds=40)))
    assert ports.counters == (0, 0, 0)


def forbid(ports, run):
    """The code with which a claim is forbidden; the run goes on waiting for its runner."""
    with pytest.raises(WorkForbidden) as forbidden:
        ports.save(run, claimed(run))
    assert ports.runs.get("acme", run.run_id) == run
    return forbidden.value.code


def test_a_claim_is_forbidden_to_a_suspended_tenant(ports):
    run = ports.create(numbered(1))
    ports.change_tenant(status=TenantStatus.SUSPENDED)
    assert forbid(ports, run) is RunErrorCode.TENANT_SUSPENDED


def test_a_claim_is_forbidden_under_the_tenants_kill_switch(ports):
    run = ports.create(numbered(1))
    ports.change_tenant(kill_switch=SWITCH)
    assert forbid(ports, run) is RunErrorCode.KILL_SWITCH_ON


def test_a_claim_is_forbidden_under_the_deployments_kill_switch(ports):
    run = ports.create(numbered(1))
    ports.deployments.set_kill_switch(SWITCH, ports.event())
    assert forbid(ports, run) is RunErrorCode.KILL_SWITCH_ON


def test_a_suspension_is_the_stronger_reason(ports):
    run = ports.create(numbered(1))
    ports.change_tenant(status=TenantStatus.SUSPENDED, kill_switch=SWITCH)
    ports.deployments.set_kill_switch(SWITCH, ports.event())
    assert forbid(ports, run) is RunErrorCode.TENANT_SUSPENDED


def test_a_run_that_is_at_work_goes_on_under_a_kill_switch(ports):
    run = ports.create(numbered(1))
    running = ports.save(run, claimed(run))
    ports.change_tenant(kill_switch=SWITCH)
    beaten = replace(running, heartbeat_at=AT)
    assert ports.save(running, beaten).heartbeat_at == AT


def test_a_run_ends_under_a_kill_switch(ports):
    run = ports.create(numbered(1))
    ports.deployments.set_kill_switch(SWITCH, ports.event())
    ports.save(run, run.ended(RunStatus.FAILED, None, AT))
    assert ports.counters == (0, 0, 0)


def cost(seconds):
    """The price of the shell agent's compute."""
    return price_compute(SMALL, seconds)


def test_what_was_reserved_becomes_what_was_used(ports):
    run = ports.create(numbered(1, reservation=RESERVED))
    running = ports.save(run, claimed(run))
    ports.save(running, completed(running, seconds=61))
    assert ports.used == Usage(1, 61, cost(61))


def test_no_more_time_is_used_than_was_reserved_while_compute_costs_what_it_took(ports):
    run = ports.create(numbered(1, reservation=RESERVED))
    running = ports.save(run, claimed(run))
    ports.save(running, completed(running, seconds=700))
    assert ports.used == Usage(1, 600, cost(700))


def test_a_run_that_was_never_claimed_has_used_nothing(ports):
    run = ports.create(numbered(1, reservation=RESERVED))
    ports.save(run, run.ended(RunStatus.FAILED, START_FAILED, AT))
    assert ports.used == Usage(1, 0, 0)


def test_a_cancel_in_the_queue_gives_everything_back_but_the_dispatch(queued):
    ports, run = queued()
    ports.save(run, run.cancel_requested(None, AT))
    # The run before it was made without a reservation, so what it took was never given back.
    assert ports.used == Usage(2, 600, 1_665)


def test_use_is_settled_once(ports):
    run = ports.create(numbered(1, reservation=RESERVED))
    running = ports.save(run, claimed(run))
    ended = ports.save(running, completed(running, seconds=61))
    ports.save(ended, replace(ended, exit_code=0))
    assert ports.used == Usage(1, 61, cost(61))


def test_a_lost_attempt_settles_nothing_yet(ports):
    run = ports.create(numbered(1, reservation=RESERVED))
    running = ports.save(run, claimed(run))
    ports.save(running, running.relaunched(RunError.of(RunErrorCode.COMPUTE_LOST, "reclaimed"), AT))
    assert ports.used == Usage(1, 600, 1_665)


def test_a_keys_own_budget_is_settled_in_its_own_period(ports):
    own = Allowance(month_of(later(days=31)), key_id=a_key().key_id, cost_microusd=5_000)
    asked = replace(RESERVED, budget_key_id=a_key().key_id, key_period="2030-02")
    run = ports.create(numbered(1, reservation=asked), asked=asked, allowances=(MONTH, own))
    running = ports.save(run, claimed(run))
    ports.save(running, completed(running, seconds=61))
    assert (ports.used, ports.accounts.usage("acme", own)) == (Usage(1, 61, cost(61)), Usage(1, 61, cost(61)))


def test_use_is_settled_in_the_period_in_which_it_was_reserved(ports):
    reserved = Reservation("2029-12", 600, 1_665)
    december = Allowance(month_of(later(days=-1)))
    run = ports.create(numbered(1, reservation=reserved), allowances=(december,))
    ports.save(run, run.ended(RunStatus.FAILED, START_FAILED, AT))
    assert (ports.accounts.usage("acme", december), ports.used) == (Usage(1, 0, 0), Usage())


def breaker(ports):
    """The breaker of the agent shell."""
    return ports.deployments.get().breaker("shell")


@pytest.mark.parametrize(
    "code",
    [
        RunErrorCode.AGENT_START_FAILED,
        RunErrorCode.START_TIMEOUT,
        RunErrorCode.PROVIDER_UNAVAILABLE,
        RunErrorCode.PROVIDER_AUTH_FAILED,
    ],
)
def test_a_failure_beneath_the_task_counts_for_the_breaker(ports, code):
    run = ports.create(numbered(1))
    ports.save(run, run.ended(RunStatus.FAILED, RunError.of(code, "it failed"), AT))
    assert breaker(ports) == Breaker(1, AT)


def test_failures_in_a_row_add_up_to_the_last_ones_time(ports):
    ports.fail_launches(3)
    assert breaker(ports) == Breaker(3, later(seconds=2))


def test_a_run_that_worked_closes_the_breaker(ports):
    ports.fail_launches(3)
    run = ports.create(numbered(1))
    running = ports.save(run, claimed(run))
    ports.save(running, completed(running, seconds=5))
    assert breaker(ports) == Breaker()


def test_an_agents_own_failure_proves_that_it_can_be_launched(ports):
    ports.fail_launches(3)
    run = ports.create(numbered(1))
    running = ports.save(run, claimed(run))
    failed = running.ended(RunStatus.FAILED, RunError.of(RunErrorCode.AGENT_FAILED, "exit 1"), AT)
    ports.save(running, failed)
    assert breaker(ports) == Breaker()


def test_another_agents_breaker_is_its_own(ports):
    ports.fail_launches(3)
    run = ports.create(numbered(1, agent="claude"))
    running = ports.save(run, claimed(run))
    ports.save(running, completed(running, seconds=5))
    assert breaker(ports).failures == 3


def test_a_lost_launch_counts_though_another_attempt_follows(ports):
    run = ports.create(numbered(1))
    ports.save(run, run.relaunched(START_FAILED, AT))
    assert (breaker(ports), ports.counters) == (Breaker(1, AT), (1, 0, 1))


def test_a_lost_machine_says_nothing_of_the_agent(ports):
    ports.fail_launches(1)
    run = ports.create(numbered(1))
    running = ports.save(run, claimed(run))
    ports.save(running, running.relaunched(RunError.of(RunErrorCode.COMPUTE_LOST, "reclaimed"), AT))
    assert breaker(ports) == Breaker(1, later(seconds=0))


@pytest.mark.parametrize(
    "end", [lambda run: give_up_waiting(run, AT), lambda run: run.cancel_requested(None, AT)], ids=["late", "cancelled"]
)
def test_the_end_of_a_run_that_waited_says_nothing_of_the_agent(queued, end):
    ports, run = queued()
    ports.save(run, end(run))
    assert breaker(ports) == Breaker()


def test_a_cancel_before_the_claim_says_nothing_of_the_agent(ports):
    ports.fail_launches(1)
    run = ports.create(numbered(1))
    cancelling = ports.save(run, run.cancel_requested(None, AT))
    ports.save(cancelling, cancelling.ended(RunStatus.CANCELLED, None, later(seconds=40)))
    assert breaker(ports).failures == 1


def test_the_run_that_tried_a_half_open_breaker_closes_it(ports):
    ports.fail_launches(5)
    run = ports.create(numbered(1, created_at=later(seconds=64)))
    running = ports.save(run, claimed(run, seconds=70))
    ports.save(running, completed(running, seconds=65))
    ports.create(numbered(2, created_at=later(seconds=80)))
    assert (breaker(ports).failures, ports.counters) == (0, (1, 0, 1))


def test_the_run_that_tried_in_vain_leaves_it_open_for_another_while(ports):
    ports.fail_launches(5)
    run = ports.create(numbered(1, created_at=later(seconds=64)))
    ports.save(run, run.ended(RunStatus.FAILED, START_FAILED, later(seconds=70)))
    assert breaker(ports) == Breaker(6, later(seconds=70))


def test_runs_at_work_are_those_that_a_cancel_could_stop(make_ports):
    ports = make_ports(plan=a_plan(concurrent_runs=3))
    pending, running, cancelling = (ports.create(numbered(number)) for number in (1, 2, 3))
    ports.create(waiting(4))
    ports.save(running, claimed(running))
    ports.save(cancelling, cancelling.cancel_requested(None, AT))
    assert sorted(ports.runs.at_work("acme", later(minutes=5))) == [pending.run_id, running.run_id]


def test_runs_that_have_ended_and_those_of_others_are_not_at_work(ports):
    run = ports.create(numbered(1))
    ports.save(run, run.ended(RunStatus.FAILED, None, AT))
    ports.create(numbered(2))
    assert ports.runs.at_work("acme", later(minutes=5)) == (numbered(2).run_id,)
    assert ports.runs.at_work("other", later(minutes=5)) == ()


def test_a_waiting_run_is_due_like_any_other(queued):
    ports, run = queued()
    assert ("acme", run.run_id) in ports.runs.due(run.active_shard, later(seconds=60), 10)


def test_a_run_behind_a_full_deployment_is_released_when_there_is_room(make_ports):
    ports = make_ports(deployment_runs=1)
    others = ports.add_tenant("other")
    theirs = numbered(7, tenant_id="other")
    ports.runs.create(theirs, ports.event(tenant_id="other"), others)
    run = ports.create(waiting(1), form=Form.BEHIND_OTHERS)
    ports.save(theirs, theirs.ended(RunStatus.FAILED, None, AT))
    ports.save(run, run.released(AT))
    assert ports.counters == (1, 0, 1)


def test_a_sign_of_life_moves_no_counter(ports):
    run = ports.create(numbered(1))
    running = ports.save(run, claimed(run))
    ports.runs.save(running, replace(running, heartbeat_at=AT), None)
    assert ports.counters == (1, 0, 1)
