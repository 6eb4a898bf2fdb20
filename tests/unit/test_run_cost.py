"""What a run costs: its compute by the task's own times, and its models as its gateway has counted."""

from dataclasses import replace

import pytest
from builders import CLAIM, SMALL, TASK_ARN, a_report, a_run, a_running_run, a_stopped_task, evidence_of, later

from outpost.domain.money import price_compute
from outpost.domain.outcome import StopCode, settle
from outpost.domain.report import Phase
from outpost.domain.run_error import RunError, RunErrorCode
from outpost.domain.usage import ModelBudget, ModelUsage

USED = ModelUsage(input_tokens=100, output_tokens=10, calls=2, cost_microusd=4_000)
MORE = ModelUsage(input_tokens=200, output_tokens=30, calls=3, cost_microusd=9_000)


def compute(seconds):
    return price_compute(SMALL, seconds)


def beat(run, usage):
    return run.beaten(attempt=1, claim_id=CLAIM, phase=Phase.RUNNING, message=None, at=later(seconds=20), usage=usage)


def test_a_run_that_no_runner_took_costs_nothing():
    assert a_run().cost_microusd(later(hours=1)) == 0


@pytest.mark.parametrize(("seconds", "billed"), [(11, 60), (70, 60), (71, 61), (70.5, 61), (3_610, 3_600)])
def test_while_it_runs_its_compute_is_estimated_from_the_claim(seconds, billed):
    assert a_running_run().cost_microusd(later(seconds=seconds)) == compute(billed)


def test_at_its_end_compute_is_billed_from_the_images_download_to_the_tasks_stop():
    task = a_stopped_task(started_at=later(seconds=-20), stopped_at=later(seconds=100))
    ended = settle(a_running_run(report=a_report()), evidence_of(task), later(seconds=150))
    assert ended.cost_microusd(ended.ended_at) == compute(120)
    assert ended.cost_microusd(later(days=1)) == compute(120)


def test_a_task_that_does_not_say_when_it_began_is_billed_from_the_claim():
    ended = settle(a_running_run(report=a_report()), evidence_of(a_stopped_task()), later(seconds=150))
    assert ended.cost_microusd(ended.ended_at) == compute(60)


def test_models_cost_what_the_last_sign_of_life_told():
    run = beat(a_running_run(), USED)
    assert run.cost_microusd(later(seconds=30)) == 4_000 + compute(60)


@pytest.mark.parametrize("order", [(USED, MORE), (MORE, USED), (MORE, None)])
def test_a_late_or_silent_sign_of_life_takes_nothing_back(order):
    first, second = order
    assert beat(beat(a_running_run(), first), second).usage == MORE


def test_the_report_has_the_last_word():
    run = beat(a_running_run(), USED).reported(a_report(usage=MORE), claim_id=CLAIM)
    assert run.model_cost_microusd == 9_000


def test_a_report_without_a_reading_keeps_the_last_one():
    run = beat(a_running_run(), USED).reported(a_report(), claim_id=CLAIM)
    assert run.usage == USED


def test_a_lost_attempt_costs_nothing_and_is_kept_with_what_it_used():
    lost = a_stopped_task(stop_code=StopCode.SPOT_INTERRUPTION, exit_code=None)
    again = settle(beat(a_running_run(), USED), evidence_of(lost), later(seconds=80))
    assert (again.usage, again.cost_microusd(later(hours=1))) == (None, 0)
    assert again.lost_attempts[0].usage == USED


def test_what_a_lost_attempt_used_of_a_tenants_own_key_counts():
    lost = a_stopped_task(stop_code=StopCode.SPOT_INTERRUPTION, exit_code=None)
    run = beat(a_running_run(has_own_provider_key=True, budget=ModelBudget(10_000, 500)), USED)
    again = settle(run, evidence_of(lost), later(seconds=80))
    claimed = again.claimed(attempt=2, claim_id=CLAIM, task_arn=TASK_ARN, at=later(seconds=90))
    assert claimed.budget_left == ModelBudget(6_000, 390)
    assert replace(claimed, usage=MORE).charged_usage == USED + MORE
    assert replace(claimed, usage=MORE).cost_microusd(later(seconds=100)) == 13_000 + compute(60)


def test_a_lost_attempt_of_the_platforms_key_takes_nothing_of_the_budget():
    lost = a_stopped_task(stop_code=StopCode.SPOT_INTERRUPTION, exit_code=None)
    again = settle(beat(a_running_run(budget=ModelBudget(10_000)), USED), evidence_of(lost), later(seconds=80))
    assert again.budget_left == ModelBudget(10_000)


def test_the_next_attempt_is_not_billed_for_the_time_of_the_lost_one():
    lost = a_stopped_task(stop_code=StopCode.SPOT_INTERRUPTION, exit_code=None, started_at=later())
    again = settle(a_running_run(), evidence_of(lost), later(seconds=80))
    claimed = again.claimed(attempt=2, claim_id=CLAIM, task_arn=TASK_ARN, at=later(seconds=1_000))
    assert claimed.cost_microusd(later(seconds=1_100)) == compute(100)


def test_a_failure_costs_what_it_used():
    error = RunError.of(RunErrorCode.AGENT_FAILED, "It failed.")
    failed = a_running_run(report=a_report(error=error, exit_code=1), usage=USED)
    ended = settle(failed, evidence_of(a_stopped_task(exit_code=10)), later(seconds=80))
    assert ended.cost_microusd(ended.ended_at) == 4_000 + compute(60)
