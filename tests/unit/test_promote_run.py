"""Asking for a promotion: what is refused, what asking again does, and who starts what did not start."""

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import (
    NOON,
    a_caller,
    a_key,
    a_plan,
    a_promotion,
    a_promotion_report,
    a_report,
    a_run,
    a_worked_run,
    later,
    taken,
)

from outpost.domain.api_key import Restrictions
from outpost.domain.errors import (
    InputInvalid,
    KillSwitchOn,
    NothingToPromote,
    PlanEnded,
    PolicyDenied,
    RunNotEnded,
    RunNotFound,
)
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.promotion import (
    Promotion,
    PromotionError,
    PromotionErrorCode,
    PromotionReport,
    PromotionStatus,
    PromotionWish,
)
from outpost.domain.run import RunStatus
from outpost.domain.token import Purpose
from outpost.use_cases.claim_run import identify_runner
from outpost.use_cases.promote_run import BOOTSTRAP_VALIDITY, begin_promotion, promote_run
from outpost.use_cases.settle_promotion import PromotionSweeper, sweep_promotions

RUN_ID = a_run().run_id
SWITCH = KillSwitch("an incident", NOON, "operator")
FAILURE = PromotionReport(error=PromotionError.of(PromotionErrorCode.PUSH_REFUSED, "no"))
PORTS = ("git_base_url", "runs", "promotions", "deployments", "signing_key", "clock", "identifiers")


def promote(world, wish=None, *, key=None, run_id=RUN_ID) -> Promotion:
    return promote_run(
        a_caller(key=key or a_key()),
        world.tenant(),
        run_id,
        wish or PromotionWish(),
        api_url="https://api.example.com/dev",
        executions=world.promotion_executions,
        **world.ports(*PORTS),
    )


def begin(world):
    begin_promotion("acme", RUN_ID, executions=world.promotion_executions, **world.ports("promotions", "signing_key"))


def sweep(world):
    world.clock.move(minutes=5)
    return sweep_promotions(
        PromotionSweeper(
            executions=world.promotion_executions,
            **world.ports("promotions", "accounts", "deployments", "signing_key", "clock", "identifiers"),
        )
    )


def stored(world) -> Promotion:
    return world.promotions.get("acme", RUN_ID)


def fail(world):
    promotion = stored(world)
    running = world.promotions.save(promotion, taken(promotion, world.clock.now()), None)
    world.promotions.save(running, running.reported(running.attempt, FAILURE, world.clock.now()), None)


def test_a_run_with_work_is_promoted(world):
    world.add_work()
    promotion = promote(world, PromotionWish("fix/login", "A title", "A body", draft=True))
    assert stored(world) == promotion
    assert (promotion.status, promotion.attempt, promotion.branch) == (PromotionStatus.PENDING, 1, "fix/login")
    assert promotion.requested_by == a_key().key_id
    assert list(world.promotion_executions.started) == [(RUN_ID, 1)]
    assert world.event_types() == ["promotion.requested"]


def test_its_task_begins_with_a_token_of_its_own(world):
    world.add_work()
    promote(world)
    (token,) = world.promotion_executions.started.values()
    identity = identify_runner(token, Purpose.PROMOTION_BOOTSTRAP, signing_key=world.signing_key, clock=world.clock)
    assert (identity.tenant_id, identity.run_id, identity.attempt) == ("acme", RUN_ID, 1)


def test_asked_for_again_it_is_the_same(world):
    world.add_work()
    first = promote(world)
    world.clock.move(minutes=1)
    assert promote(world, PromotionWish(branch="another")) == first
    assert list(world.promotion_executions.started) == [(RUN_ID, 1)]
    assert world.event_types() == ["promotion.requested"]


def test_one_that_is_done_stays_done(world):
    world.add_work()
    done = taken(promote(world), NOON).reported(1, a_promotion_report(), later(minutes=5))
    world.runs.promotions["acme", RUN_ID] = done
    assert promote(world) == done
    assert list(world.promotion_executions.started) == [(RUN_ID, 1)]


def test_one_that_failed_is_tried_again_as_the_next_attempt(world):
    world.add_work()
    promote(world)
    fail(world)
    again = promote(world, PromotionWish(branch="another"))
    assert (again.status, again.attempt, again.branch) == (PromotionStatus.PENDING, 2, "another")
    assert list(world.promotion_executions.started) == [(RUN_ID, 1), (RUN_ID, 2)]
    assert world.event_types()[-1] == "promotion.requested"


def test_what_does_not_start_now_is_accepted_and_started_by_the_sweep(world):
    world.add_work()
    world.promotion_executions.is_down = True
    assert promote(world).status is PromotionStatus.PENDING
    assert world.promotion_executions.started == {}
    world.promotion_executions.is_down = False
    assert sweep(world) == 1
    assert list(world.promotion_executions.started) == [(RUN_ID, 1)]
    assert stored(world).status is PromotionStatus.PENDING


def test_what_did_not_start_is_started_by_asking_again(world):
    world.add_work()
    world.promotion_executions.is_down = True
    promote(world)
    world.promotion_executions.is_down = False
    promote(world)
    assert list(world.promotion_executions.started) == [(RUN_ID, 1)]


def test_whoever_starts_it_gives_it_the_same_input(world):
    world.add_work()
    promote(world)
    (token,) = world.promotion_executions.started.values()
    world.promotion_executions.started.clear()
    world.promotion_executions.statuses.clear()
    sweep(world)
    assert world.promotion_executions.started == {(RUN_ID, 1): token}


def test_the_token_lasts_as_long_as_the_sweep_and_the_launch_may_take(world):
    world.add_work()
    promote(world)
    (token,) = world.promotion_executions.started.values()
    world.clock.move(seconds=BOOTSTRAP_VALIDITY.total_seconds() - 1)
    assert identify_runner(token, Purpose.PROMOTION_BOOTSTRAP, signing_key=world.signing_key, clock=world.clock)
    assert timedelta(minutes=10) < BOOTSTRAP_VALIDITY < timedelta(hours=1)


def test_a_run_that_failed_with_work_can_be_promoted_by_hand(world):
    world.add_work(a_worked_run(status=RunStatus.FAILED))
    assert promote(world).status is PromotionStatus.PENDING


def test_nobodys_run_is_not_promoted(world):
    with pytest.raises(RunNotFound):
        promote(world)


def test_anothers_run_is_nobodys(world):
    world.add_work(a_worked_run(tenant_id="other"))
    with pytest.raises(RunNotFound):
        promote(world)


@pytest.mark.parametrize(
    "run",
    [
        a_run(status=RunStatus.QUEUED),
        a_run(repo="acme/app"),
        a_worked_run(status=RunStatus.RUNNING, ended_at=None),
    ],
    ids=["queued", "pending", "reported"],
)
def test_a_run_that_is_at_work_is_not_promoted_yet(world, run):
    world.add_work(run)
    with pytest.raises(RunNotEnded) as refusal:
        promote(world)
    assert refusal.value.status == run.status


def test_a_run_without_a_patch_has_nothing_to_promote(world):
    world.add(a_worked_run())
    with pytest.raises(NothingToPromote, match="patch"):
        promote(world)


def test_a_run_whose_patch_is_not_kept_any_more_has_nothing_to_promote(world):
    world.add_work()
    world.clock.move(days=400)
    with pytest.raises(NothingToPromote, match="patch"):
        promote(world)


def test_a_run_without_a_repository_has_nothing_to_promote(world):
    world.add_work(a_worked_run(repo=None))
    with pytest.raises(NothingToPromote, match="repository"):
        promote(world)


@pytest.mark.parametrize("result", [None, replace(a_report().result, base_sha=None)], ids=["no result", "no commit"])
def test_a_run_that_began_with_no_commit_has_nothing_to_promote(world, result):
    world.add_work(a_worked_run(result=result))
    with pytest.raises(NothingToPromote, match="commit"):
        promote(world)


def test_nothing_is_promoted_while_the_deployments_switch_is_on(world):
    world.add_work()
    world.change_deployment(kill_switch=SWITCH)
    with pytest.raises(KillSwitchOn) as refusal:
        promote(world)
    assert refusal.value.reason is None


def test_nothing_is_promoted_while_the_tenants_switch_is_on(world):
    world.add_work()
    world.change_tenant(kill_switch=SWITCH)
    with pytest.raises(KillSwitchOn, match="kill switch") as refusal:
        promote(world)
    assert refusal.value.reason == "an incident"


@pytest.mark.parametrize(
    "restrictions",
    [Restrictions(agents=("codex",)), Restrictions(repositories=("acme/other",))],
    ids=["agents", "repositories"],
)
def test_a_key_promotes_nothing_that_it_may_not_dispatch(world, restrictions):
    world.add_work()
    with pytest.raises(PolicyDenied):
        promote(world, key=a_key(restrictions=restrictions))


@pytest.mark.parametrize(
    "rules",
    [{"allowed_repositories": ("acme/other",)}, {"denied_repositories": ("acme/*",)}],
    ids=["allowed", "denied"],
)
def test_a_repository_that_the_plan_does_not_allow_is_not_promoted_to(world, rules):
    world.add_work()
    world.change_tenant(plan=a_plan(**rules))
    with pytest.raises(PolicyDenied, match="plan") as refusal:
        promote(world)
    assert refusal.value.field == "repo"


def test_nothing_is_promoted_once_the_plan_has_ended(world):
    world.add_work()
    world.change_tenant(plan=a_plan(ends_at=later(minutes=1)))
    world.clock.move(minutes=2)
    with pytest.raises(PlanEnded):
        promote(world)


def test_a_repository_on_another_host_is_not_promoted_to(world):
    world.add_work(a_worked_run(repo="https://elsewhere.example.com/acme/app"))
    with pytest.raises(NothingToPromote, match="another host"):
        promote(world)


def test_the_branch_that_the_work_is_for_takes_no_promotion(world):
    world.add_work(a_worked_run(branch="develop"))
    with pytest.raises(InputInvalid):
        promote(world, PromotionWish(branch="develop"))


def test_what_is_refused_leaves_nothing_behind(world):
    world.add_work()
    world.change_deployment(kill_switch=SWITCH)
    with pytest.raises(KillSwitchOn):
        promote(world)
    assert (stored(world), world.promotion_executions.started, world.event_types()) == (None, {}, [])


def test_what_was_recorded_with_the_runs_end_begins(world):
    world.runs.promotions["acme", RUN_ID] = a_promotion()
    begin(world)
    begin(world)
    assert list(world.promotion_executions.started) == [(RUN_ID, 1)]


def test_where_nothing_was_recorded_nothing_begins(world):
    begin(world)
    assert world.promotion_executions.started == {}


def test_what_has_begun_is_left_alone(world):
    world.runs.promotions["acme", RUN_ID] = taken(a_promotion(), NOON)
    begin(world)
    assert world.promotion_executions.started == {}
