"""What every `Promotions` promises, of the tables and of the fake alike; and what a run's end records with itself."""

from dataclasses import replace

import pytest
from builders import a_promotion, a_promotion_report, a_report, a_run, a_running_run, a_worked_run, later, taken
from fakes import CountedIdentifiers, SteppedClock

from outpost.domain.event import EventType
from outpost.domain.promotion import (
    Conflict,
    PromotionError,
    PromotionErrorCode,
    PromotionReport,
    PromotionStatus,
    PromotionWish,
)
from outpost.domain.run import RunStatus
from outpost.ports import PromotionChangedMeanwhile, RunChangedMeanwhile
from outpost.use_cases.change_run import Change, change_run

RUN_ID = a_run().run_id
WISH = PromotionWish("fix/login", "A title", "A body", draft=True)
RESULT = a_report().result
NOT_YET, DUE = later(minutes=3), later(minutes=4)
REPORT = PromotionReport(
    branch="fix/login",
    error=PromotionError.of(PromotionErrorCode.PROMOTION_CONFLICT, "no"),
    conflicts=(Conflict("src/a.py", "changed there"), Conflict("b", "deleted")),
)


def create(ports, promotion=None):
    promotion = promotion or a_promotion(wish=WISH)
    ports.promotions.create(promotion, ports.event(type=EventType.PROMOTION_REQUESTED))
    return promotion


def claim(ports, promotion):
    running = taken(promotion, later(minutes=3))
    return ports.promotions.save(promotion, running, ports.event(type=EventType.PROMOTION_STARTED))


def stored(ports, run_id=RUN_ID, tenant_id="acme"):
    return ports.promotions.get(tenant_id, run_id)


@pytest.fixture
def end_run(ports):
    """A run that asked for its promotion, from its dispatch to its end."""

    def end(status=RunStatus.COMPLETED, wish=WISH, result=RESULT):
        asked = ports.create(a_run(repo="acme/app", promote=wish))
        ports.save(asked, a_running_run(repo="acme/app", promote=wish))
        at = later(seconds=70)

        def decide(running):
            ended = replace(running, status=status, status_since=at, ended_at=at, result=result)
            return Change(ended, EventType.RUN_COMPLETED)

        clock, identifiers = SteppedClock(at), CountedIdentifiers(count=100)
        return change_run("acme", RUN_ID, decide, runs=ports.runs, clock=clock, identifiers=identifiers)

    return end


def test_a_promotion_comes_back_as_it_was_recorded(ports):
    assert create(ports) == stored(ports) == a_promotion(wish=WISH)


def test_a_promotion_is_its_tenants_and_its_runs_own(ports):
    create(ports)
    assert stored(ports, tenant_id="other") is None
    assert stored(ports, run_id="another") is None


def test_a_run_has_one_promotion(ports):
    create(ports)
    with pytest.raises(PromotionChangedMeanwhile):
        create(ports, a_promotion(wish=PromotionWish()))
    assert stored(ports) == a_promotion(wish=WISH)


@pytest.mark.parametrize("report", [a_promotion_report(), REPORT], ids=["promoted", "failed"])
def test_every_state_of_it_comes_back_as_it_was_written(ports, report):
    running = claim(ports, create(ports))
    assert stored(ports) == running
    ended = ports.promotions.save(running, running.reported(1, report, later(minutes=4)), ports.event())
    assert stored(ports) == ended
    assert (ended.report, ended.revision) == (report, 3)


def test_a_change_counts_the_revision(ports):
    assert claim(ports, create(ports)).revision == 2


def test_a_change_of_what_changed_meanwhile_is_refused(ports):
    pending = create(ports)
    running = claim(ports, pending)
    with pytest.raises(PromotionChangedMeanwhile):
        claim(ports, pending)
    assert stored(ports) == running


def test_a_quiet_change_of_what_changed_meanwhile_is_refused(ports):
    pending = create(ports)
    claim(ports, pending)
    with pytest.raises(PromotionChangedMeanwhile):
        ports.promotions.save(pending, pending.checked(later(minutes=9)), None)


def test_a_change_of_what_is_not_there_is_refused(ports):
    with pytest.raises(PromotionChangedMeanwhile):
        claim(ports, a_promotion())
    assert stored(ports) is None


def test_one_that_failed_is_recorded_anew_without_what_it_had_said(ports):
    running = claim(ports, create(ports))
    failed = ports.promotions.save(running, running.reported(1, REPORT, later(minutes=4)), ports.event())
    again = failed.asked_again(PromotionWish(), failed.api_url, failed.requested_by, later(minutes=9))
    assert ports.promotions.save(failed, again, ports.event()) == stored(ports)
    assert (stored(ports).report, stored(ports).started_at, stored(ports).attempt) == (None, None, 2)


def test_one_that_is_due_is_found_by_the_sweep(ports):
    create(ports)
    assert ports.promotions.due(NOT_YET, 10) == ()
    assert ports.promotions.due(DUE, 10) == (("acme", RUN_ID),)


def test_one_that_has_ended_is_due_no_more_until_it_is_asked_for_again(ports):
    running = claim(ports, create(ports))
    failed = ports.promotions.save(running, running.reported(1, REPORT, DUE), ports.event())
    assert ports.promotions.due(later(days=1), 10) == ()
    again = failed.asked_again(PromotionWish(), failed.api_url, failed.requested_by, later(minutes=9))
    ports.promotions.save(failed, again, ports.event())
    assert ports.promotions.due(later(days=1), 10) == (("acme", RUN_ID),)


def test_no_more_are_found_than_were_asked_for(ports):
    create(ports)
    create(ports, a_promotion(run_id="another"))
    assert len(ports.promotions.due(DUE, 1)) == 1


def test_runs_and_promotions_are_due_apart(ports):
    create(ports)
    run = ports.create(a_run())
    assert ports.runs.due(run.active_shard, later(days=1), 10) == (("acme", RUN_ID),)
    assert ports.promotions.due(later(days=1), 10) == (("acme", RUN_ID),)


def test_a_promotion_is_no_run_of_a_list(ports):
    create(ports)
    assert ports.runs.get("acme", RUN_ID) is None


def test_a_run_that_asked_for_it_is_promoted_by_its_end(ports, end_run):
    run = end_run()
    promotion = stored(ports)
    assert (promotion.status, promotion.wish, promotion.attempt) == (PromotionStatus.PENDING, WISH, 1)
    assert (promotion.requested_at, promotion.requested_by) == (run.ended_at, run.created_by)
    assert promotion.api_url == run.api_url
    assert ports.promotions.due(later(days=1), 10) == (("acme", RUN_ID),)


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.TIMEOUT])
def test_a_run_with_a_bad_end_promotes_nothing(ports, end_run, status):
    end_run(status)
    assert stored(ports) is None


@pytest.mark.parametrize(
    "result",
    [None, replace(RESULT, files_changed=0), replace(RESULT, base_sha=None)],
    ids=["nothing left", "nothing changed", "no commit"],
)
def test_a_run_without_work_promotes_nothing(ports, end_run, result):
    end_run(result=result)
    assert stored(ports) is None


def test_a_run_that_did_not_ask_promotes_nothing(ports, end_run):
    end_run(wish=None)
    assert stored(ports) is None


def test_what_a_runs_end_recorded_is_carried_out_like_any_other(ports, end_run):
    end_run()
    assert claim(ports, stored(ports)).status is PromotionStatus.RUNNING
    with pytest.raises(PromotionChangedMeanwhile):
        create(ports)


def test_an_end_that_is_refused_promotes_nothing(ports):
    run = ports.create(a_run(repo="acme/app", promote=WISH))
    with pytest.raises(RunChangedMeanwhile):
        ports.save(replace(run, revision=7), a_worked_run(promote=WISH))
    assert stored(ports) is None
