"""The model finds nothing wrong with the product, and finds every defect that is put into it."""

from collections.abc import Callable
from dataclasses import replace

import model_mutations as mutations
import model_queue_mutations as queue_mutations
import pytest

from model import ONE_WAITS, TWO_WAIT, Bounds, Search
from outpost.domain.run import Priority

SHALLOW = Bounds(depth=9, faults=1)
EVERY_ORDER = Bounds(depth=40, faults=0)
INTERRUPTED = Bounds(depth=8, faults=1, torn=1)
MUTATED = Bounds(depth=14, faults=1)
LIFE = ("create", "launch", "task", "event: task", "runner 0 claims", "runner 1 claims", "finish")
LOSS = Bounds(depth=14, faults=1, only=frozenset(LIFE))
SUCCESS = Bounds(
    depth=14, faults=1, only=frozenset({*LIFE, "agent 0 has succeeded", "runner 0 reports", "cancel", "the machine"})
)
TWO_TASKS = Bounds(depth=10, faults=2, only=frozenset({"create", "launch", "task", "event", "finish", "runner"}))
WAITING = Bounds(depth=7, faults=0, busy=1, only=TWO_WAIT)
LOSING_A_SLOT = Bounds(depth=8, faults=1, torn=1, busy=1, only=TWO_WAIT)
ASKED_TWICE = frozenset({"create", "ask", "another"})
SWITCHED = Bounds(depth=9, faults=0, busy=1, switches=1, only=ONE_WAITS)
LOW_THEN_HIGH = Bounds(depth=5, faults=1, busy=1, only=TWO_WAIT, runs=(Priority.LOW, Priority.HIGH))
HIGH_THEN_LOW = replace(LOW_THEN_HIGH, runs=(Priority.HIGH, Priority.LOW))
MANY_LOSSES = Bounds(depth=24, faults=3, only=frozenset({"create", "launch", "finish"}))


def test_no_order_of_what_happens_without_faults_breaks_a_property() -> None:
    found = Search(EVERY_ORDER).run()

    assert found.violations == {}
    assert found.is_closed
    assert found.ends > 500


def test_no_single_fault_breaks_a_property_within_nine_steps() -> None:
    found = Search(SHALLOW).run()

    assert found.violations == {}
    assert found.states > 4_000


def test_no_use_case_that_is_interrupted_between_two_calls_breaks_a_property() -> None:
    found = Search(INTERRUPTED).run()

    assert found.violations == {}
    assert found.states > 4_000


def test_a_runner_that_does_not_know_its_task_breaks_no_property() -> None:
    found = Search(Bounds(depth=8, faults=2, claims_without_arn=True)).run()

    assert found.violations == {}
    assert found.states > 4_000


def test_a_run_that_waits_first_breaks_no_property_with_any_single_fault() -> None:
    found = Search(Bounds(depth=8, faults=1, busy=1)).run()

    assert found.violations == {}
    assert found.states > 4_000


def test_no_use_case_of_a_run_that_waits_breaks_a_property_when_it_is_interrupted() -> None:
    found = Search(Bounds(depth=7, faults=1, torn=1, busy=1, only=ONE_WAITS)).run()

    assert found.violations == {}
    assert found.states > 4_000


def test_an_execution_that_asks_twice_is_told_of_its_slot_whichever_request_comes_last() -> None:
    found = Search(Bounds(depth=8, faults=1, torn=1, busy=1, only=ASKED_TWICE)).run()

    assert found.violations == {}


def test_a_switch_that_is_put_on_and_lifted_at_any_moment_breaks_no_property() -> None:
    found = Search(Bounds(depth=8, faults=0, switches=2, busy=1)).run()

    assert found.violations == {}
    assert found.states > 4_000


@pytest.mark.parametrize("deployment_slots", [1, 9])
def test_two_runs_that_wait_get_their_slots_in_order_with_any_single_fault(deployment_slots: int) -> None:
    runs = (Priority.LOW, Priority.HIGH)
    bounds = Bounds(depth=7, faults=1, busy=1, slots=2, deployment_slots=deployment_slots, runs=runs, only=TWO_WAIT)

    found = Search(bounds).run()

    assert found.violations == {}
    assert found.states > 2_000


def test_two_runs_that_wait_get_their_slots_in_order_when_a_use_case_is_interrupted() -> None:
    runs = (Priority.LOW, Priority.HIGH)

    found = Search(Bounds(depth=6, faults=0, torn=1, busy=1, runs=runs, only=TWO_WAIT)).run()

    assert found.violations == {}
    assert found.states > 4_000


@pytest.mark.parametrize(
    ("mutation", "bounds", "property_broken"),
    [
        (mutations.cancelling_may_complete, SUCCESS, "table: CANCELLING became COMPLETED"),
        (mutations.cancelled_runs_can_be_claimed, MUTATED, "table: CANCELLING became RUNNING"),
        (mutations.a_second_claim_is_granted, LOSS, "I4"),
        (mutations.a_lost_attempt_can_still_claim, TWO_TASKS, "claim: the runner of attempt 1 holds attempt 2"),
        (mutations.a_missing_exit_code_is_success, SUCCESS, "success"),
        (mutations.the_report_alone_is_success, SUCCESS, "success"),
        (mutations.evidence_of_another_attempt_counts, LOSS, "I2"),
        (mutations.a_terminal_status_can_be_left, MUTATED, "I1"),
        (mutations.the_slot_is_kept_at_the_end, MUTATED, "I3"),
        (mutations.the_sweep_leaves_cancelled_runs_alone, MUTATED, "I9"),
        (mutations.attempts_have_no_limit, MANY_LOSSES, "attempts: 4"),
        (mutations.a_living_task_counts_as_stopped, MUTATED, "I2"),
        (mutations.the_stop_of_another_task_counts, LOSS, "I2"),
        (mutations.no_clock_runs_out, MUTATED, "I9"),
        (mutations.a_cancelled_run_is_relaunched, MUTATED, "table: CANCELLING became PENDING"),
        (mutations.an_end_has_no_event, MUTATED, "I6"),
        (mutations.late_evidence_rewrites_the_end, MUTATED, "I1"),
        (queue_mutations.a_slot_is_freed_twice, WAITING, "I3"),
        (queue_mutations.a_cancel_keeps_its_place, WAITING, "I3"),
        (queue_mutations.a_release_takes_no_slot_of_the_deployment, WAITING, "I3"),
        (queue_mutations.a_run_is_settled_twice, WAITING, "settlement"),
        (queue_mutations.a_cancel_in_the_queue_is_not_settled, WAITING, "settlement"),
        (queue_mutations.a_release_ignores_the_kill_switch, SWITCHED, "switch: a slot"),
        (queue_mutations.a_claim_ignores_the_kill_switch, SWITCHED, "switch: a claim"),
        (queue_mutations.the_sweep_does_not_tell_again, LOSING_A_SLOT, "queue: a run has its slot"),
        (queue_mutations.the_sweep_hands_nothing_out, LOSING_A_SLOT, "queue: a run waits for ever"),
        (queue_mutations.the_oldest_comes_first, LOW_THEN_HIGH, "order"),
        (queue_mutations.a_new_run_overtakes, HIGH_THEN_LOW, "order"),
    ],
)
def test_a_defect_in_the_decisions_is_found(
    mutation: Callable[[pytest.MonkeyPatch], None],
    bounds: Bounds,
    property_broken: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mutation(monkeypatch)

    found = Search(bounds, stop_at_first=True).run()

    assert any(wrong.startswith(property_broken) for wrong in found.violations), found.violations
