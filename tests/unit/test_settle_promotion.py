"""Promotions whose tasks ended without a word, and those that nobody started."""

import pytest
from builders import NOON, TASK_ARN, a_promotion, a_promotion_report, a_run, later, taken

from outpost.domain.errors import PromotionNotFound, Unavailable
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.promotion import SILENT_AFTER, PromotionErrorCode, PromotionStatus
from outpost.ports import ExecutionStatus
from outpost.use_cases.carry_out_promotion import complete_promotion
from outpost.use_cases.claim_run import RunnerIdentity
from outpost.use_cases.settle_promotion import PROMOTIONS, PromotionSweeper, settle_promotion, sweep_promotions

RUN_ID = a_run().run_id
RUNNING = taken(a_promotion(), later(minutes=3))
DONE = RUNNING.reported(1, a_promotion_report(), later(minutes=4))


@pytest.fixture
def put(world):
    """Puts a promotion there, with its execution in a state, long before now."""

    def put(promotion, execution=None):
        world.clock.move(minutes=20)
        world.runs.promotions[promotion.tenant_id, promotion.run_id] = promotion
        place = (promotion.run_id, promotion.attempt)
        world.promotion_executions.statuses |= {} if execution is None else {place: execution}

    return put


def settle(world, attempt=1, *, timeout=False, detail="", task_arn=TASK_ARN):
    return settle_promotion(
        "acme",
        RUN_ID,
        attempt,
        ran_out_of_time=timeout,
        detail=detail,
        task_arn=task_arn,
        **world.ports("promotions", "clock", "identifiers"),
    )


def sweep(world):
    return sweep_promotions(
        PromotionSweeper(
            executions=world.promotion_executions,
            **world.ports("promotions", "accounts", "deployments", "signing_key", "clock", "identifiers"),
        )
    )


def stored(world, run_id=RUN_ID):
    return world.promotions.get("acme", run_id)


@pytest.mark.parametrize("promotion", [a_promotion(), RUNNING], ids=lambda each: each.status)
def test_a_task_that_ended_without_a_word_fails_the_promotion(world, put, promotion):
    put(promotion)
    error = settle(world, detail="ECS.Refused: no capacity").report.error
    assert (error.code, error.retryable) == (PromotionErrorCode.PROMOTION_FAILED, True)
    assert error.message == "The promotion's task ended without a result. ECS.Refused: no capacity"
    assert world.event_types() == ["promotion.failed"]


def test_a_task_that_ran_out_of_time_is_told_apart(world, put):
    put(RUNNING)
    error = settle(world, timeout=True).report.error
    assert (error.code, error.message) == ("PROMOTION_TIMEOUT", "The promotion's task did not end in time.")


def test_what_the_cloud_says_is_told_without_its_names(world, put):
    put(RUNNING)
    detail = "arn:aws:ecs:us-east-1:123456789012:task/outpost-dev/0123456789abcdef stopped"
    assert "123456789012" not in settle(world, detail=detail).report.error.message


def test_a_promotion_that_has_told_its_end_is_left_alone(world, put):
    put(DONE)
    assert settle(world) == DONE
    assert world.event_types() == []


def test_a_promotion_at_another_attempt_is_left_alone(world, put):
    put(RUNNING)
    assert settle(world, attempt=2) == RUNNING


def test_the_end_of_a_second_task_is_not_the_end_of_the_one_that_has_claimed(world, put):
    put(taken(a_promotion(), later(minutes=19)))
    assert settle(world, task_arn="another").status is PromotionStatus.RUNNING
    complete_promotion(
        RunnerIdentity("acme", RUN_ID, 1), a_promotion_report(), **world.ports("promotions", "clock", "identifiers")
    )
    assert stored(world).status is PromotionStatus.COMPLETED


def test_there_is_nothing_to_settle_of_nobodys_promotion(world):
    with pytest.raises(PromotionNotFound):
        settle(world)


def test_the_sweep_starts_what_was_never_started(world, put):
    put(a_promotion())
    assert sweep(world) == 1
    assert list(world.promotion_executions.started) == [(RUN_ID, 1)]
    assert stored(world).status is PromotionStatus.PENDING


def test_the_sweep_leaves_what_is_at_work(world, put):
    put(RUNNING, ExecutionStatus.RUNNING)
    assert sweep(world) == 0
    assert stored(world).status is PromotionStatus.RUNNING


@pytest.mark.parametrize(
    ("execution", "code"),
    [
        (ExecutionStatus.SUCCEEDED, "PROMOTION_FAILED"),
        (ExecutionStatus.FAILED, "PROMOTION_FAILED"),
        (ExecutionStatus.ABORTED, "PROMOTION_FAILED"),
        (ExecutionStatus.TIMED_OUT, "PROMOTION_TIMEOUT"),
    ],
)
@pytest.mark.parametrize("promotion", [a_promotion(), RUNNING], ids=lambda each: each.status)
def test_the_sweep_ends_what_ended_unseen(world, put, promotion, execution, code):
    put(promotion, execution)
    assert sweep(world) == 1
    assert stored(world).report.error.code == code


@pytest.mark.parametrize("execution", [status for status in ExecutionStatus if status is not ExecutionStatus.RUNNING])
def test_the_sweep_gives_a_task_that_has_claimed_its_time(world, put, execution):
    put(taken(a_promotion(), later(minutes=19)), execution)
    assert sweep(world) == 0
    world.clock.move(seconds=SILENT_AFTER.total_seconds())
    assert sweep(world) == 1


@pytest.mark.parametrize("promotion", [a_promotion(), RUNNING], ids=lambda each: each.status)
@pytest.mark.parametrize("holder", ["tenant", "deployment"])
def test_a_switch_that_stops_what_runs_ends_a_promotion(world, put, promotion, holder):
    put(promotion, ExecutionStatus.RUNNING)
    change = {"tenant": world.change_tenant, "deployment": world.change_deployment}[holder]
    change(kill_switch=KillSwitch("an incident", NOON, "operator", stop_running=True))
    assert sweep(world) == 1
    assert world.promotion_executions.stopped == {(RUN_ID, 1): "KILL_SWITCH_ON"}
    error = stored(world).report.error
    assert (error.code, error.message) == ("KILL_SWITCH_ON", "A kill switch was put on.")


def test_a_switch_that_lets_go_on_what_runs_ends_no_promotion(world, put):
    put(RUNNING, ExecutionStatus.RUNNING)
    world.change_tenant(kill_switch=KillSwitch("an incident", NOON, "operator"))
    assert sweep(world) == 0


def test_what_could_not_be_stopped_is_not_called_ended(world, put):
    put(RUNNING, ExecutionStatus.RUNNING)
    world.change_tenant(kill_switch=KillSwitch("an incident", NOON, "operator", stop_running=True))
    world.promotion_executions.is_down = True
    assert (sweep(world), stored(world).status) == (0, PromotionStatus.RUNNING)


def test_a_round_that_finds_nothing_out_leaves_the_rest_of_the_sweep_alone(world, put, monkeypatch):
    def fail(*_):
        raise Unavailable("the table")

    put(a_promotion())
    monkeypatch.setattr(type(world.promotions), "due", fail)
    assert sweep(world) == 0


def test_the_sweep_looks_at_nothing_that_has_ended_or_is_not_due(world, put):
    put(DONE)
    put(a_promotion(run_id="fresh", check_at=later(hours=1)))
    assert sweep(world) == 0
    assert world.promotion_executions.started == {}


def test_what_was_looked_at_is_due_again_later(world, put):
    put(RUNNING, ExecutionStatus.RUNNING)
    sweep(world)
    assert stored(world).check_at > world.clock.now()
    assert world.promotions.due(world.clock.now(), 10) == ()


def test_one_that_cannot_be_looked_after_holds_up_no_other(world, put):
    put(a_promotion(run_id="first"))
    put(a_promotion(run_id="second"))
    world.promotion_executions.is_down = True
    assert sweep(world) == 0
    world.promotion_executions.is_down = False
    world.clock.move(minutes=5)
    assert sweep(world) == 2


def test_a_round_is_bounded(world, put):
    [put(a_promotion(run_id=f"run-{number:03}", check_at=NOON)) for number in range(PROMOTIONS + 1)]
    assert (sweep(world), sweep(world)) == (PROMOTIONS, 1)
