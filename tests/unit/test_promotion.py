"""A promotion's life: claimed once, ended once, and tried again only after a failure."""

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import CLAIM, TASK_ARN, a_promotion, a_promotion_report, a_run, a_worked_run, later, taken

from outpost.domain.errors import ClaimRefused
from outpost.domain.promotion import (
    CHECK_AFTER,
    MESSAGE_CHARACTERS,
    PROMOTION_SHARD,
    SILENT_AFTER,
    PromotionError,
    PromotionErrorCode,
    PromotionReport,
    PromotionStatus,
    PromotionWish,
    PullRequest,
    code_of_promotion_report,
)
from outpost.domain.run import RunStatus

CLAIMED_AT, ENDED_AT = later(minutes=3), later(minutes=4)
FAILURE = PromotionError.of(PromotionErrorCode.PUSH_REFUSED, "the host says no")
CONFLICT = PromotionReport(error=PromotionError.of(PromotionErrorCode.PROMOTION_CONFLICT, "the branch has moved on"))
PENDING = a_promotion()
RUNNING = taken(PENDING, CLAIMED_AT)
COMPLETED = RUNNING.reported(1, a_promotion_report(), ENDED_AT)
FAILED = RUNNING.reported(1, CONFLICT, ENDED_AT)


def ask_again(promotion):
    return promotion.asked_again(
        PromotionWish(branch="another"), "https://api.example.com/new", "another key", later(minutes=9)
    )


def test_a_new_promotion_waits_for_its_first_attempt_and_is_found_by_the_sweep():
    assert (PENDING.status, PENDING.attempt, PENDING.shard) == (PromotionStatus.PENDING, 1, PROMOTION_SHARD)
    assert PENDING.check_at == PENDING.requested_at + CHECK_AFTER


def test_the_branch_is_the_runs_own_where_none_is_named():
    assert PENDING.branch == f"outpost/{a_run().run_id}"
    assert a_promotion(wish=PromotionWish(branch="fix/login")).branch == "fix/login"


@pytest.mark.parametrize("is_wished", [True, False])
def test_before_there_is_a_pull_request_a_draft_is_what_was_asked_for(is_wished):
    wished = a_promotion(wish=PromotionWish(draft=is_wished))
    assert wished.is_draft is is_wished
    assert replace(wished, report=CONFLICT).is_draft is is_wished


@pytest.mark.parametrize(("told", "is_draft"), [(True, True), (False, False), (None, True)])
def test_a_pull_request_is_the_draft_that_its_task_tells(told, is_draft):
    pull = PullRequest(7, "https://git.example.com/acme/app/pull/7", told)
    report = a_promotion_report(pull_request=pull)
    assert a_promotion(wish=PromotionWish(draft=True), report=report).is_draft is is_draft


def test_a_claim_makes_it_run():
    assert (RUNNING.status, RUNNING.started_at) == (PromotionStatus.RUNNING, CLAIMED_AT)
    assert RUNNING.check_at == CLAIMED_AT + CHECK_AFTER


@pytest.mark.parametrize("promotion", [RUNNING, COMPLETED, FAILED], ids=lambda each: each.status)
def test_it_is_claimed_once(promotion):
    with pytest.raises(ClaimRefused):
        promotion.claimed(1, claim_id="another", task_arn=TASK_ARN, at=later(minutes=5))


@pytest.mark.parametrize("attempt", [0, 2])
def test_another_attempt_claims_nothing(attempt):
    with pytest.raises(ClaimRefused):
        PENDING.claimed(attempt, claim_id=CLAIM, task_arn=TASK_ARN, at=CLAIMED_AT)


def test_a_report_of_success_completes_it():
    assert (COMPLETED.status, COMPLETED.ended_at) == (PromotionStatus.COMPLETED, ENDED_AT)
    assert COMPLETED.report == a_promotion_report()
    assert COMPLETED.shard is None


def test_a_report_with_an_error_fails_it_and_keeps_how_far_it_came():
    report = a_promotion_report(pull_request=None, error=FAILURE)
    failed = RUNNING.reported(1, report, ENDED_AT)
    assert (failed.status, failed.report, failed.shard) == (PromotionStatus.FAILED, report, None)


@pytest.mark.parametrize("promotion", [COMPLETED, FAILED], ids=lambda each: each.status)
@pytest.mark.parametrize("report", [a_promotion_report(), CONFLICT], ids=["promoted", "failed"])
def test_the_first_word_of_the_end_stands(promotion, report):
    assert promotion.reported(1, report, later(minutes=9)) == promotion
    assert promotion.abandoned(1, FAILURE, later(minutes=9)) == promotion


@pytest.mark.parametrize("promotion", [PENDING, RUNNING, COMPLETED, FAILED], ids=lambda each: each.status)
def test_the_report_of_another_attempt_is_refused(promotion):
    with pytest.raises(ClaimRefused):
        promotion.reported(2, a_promotion_report(), ENDED_AT)


def test_the_same_claim_again_changes_nothing():
    again = RUNNING.claimed(1, claim_id=CLAIM, task_arn=TASK_ARN, at=later(minutes=5))
    assert again == RUNNING


@pytest.mark.parametrize("promotion", [COMPLETED, FAILED], ids=lambda each: each.status)
def test_a_claim_comes_too_late_for_one_that_has_ended(promotion):
    with pytest.raises(ClaimRefused):
        taken(promotion, later(minutes=5))


@pytest.mark.parametrize("promotion", [PENDING, RUNNING], ids=lambda each: each.status)
def test_a_task_that_ends_without_a_word_fails_it(promotion):
    failed = promotion.abandoned(1, FAILURE, ENDED_AT, task_arn=TASK_ARN)
    assert (failed.status, failed.report) == (PromotionStatus.FAILED, PromotionReport(error=FAILURE))


@pytest.mark.parametrize("task_arn", ["another task", None])
@pytest.mark.parametrize("claimer", [TASK_ARN, None])
def test_the_end_of_another_task_leaves_the_one_that_claimed_its_time(task_arn, claimer):
    running = PENDING.claimed(1, claim_id=CLAIM, task_arn=claimer, at=CLAIMED_AT)
    last_moment = CLAIMED_AT + SILENT_AFTER
    assert running.abandoned(1, FAILURE, last_moment - timedelta(seconds=1), task_arn=task_arn) == running
    assert running.abandoned(1, FAILURE, last_moment, task_arn=task_arn).status is PromotionStatus.FAILED


def test_one_that_is_given_up_has_ended_whatever_its_task_does():
    assert RUNNING.given_up(1, FAILURE, ENDED_AT).report == PromotionReport(error=FAILURE)
    assert RUNNING.given_up(2, FAILURE, ENDED_AT) == RUNNING
    assert COMPLETED.given_up(1, FAILURE, ENDED_AT) == COMPLETED


def test_the_end_of_another_attempts_task_changes_nothing():
    assert RUNNING.abandoned(2, FAILURE, ENDED_AT) == RUNNING


def test_a_failed_one_is_asked_for_again_as_the_next_attempt_with_the_new_wish():
    again = ask_again(FAILED)
    assert (again.status, again.attempt, again.branch) == (PromotionStatus.PENDING, 2, "another")
    assert (again.requested_at, again.requested_by) == (later(minutes=9), "another key")
    assert (again.started_at, again.ended_at, again.report) == (None, None, None)
    assert (again.shard, again.check_at) == (PROMOTION_SHARD, later(minutes=9) + CHECK_AFTER)


@pytest.mark.parametrize("promotion", [PENDING, RUNNING, COMPLETED], ids=lambda each: each.status)
def test_any_other_stays_as_it_is_when_it_is_asked_for_again(promotion):
    assert ask_again(promotion) == promotion


def test_the_attempt_that_failed_cannot_come_back():
    again = ask_again(FAILED)
    assert again.abandoned(1, FAILURE, ENDED_AT) == again
    with pytest.raises(ClaimRefused):
        again.claimed(1, claim_id=CLAIM, task_arn=TASK_ARN, at=ENDED_AT)
    with pytest.raises(ClaimRefused):
        again.reported(1, a_promotion_report(), ENDED_AT)


def test_the_sweeps_look_is_due_again_later():
    assert RUNNING.checked(later(minutes=9)).check_at == later(minutes=9) + CHECK_AFTER
    assert COMPLETED.checked(later(minutes=9)) == COMPLETED


@pytest.mark.parametrize("code", PromotionErrorCode)
def test_every_error_has_a_remedy_and_a_bounded_message(code):
    error = PromotionError.of(code, "m" * 5_000)
    assert error.remedy.endswith(".")
    assert error.message == "m" * MESSAGE_CHARACTERS


def test_only_what_may_pass_is_worth_another_try():
    assert [code for code in PromotionErrorCode if PromotionError.of(code, "").retryable] == [
        "PULL_REQUEST_FAILED",
        "CLONE_FAILED",
        "PROMOTION_FAILED",
        "PROMOTION_TIMEOUT",
        "KILL_SWITCH_ON",
    ]


@pytest.mark.parametrize("code", PromotionErrorCode)
def test_a_tasks_code_is_taken_as_it_is(code):
    assert code_of_promotion_report(str(code)) is code


@pytest.mark.parametrize("text", ["", "push_refused", "A_CODE_TO_COME"])
def test_a_code_that_is_not_known_is_a_failure(text):
    assert code_of_promotion_report(text) is PromotionErrorCode.PROMOTION_FAILED


def test_a_run_is_worth_promoting_where_it_left_work_at_a_good_end():
    assert a_worked_run().is_worth_promoting


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.TIMEOUT])
def test_a_run_with_a_bad_end_is_not_worth_promoting(status):
    assert not a_worked_run(status=status).is_worth_promoting


@pytest.mark.parametrize(
    "changes", [{"files_changed": 0}, {"base_sha": None}], ids=["nothing changed", "an empty repository"]
)
def test_a_run_without_work_on_a_commit_is_not_worth_promoting(changes):
    assert not a_worked_run(result=replace(a_worked_run().result, **changes)).is_worth_promoting


def test_a_run_without_a_repository_is_not_worth_promoting():
    assert not a_worked_run(repo=None).is_worth_promoting
    assert not a_worked_run(result=None).is_worth_promoting
