"""Small checks of what the conditions of an admission are for; each fails where its condition is dropped."""

from dataclasses import replace

from builders import NOON, a_run, an_admission, an_event, later

from outpost.adapters.dynamo_items import encode, run_key, timestamp
from outpost.domain.admission import Allowance, Form
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.plan import month_of
from outpost.ports import IdempotencyLock, NotAdmitted

from .bench import DEPLOYMENT_SLOTS, PLACES, QUEUED, SLOTS, Bench, Check, other_run, refusal

LAUNCH, BEHIND_OWN, BEHIND_OTHERS = Form
SWITCH = encode(KillSwitch("a drill", NOON, "operator"))
OPEN = {"failures_shell": 5, "blocked_since_shell": timestamp(NOON)}
LIMITED = (Allowance(month_of(NOON), dispatches=2, agent_seconds=1_200, cost_microusd=4_000),)


def a_run_is_never_created_over(bench: Bench) -> None:
    bench.create(a_run())
    assert bench.create(a_run(task="another")) is not None


def an_event_is_never_written_over(bench: Bench) -> None:
    bench.create(a_run())
    assert refusal(lambda: bench.runs.create(other_run(), an_event(event_id="EVENT1"), an_admission())) is not None


def a_place_is_never_taken_twice(bench: Bench) -> None:
    assert bench.create_as(BEHIND_OWN) is None
    bench.delete(bench.deployment.settings.jobs_table, run_key("acme", QUEUED.run_id))
    assert bench.create_as(BEHIND_OWN) is not None


def a_key_of_idempotency_makes_one_run(bench: Bench) -> None:
    lock = IdempotencyLock("once", "0" * 64, a_run().run_id, later(hours=24))
    bench.create(a_run(), lock=lock)
    assert bench.create(other_run(), lock=replace(lock, run_id=other_run().run_id)) is NotAdmitted


def a_key_revoked_meanwhile_starts_nothing(bench: Bench) -> None:
    bench.set_key(status="REVOKED")
    assert bench.create(a_run()) is NotAdmitted


def a_key_that_is_over_starts_nothing(bench: Bench) -> None:
    bench.set_key(expires_at="2030-01-01T11:00:00.000Z")
    assert bench.create(a_run()) is NotAdmitted


def no_run_begins_beyond_the_limit(bench: Bench) -> None:
    bench.set_tenant(active_runs=SLOTS)
    assert bench.create(a_run()) is NotAdmitted


def no_run_overtakes_who_waits(bench: Bench) -> None:
    bench.set_tenant(queued_runs=1)
    assert bench.create(a_run()) is NotAdmitted


def no_run_waits_without_need(bench: Bench) -> None:
    assert bench.create(QUEUED, form=BEHIND_OWN) is NotAdmitted


def no_run_waits_for_others_without_need(bench: Bench) -> None:
    bench.set_deployment(active_runs=DEPLOYMENT_SLOTS - 1)
    assert bench.create(QUEUED, form=BEHIND_OTHERS) is NotAdmitted


def nobody_launches_beyond_the_deployments_limit(bench: Bench) -> None:
    bench.set_deployment(active_runs=DEPLOYMENT_SLOTS)
    assert bench.create(a_run()) is NotAdmitted


def use_is_kept_within_the_dispatches(bench: Bench) -> None:
    bench.create(a_run(), allowances=LIMITED)
    bench.create(other_run(1), allowances=LIMITED)
    bench.set_tenant(active_runs=0)
    roomy = replace(LIMITED[0], agent_seconds=10_000, cost_microusd=10_000)
    assert bench.create(other_run(2), allowances=(roomy,)) is NotAdmitted


def use_is_kept_within_the_agent_time(bench: Bench) -> None:
    bench.create(a_run(), allowances=LIMITED)
    short = replace(LIMITED[0], agent_seconds=1_199)
    assert bench.create(other_run(), allowances=(short,)) is NotAdmitted


def use_is_kept_within_the_budget(bench: Bench) -> None:
    bench.create(a_run(), allowances=LIMITED)
    poor = replace(LIMITED[0], cost_microusd=3_329)
    assert bench.create(other_run(), allowances=(poor,)) is NotAdmitted


def a_suspended_tenant(bench: Bench) -> None:
    bench.set_tenant(status="SUSPENDED")


def a_tenant_with_its_switch_on(bench: Bench) -> None:
    bench.set_tenant(kill_switch=SWITCH)


def a_tenant_whose_plan_has_changed(bench: Bench) -> None:
    bench.set_tenant(plan_revision=2)


def a_tenant_with_a_full_queue(bench: Bench) -> None:
    bench.set_tenant(queued_runs=PLACES)


def a_deployment_with_its_switch_on(bench: Bench) -> None:
    bench.set_deployment(kill_switch=SWITCH)


def an_agent_whose_breaker_is_open(bench: Bench) -> None:
    bench.set_deployment(**OPEN)


def is_refused(obstacle: Check, form: Form) -> Check:
    """The check that a run in this form is refused because of the obstacle."""

    def check(bench: Bench) -> None:
        obstacle(bench)
        assert bench.create_as(form) is NotAdmitted

    check.__name__ = f"{obstacle.__name__}_refuses_{form.name.lower()}"
    return check


OBSTACLES = (
    a_suspended_tenant,
    a_tenant_with_its_switch_on,
    a_tenant_whose_plan_has_changed,
    a_deployment_with_its_switch_on,
    an_agent_whose_breaker_is_open,
)
ADMISSION_CHECKS: tuple[Check, ...] = (
    a_run_is_never_created_over,
    an_event_is_never_written_over,
    a_place_is_never_taken_twice,
    a_key_of_idempotency_makes_one_run,
    a_key_revoked_meanwhile_starts_nothing,
    a_key_that_is_over_starts_nothing,
    no_run_begins_beyond_the_limit,
    no_run_overtakes_who_waits,
    no_run_waits_without_need,
    no_run_waits_for_others_without_need,
    nobody_launches_beyond_the_deployments_limit,
    use_is_kept_within_the_dispatches,
    use_is_kept_within_the_agent_time,
    use_is_kept_within_the_budget,
    *(is_refused(obstacle, form) for obstacle in OBSTACLES for form in Form),
    is_refused(a_tenant_with_a_full_queue, BEHIND_OWN),
    is_refused(a_tenant_with_a_full_queue, BEHIND_OTHERS),
)
