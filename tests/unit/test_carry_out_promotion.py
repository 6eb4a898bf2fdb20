"""What a promotion's task gets for its token, once, and what its word of the end does."""

from dataclasses import replace

import pytest
from builders import CLAIM, NOON, TASK_ARN, a_plan, a_promotion, a_promotion_report, a_run, a_secret, a_worked_run

from outpost.domain.errors import ClaimRefused, PromotionNotFound, Unavailable
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.promotion import PromotionError, PromotionErrorCode, PromotionStatus
from outpost.domain.secret import GIT
from outpost.domain.tenant import TenantStatus
from outpost.domain.token import Purpose
from outpost.use_cases.carry_out_promotion import claim_promotion, complete_promotion
from outpost.use_cases.claim_run import RunnerIdentity, identify_runner

RUN_ID = a_run().run_id
TASK = RunnerIdentity("acme", RUN_ID, 1)
SWITCH = KillSwitch("an incident", NOON, "operator")
PORTS = (
    "git_base_url",
    "runs",
    "promotions",
    "files",
    "accounts",
    "deployments",
    "secrets",
    "vault",
    "github_app",
    "signing_key",
    "clock",
    "identifiers",
)


@pytest.fixture
def asked(world):
    """A world in which a promotion waits to be claimed, and the tenant has a git token of its own."""
    world.clock.move(minutes=3)
    world.add_work()
    world.runs.promotions["acme", RUN_ID] = a_promotion()
    world.secrets.records["acme", GIT] = a_secret(name=GIT)
    world.vault.values["acme", GIT] = "the tenant's token"
    return world


def claim(world, task=TASK, claim_id=CLAIM):
    return claim_promotion(task, claim_id=claim_id, task_arn=TASK_ARN, **world.ports(*PORTS))


def complete(world, report=None, task=TASK):
    return complete_promotion(task, report or a_promotion_report(), **world.ports("promotions", "clock", "identifiers"))


def stored(world):
    return world.promotions.get("acme", RUN_ID)


def test_a_claim_hands_out_the_work_and_the_right_to_push_it(asked):
    claimed = claim(asked)
    assert (claimed.run, claimed.task) == (a_worked_run(), "echo hello")
    assert claimed.patch_url.url == "https://bucket.example.com/changes.patch"
    assert claimed.git_token == "the tenant's token"
    assert stored(asked) == claimed.promotion
    assert (claimed.promotion.status, claimed.promotion.task_arn) == (PromotionStatus.RUNNING, TASK_ARN)
    assert asked.event_types() == ["promotion.started"]


def test_its_session_is_of_the_promotion(asked):
    session = identify_runner(
        claim(asked).session_token, Purpose.PROMOTION_SESSION, signing_key=asked.signing_key, clock=asked.clock
    )
    assert session == TASK


def test_a_claim_never_shows_its_secrets(asked):
    claimed = claim(asked)
    assert "the tenant's token" not in repr(claimed)
    assert claimed.session_token not in repr(claimed)
    assert claimed.patch_url.url not in repr(claimed)


def test_a_claim_whose_answer_was_lost_is_answered_again(asked):
    first = claim(asked)
    asked.clock.move(seconds=20)
    again = claim(asked)
    assert (again.promotion, again.git_token) == (first.promotion, first.git_token)
    assert asked.event_types() == ["promotion.started"]


def test_a_second_tasks_claim_is_refused_and_looks_nothing_up(asked):
    claim(asked)
    asked.vault.reads.clear()
    with pytest.raises(ClaimRefused):
        claim(asked, claim_id="d" * 32)
    assert (asked.vault.reads, asked.event_types()) == ([], ["promotion.started"])


def test_of_two_claims_at_once_one_is_refused(asked):
    race = asked.promotions.get("acme", RUN_ID).claimed(1, claim_id="another", task_arn=None, at=asked.clock.now())
    asked.vault.values = ClaimingValues(asked, race)
    with pytest.raises(ClaimRefused):
        claim(asked)
    assert stored(asked).revision == 2


class ClaimingValues(dict):
    """Values that another task reads, and claims the promotion, while this one looks for its token."""

    def __init__(self, world, race):
        super().__init__(world.vault.values)
        self.world, self.race = world, race

    def get(self, place):
        self.world.promotions.save(stored(self.world), self.race, None)
        return super().get(place)


def test_the_token_of_another_attempt_is_refused(asked):
    with pytest.raises(ClaimRefused):
        claim(asked, replace(TASK, attempt=2))
    assert asked.vault.reads == []


def test_a_claim_of_what_was_never_asked_for_is_refused(world):
    world.add_work()
    with pytest.raises(PromotionNotFound):
        claim(world)


def test_a_claim_of_nobodys_run_is_refused(world):
    with pytest.raises(PromotionNotFound):
        claim(world)


def test_a_patch_that_is_not_kept_any_more_is_not_handed_out(asked):
    asked.clock.move(days=400)
    with pytest.raises(ClaimRefused, match="patch"):
        claim(asked)
    assert stored(asked).report.error.code == "NOT_PROMOTABLE"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": TenantStatus.SUSPENDED}, "TENANT_SUSPENDED"),
        ({"kill_switch": SWITCH}, "KILL_SWITCH_ON"),
        ({"plan": a_plan(denied_repositories=("acme/app",))}, "POLICY_DENIED"),
        ({"plan": a_plan(allowed_repositories=("acme/other",))}, "POLICY_DENIED"),
    ],
    ids=["suspended", "kill switch", "denied", "no longer allowed"],
)
def test_a_tenant_that_may_not_have_it_done_gets_no_token_and_is_told_why(asked, changes, code):
    asked.change_tenant(**changes)
    with pytest.raises(ClaimRefused):
        claim(asked)
    assert (asked.vault.reads, asked.github_app.asked) == ([], [])
    assert (stored(asked).status, stored(asked).report.error.code) == (PromotionStatus.FAILED, code)


def test_nobody_gets_a_token_while_the_deployments_switch_is_on(asked):
    asked.change_deployment(kill_switch=SWITCH)
    with pytest.raises(ClaimRefused):
        claim(asked)
    assert (asked.vault.reads, stored(asked).report.error.code) == ([], "KILL_SWITCH_ON")


def test_a_refused_second_task_leaves_the_first_at_its_work(asked):
    claim(asked)
    asked.change_tenant(kill_switch=SWITCH)
    with pytest.raises(ClaimRefused):
        claim(asked, claim_id="d" * 32)
    assert stored(asked).status is PromotionStatus.RUNNING


def test_a_token_that_cannot_be_looked_up_costs_no_attempt(asked):
    asked.vault.is_down = True
    with pytest.raises(Unavailable):
        claim(asked)
    assert stored(asked) == a_promotion()
    asked.vault.is_down = False
    assert claim(asked).git_token == "the tenant's token"


def test_a_task_that_cannot_be_read_costs_no_attempt(asked):
    asked.runs.records["acme", RUN_ID] = a_worked_run(task_in_bucket=True)
    with pytest.raises(KeyError):
        claim(asked)
    assert stored(asked) == a_promotion()
    asked.files.put_task("acme", RUN_ID, "the whole text")
    assert claim(asked).task == "the whole text"


@pytest.mark.parametrize(
    "repo",
    [
        "https://elsewhere.example.com/acme/app",
        "https://git.example.com.evil.example/acme/app",
        "https://git.example.com:8443/acme/app",
    ],
)
def test_a_foreign_host_gets_no_token(asked, repo):
    asked.change_tenant(plan=a_plan(allowed_repositories=("*",)))
    asked.github_app.tokens[repo] = asked.vault.git_token = "the operator's token"
    asked.runs.records["acme", RUN_ID] = a_worked_run(repo=repo)
    assert claim(asked).git_token is None
    assert (asked.vault.reads, asked.github_app.asked) == ([], [])


def test_without_any_token_the_task_is_told_so(asked):
    asked.secrets.records.clear()
    assert claim(asked).git_token is None


def test_the_tasks_word_ends_it(asked):
    claim(asked)
    ended = complete(asked)
    assert (ended.status, ended.report) == (PromotionStatus.COMPLETED, a_promotion_report())
    assert stored(asked) == ended
    event = asked.runs.events[-1]
    assert (event.type, event.details["pullRequest"]) == ("promotion.completed", a_promotion_report().pull_request.url)


def test_a_failure_is_told_by_its_code(asked):
    claim(asked)
    error = PromotionError.of(PromotionErrorCode.BRANCH_EXISTS, "there is one")
    assert complete(asked, a_promotion_report(pull_request=None, error=error)).status is PromotionStatus.FAILED
    assert asked.runs.events[-1].details["error"] == "BRANCH_EXISTS"


def test_told_twice_the_first_word_stands(asked):
    claim(asked)
    first = complete(asked)
    asked.clock.move(seconds=1)
    error = PromotionError.of(PromotionErrorCode.PUSH_REFUSED, "no")
    assert complete(asked, a_promotion_report(error=error)) == first
    assert asked.event_types() == ["promotion.started", "promotion.completed"]


def test_the_word_of_another_attempt_is_refused(asked):
    claim(asked)
    with pytest.raises(ClaimRefused):
        complete(asked, task=replace(TASK, attempt=2))
    assert stored(asked).status is PromotionStatus.RUNNING
