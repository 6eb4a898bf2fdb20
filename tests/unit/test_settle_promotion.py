"""Promotions whose tasks ended without a word, and those that nobody started."""

import pytest
from builders import NOON, a_promotion, a_promotion_report, a_run, later

from outpost.domain.errors import PromotionNotFound
from outpost.domain.promotion import PromotionErrorCode, PromotionStatus
from outpost.ports import ExecutionStatus
from outpost.use_cases.settle_promotion import PROMOTIONS, PromotionSweeper, settle_promotion, sweep_promotions

RUN_ID = a_run().run_id
RUNNING = a_promotion().claimed(1, later(minutes=3))
DONE = RUNNING.reported(1, a_promotion_report(), later(minutes=4))


@pytest.fixture
def put(world):
    """Puts a promotion there, with its execution in a state, long before now."""

    def put(promotion, execution=None):
        world.clock.move(minutes=10)
        world.runs.promotions[promotion.tenant_id, promotion.run_id] = promotion
        place = (promotion.run_id, promotion.attempt)
        world.promotion_executions.statuses |= {} if execution is None else {place: execution}

    return put


def settle(world, attempt=1, *, timeout=False, detail=""):
    return settle_promotion(
        "acme",
        RUN_ID,
        attempt,
        ran_out_of_time=timeout,
        detail=detail,
        **world.ports("promotions", "clock", "identifiers"),
    )


def sweep(world):
    return sweep_promotions(
        PromotionSweeper(
            executions=world.promotion_executions, **world.ports("promotions", "signing_key", "clock", "identifiers")
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
