import pytest
from builders import CLAIM, a_report, a_run, a_running_run, later

from outpost.domain.credentials import ProviderKey
from outpost.domain.errors import CallerUnknown, ClaimRefused, RunNotFound, Unavailable
from outpost.domain.report import Artifact, Phase, Progress
from outpost.domain.run import RunStatus
from outpost.domain.secret import Secret
from outpost.domain.token import Purpose, sign
from outpost.domain.usage import ModelBudget, ModelUsage
from outpost.use_cases.claim_run import RunnerIdentity, identify_runner
from outpost.use_cases.complete_run import complete_run
from outpost.use_cases.grant_uploads import grant_uploads
from outpost.use_cases.record_heartbeat import record_heartbeat

RUNNER = RunnerIdentity("acme", a_run().run_id, 1, CLAIM)
PATCH = Artifact(1, "changes.patch", "patch", 10, "0" * 64, "text/x-diff")
CHANGE = ("runs", "clock", "identifiers")


def claim(world, claim_id=CLAIM):
    return world.claim(RUNNER, claim_id)


def beat(world, phase=Phase.RUNNING, usage=None):
    return record_heartbeat(RUNNER, phase=phase, message=None, usage=usage, **world.ports(*CHANGE))


def test_a_claim_hands_out_the_task_and_a_session_of_its_own(world):
    world.add(a_run())
    claimed = claim(world)
    session = identify_runner(
        claimed.session_token, Purpose.RUNNER_SESSION, signing_key=world.signing_key, clock=world.clock
    )
    assert claimed.task == "echo hello"
    assert session == RUNNER
    assert world.run().status is RunStatus.RUNNING
    assert world.event_types() == ["run.running"]


def test_a_claim_whose_answer_was_lost_can_be_repeated(world):
    world.add(a_run())
    assert claim(world) == claim(world)
    assert world.event_types() == ["run.running"]


def test_a_long_task_is_fetched_for_the_runner(world):
    world.add(a_run(task_in_bucket=True))
    world.files.put_task("acme", a_run().run_id, "the whole text")
    assert claim(world).task == "the whole text"


def test_a_second_runner_gets_nothing(world):
    world.add(a_run())
    claim(world)
    with pytest.raises(ClaimRefused):
        claim(world, "d" * 32)


def test_the_runner_of_no_run_is_refused(world):
    with pytest.raises(RunNotFound):
        claim(world)


@pytest.mark.parametrize("token", [None, "", "nonsense", "otp_" + "a" * 64])
def test_a_token_that_is_none_identifies_nobody(world, token):
    with pytest.raises(CallerUnknown):
        identify_runner(token, Purpose.RUNNER_SESSION, signing_key=world.signing_key, clock=world.clock)


def test_a_bootstrap_token_is_no_session(world):
    token = sign(world.signing_key.value(), Purpose.RUNNER_BOOTSTRAP, {"tenant": "acme", "run": "r", "attempt": 1})
    with pytest.raises(CallerUnknown):
        identify_runner(token, Purpose.RUNNER_SESSION, signing_key=world.signing_key, clock=world.clock)


def test_only_a_new_phase_is_an_event(world):
    world.add(a_running_run())
    beat(world, Phase.CLONING)
    beat(world, Phase.CLONING)
    beat(world, Phase.RUNNING)
    assert world.event_types() == ["run.progress", "run.progress"]


def test_a_heartbeat_is_refused_once_the_run_is_cancelled(world):
    world.add(a_running_run().cancel_requested(None, later(seconds=20)))
    with pytest.raises(ClaimRefused):
        beat(world)


def test_results_of_a_cancelled_run_may_still_be_stored(world):
    world.add(a_running_run().cancel_requested(None, later(seconds=20)))
    urls = grant_uploads(RUNNER, [PATCH], **world.ports("runs", "files", "clock"))
    run = complete_run(RUNNER, a_report(), [PATCH], **world.ports(*CHANGE))
    assert len(urls) == 1
    assert run.result == a_report().result
    assert world.runs.artifacts("acme", run.run_id, 1) == (PATCH,)


def test_uploads_after_the_end_are_refused(world):
    world.add(a_running_run(status=RunStatus.CANCELLED))
    with pytest.raises(ClaimRefused):
        grant_uploads(RUNNER, [PATCH], **world.ports("runs", "files", "clock"))


def test_uploads_for_another_claim_are_refused(world):
    world.add(a_running_run(claim_id="d" * 32))
    with pytest.raises(ClaimRefused):
        grant_uploads(RUNNER, [PATCH], **world.ports("runs", "files", "clock"))


def test_a_report_does_not_end_the_run(world):
    world.add(a_running_run())
    assert complete_run(RUNNER, a_report(), [], **world.ports(*CHANGE)).status is RunStatus.RUNNING


def test_a_report_sent_twice_is_recorded_once(world):
    world.add(a_running_run())
    first = complete_run(RUNNER, a_report(), [PATCH], **world.ports(*CHANGE))
    assert complete_run(RUNNER, a_report(exit_code=1), [], **world.ports(*CHANGE)) == first
    assert world.event_types() == ["run.reported"]


BUDGET = ModelBudget(max_cost_microusd=10_000)
USED = ModelUsage(input_tokens=70, output_tokens=10, calls=3, cost_microusd=8_000)


def test_what_a_run_has_used_is_told_with_a_sign_of_life(world):
    world.add(a_running_run())
    assert beat(world, usage=USED).usage == USED


@pytest.mark.parametrize("times", [1, 3])
def test_four_fifths_of_a_budget_are_one_event(world, times):
    world.add(a_running_run(budget=BUDGET, progress=Progress(Phase.RUNNING, None, later())))
    [beat(world, usage=USED) for _ in range(times)]
    assert world.event_types() == ["run.budget-nearly-used"]
    assert world.run().budget_nearly_used_at == world.clock.now()


def test_the_event_says_what_is_used_of_what(world):
    world.add(a_running_run(budget=BUDGET, progress=Progress(Phase.RUNNING, None, later())))
    beat(world, usage=USED)
    assert world.runs.events[-1].details == {
        "attempt": "1",
        "budget": "$0.01",
        "modelCostUsd": "0.008000",
        "tokens": "80",
    }


def test_a_new_phase_that_comes_with_it_is_told_too(world):
    world.add(a_running_run(budget=BUDGET))
    beat(world, usage=USED)
    assert world.event_types() == ["run.progress", "run.budget-nearly-used"]


def test_what_is_first_seen_at_the_end_is_told_as_well(world):
    world.add(a_running_run(budget=BUDGET))
    complete_run(RUNNER, a_report(usage=USED), (), **world.ports(*CHANGE))
    assert world.event_types() == ["run.reported", "run.budget-nearly-used"]


def test_a_budget_that_is_not_nearly_used_is_no_event(world):
    world.add(a_running_run(budget=ModelBudget(max_cost_microusd=10_001)))
    beat(world, usage=USED)
    assert world.event_types() == ["run.progress"]


def test_a_claim_says_whose_key_the_run_has(world):
    world.add(a_run(agent="claude", model_id="claude-opus-4-5-20251101"))
    world.secrets.records["acme", "anthropic"] = Secret("acme", "anthropic", later(), later(), "key")
    world.vault.put("acme", "anthropic", "sk-own-canary")
    claimed = claim(world)
    assert claimed.credentials.provider == ProviderKey("sk-own-canary", is_own=True)
    assert world.run().has_own_provider_key


def test_without_a_key_of_its_own_a_run_has_the_operators(world):
    world.add(a_run(agent="claude", model_id="claude-opus-4-5-20251101"))
    world.vault.providers["anthropic"] = ProviderKey("sk-platform-canary")
    assert claim(world).credentials.provider == ProviderKey("sk-platform-canary")
    assert not world.run().has_own_provider_key


def test_a_plan_that_asks_for_own_keys_is_given_no_other(world):
    world.add(a_run(agent="claude", model_id="claude-opus-4-5-20251101", own_secrets_only=True))
    world.vault.providers["anthropic"] = ProviderKey("sk-platform-canary")
    claimed = claim(world)
    assert (claimed.credentials.provider, claimed.credentials.missing) == (None, ("anthropic",))


@pytest.mark.parametrize(
    ("repo", "token"),
    [
        ("acme/site", "git-canary"),
        ("https://git.example.com/acme/site.git", "git-canary"),
        ("https://elsewhere.example.com/acme/site.git", None),
        ("https://git.example.com:8443/acme/site.git", None),
        (None, None),
    ],
)
def test_the_git_token_is_shown_to_its_own_host_alone(world, repo, token):
    world.add(a_run(repo=repo))
    world.vault.git_token = "git-canary"
    assert claim(world).credentials.git_token == token


def test_a_claim_that_is_refused_looks_up_no_key(world):
    world.add(a_running_run(agent="claude"))
    with pytest.raises(ClaimRefused):
        claim(world, claim_id="d" * 32)
    assert (world.vault.reads, world.secrets.queries) == ([], 0)


def test_a_vault_that_does_not_answer_costs_no_attempt(world):
    world.add(a_run(agent="claude", model_id="claude-opus-4-5-20251101"))
    world.vault.is_down = True
    with pytest.raises(Unavailable):
        claim(world)
    assert world.run().status is RunStatus.PENDING
