"""Two tenants, many runs, and whatever can happen to them in whatever order: the properties hold at every moment.

The seed is printed; OUTPOST_TEST_SEED repeats it.
"""

import os
import random
from collections.abc import Iterator

import hypothesis
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from outpost.domain.run import Priority

from .estate import SPOT, Estate
from .platform import Platform, open_platform
from .properties import wrongs_of_events
from .runner import Behaviour

TENANTS = ("acme", "other")
SEED = int(os.environ.get("OUTPOST_TEST_SEED") or random.SystemRandom().randrange(2**32))
QUIET_SECONDS = 2_400


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with open_platform() as opened:
        yield opened


class Lifecycle(RuleBasedStateMachine):
    """What callers, agents and AWS do; hypothesis draws the order."""

    platform: Platform
    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.estate = Estate(self.platform, TENANTS)
        self.by_key: dict[tuple[str, str], str] = {}

    @rule(
        target=runs,
        tenant=st.sampled_from(TENANTS),
        key=st.sampled_from("abcdefgh"),
        works=st.sampled_from([5, 40, 400, 5_000]),
        silent=st.booleans(),
        priority=st.sampled_from(Priority),
        patience=st.sampled_from([60, 600]),
    )
    def dispatch(
        self, tenant: str, key: str, works: float, silent: bool, priority: Priority, patience: int
    ) -> tuple[str, str] | MultipleResults[tuple[str, str]]:
        body = {
            "agent": "shell",
            "task": "true",
            "timeoutSeconds": 60,
            "idempotencyKey": f"{key}-{priority}-{patience}",
        }
        body |= {"priority": priority, "queueTimeoutSeconds": patience}
        answer = self.estate.call(tenant, "POST", "/dispatch", body)
        if answer.status in {403, 503}:
            assert answer.body["error"]["code"] in {"KILL_SWITCH_ON", "AGENT_UNAVAILABLE"}
            return multiple()
        assert answer.status in {200, 201}
        run_id = str(answer.body["data"]["runId"])
        assert self.by_key.setdefault((tenant, body["idempotencyKey"]), run_id) == run_id, "I5"
        self.estate.behaviours.setdefault(run_id, Behaviour(works_seconds=works, falls_silent=silent))
        return tenant, run_id

    @rule(run=runs)
    def cancel(self, run: tuple[str, str]) -> None:
        answer = self.estate.call(run[0], "POST", "/runs/{id}/cancel", {}, path_id=run[1])
        assert answer.status in {202, 409}

    @rule(run=runs)
    def cancel_as_a_stranger(self, run: tuple[str, str]) -> None:
        stranger = next(tenant for tenant in TENANTS if tenant != run[0])
        answer = self.estate.call(stranger, "POST", "/runs/{id}/cancel", {}, path_id=run[1])
        assert answer.status == 404, "I7"

    @rule(seconds=st.sampled_from([1, 5, 20, 61, 200]))
    def time_passes(self, seconds: float) -> None:
        self.estate.advance(seconds)

    @rule(number=st.integers(0, 50))
    def a_machine_is_reclaimed(self, number: int) -> None:
        alive = self.estate.alive()
        if alive:
            self.estate.fargate._end(alive[number % len(alive)], *SPOT)

    @rule(number=st.integers(0, 50))
    def a_container_dies_without_a_word(self, number: int) -> None:
        alive = self.estate.alive()
        if alive:
            self.estate.fargate.exit_task(alive[number % len(alive)], 137)

    @rule(number=st.integers(0, 50))
    def an_operator_aborts_an_execution(self, number: int) -> None:
        executions = list(self.estate.machine.executions.values())
        if executions:
            self.estate.machine._stop(executions[number % len(executions)])

    @rule(number=st.integers(0, 200))
    def an_event_comes_again(self, number: int) -> None:
        self.estate.hear_again(number)

    @rule(times=st.integers(1, 3))
    def the_next_launches_are_refused(self, times: int) -> None:
        self.estate.launches_to_refuse = 5 * times

    @rule(stops=st.booleans())
    def an_operator_puts_the_kill_switch_on(self, stops: bool) -> None:
        self.estate.platform.operate("set-kill-switch", reason="a drill", stopRunning=stops)

    @rule()
    def an_operator_lifts_the_kill_switch(self) -> None:
        self.estate.platform.operate("lift-kill-switch")

    @rule(run=consumes(runs))
    def a_run_is_forgotten_by_its_caller(self, run: tuple[str, str]) -> None:
        assert run[1] in self.estate.history.steps

    @invariant()
    def nothing_was_wrong_at_any_moment(self) -> None:
        assert self.estate.history.violations == []

    def teardown(self) -> None:
        self.estate.launches_to_refuse = 0
        self.estate.platform.operate("lift-kill-switch")
        self.estate.advance(QUIET_SECONDS)
        left = [f"{run.run_id} is {run.status}" for run in self.estate.history.runs() if not run.status.is_terminal]
        assert left == [], "I9"
        assert self.estate.alive() == [], "I9"
        assert self.estate.history.violations == []
        assert wrongs_of_events(self.estate.history) == []


def test_whatever_happens_in_whatever_order_the_properties_hold(platform: Platform, capsys: pytest.CaptureFixture[str]):
    with capsys.disabled():
        print(f"\nseed {SEED}")  # noqa: T201 so that a failure can be repeated
    machine = type("Lifecycle", (Lifecycle,), {"platform": platform})
    hypothesis.seed(SEED)(machine)
    bounds = settings(
        max_examples=12, stateful_step_count=25, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(machine, settings=bounds)
