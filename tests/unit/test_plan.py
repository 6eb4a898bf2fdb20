from datetime import UTC, datetime, timedelta, timezone

import pytest
from builders import NOON, a_plan, later

from outpost.domain.agents import AGENTS
from outpost.domain.errors import PlanEnded, PolicyDenied
from outpost.domain.plan import Period, PlanKind, month_of
from outpost.domain.size import Size

TRIAL = a_plan(kind=PlanKind.TRIAL, ends_at=later(days=14))
MOMENT = timedelta(milliseconds=1)
BIG = Size(1_024, 4_096)


def require(plan, *, agent="claude", repo="acme/site", timeout_seconds=600, size=BIG):
    plan.require_allowed(AGENTS[agent], repo, timeout_seconds, size, git_base_url="https://git.example.com")


def test_a_trial_counts_over_its_whole_time():
    assert TRIAL.period(NOON) == TRIAL.period(later(days=13)) == Period("trial-20300101T120000", None)


def test_another_trial_counts_anew():
    assert a_plan(kind=PlanKind.TRIAL, started_at=later(days=20)).period(later(days=21)).name == "trial-20300121T120000"


@pytest.mark.parametrize("kind", [PlanKind.STANDARD, PlanKind.UNLIMITED])
def test_other_plans_count_by_the_month(kind):
    assert a_plan(kind=kind).period(NOON) == Period("2030-01", datetime(2030, 2, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("first_of_month", "before", "after"),
    [
        (datetime(2030, 2, 1, tzinfo=UTC), "2030-01", "2030-02"),
        (datetime(2028, 3, 1, tzinfo=UTC), "2028-02", "2028-03"),
        (datetime(2030, 12, 1, tzinfo=UTC), "2030-11", "2030-12"),
        (datetime(2031, 1, 1, tzinfo=UTC), "2030-12", "2031-01"),
    ],
)
def test_a_month_ends_where_the_next_begins(first_of_month, before, after):
    assert month_of(first_of_month - MOMENT) == Period(before, first_of_month)
    assert month_of(first_of_month).name == after


def test_december_is_followed_by_january_of_the_next_year():
    assert month_of(datetime(2030, 12, 31, 23, 59, tzinfo=UTC)).resets_at == datetime(2031, 1, 1, tzinfo=UTC)


def test_a_month_is_one_of_utc():
    assert month_of(datetime(2031, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))).name == "2030-12"


@pytest.mark.parametrize(
    ("rules", "has_rules"),
    [
        ({}, False),
        ({"allowed_repositories": ()}, True),
        ({"allowed_repositories": ("acme/*",)}, True),
        ({"denied_repositories": ("acme/secret",)}, True),
    ],
)
def test_a_plan_has_rules_for_repositories_where_it_allows_some_or_denies_some(rules, has_rules):
    assert a_plan(**rules).has_repository_rules is has_rules


def test_a_plan_without_an_end_goes_on():
    assert a_plan().require_running(later(days=10_000)) is None


@pytest.mark.parametrize(("kind", "is_trial"), [(PlanKind.TRIAL, True), (PlanKind.STANDARD, False)])
def test_a_plan_is_over_at_its_end_and_says_which_it_was(kind, is_trial):
    plan = a_plan(kind=kind, ends_at=later(days=14))
    plan.require_running(later(days=14) - MOMENT)
    with pytest.raises(PlanEnded) as ended:
        plan.require_running(later(days=14))
    assert (ended.value.is_trial, ended.value.ended_at) == (is_trial, later(days=14))


def test_a_plan_without_rules_allows_everything():
    assert require(a_plan(), timeout_seconds=86_400) is None


@pytest.mark.parametrize(
    "rules",
    [
        {"agents": ("claude",)},
        {"longest_timeout_seconds": 600},
        {"largest_cpu_units": BIG.cpu_units},
        {"largest_memory_mb": BIG.memory_mb},
        {"allowed_repositories": ("acme/*",)},
        {"denied_repositories": ("acme/secret",)},
    ],
)
def test_what_just_fits_a_rule_is_allowed(rules):
    assert require(a_plan(**rules)) is None


@pytest.mark.parametrize(
    ("rules", "field", "message"),
    [
        ({"agents": ("shell", "codex")}, "agent", "the plan allows the agents shell, codex"),
        ({"agents": ()}, "agent", "the plan allows the agents none"),
        ({"longest_timeout_seconds": 599}, "timeoutSeconds", "the plan allows at most 599 seconds"),
        ({"largest_cpu_units": BIG.cpu_units - 1}, "resources.cpuUnits", "the plan allows at most 1023 CPU units"),
        ({"largest_cpu_units": 0}, "resources.cpuUnits", "the plan allows at most 0 CPU units"),
        ({"largest_memory_mb": BIG.memory_mb - 1}, "resources.memoryMb", "the plan allows at most 4095 MB of memory"),
        ({"largest_memory_mb": 0}, "resources.memoryMb", "the plan allows at most 0 MB of memory"),
        ({"allowed_repositories": ("acme/other",)}, "repo", "the plan does not allow this repository"),
        ({"allowed_repositories": ()}, "repo", "the plan does not allow this repository"),
        ({"denied_repositories": ("acme/*",)}, "repo", "the plan does not allow this repository"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_field(rules, field, message):
    with pytest.raises(PolicyDenied, match=f"^{message}$") as denied:
        require(a_plan(**rules))
    assert denied.value.field == field


def test_a_run_without_a_repository_meets_no_rule_for_repositories():
    assert require(a_plan(allowed_repositories=(), denied_repositories=("*",)), repo=None) is None
