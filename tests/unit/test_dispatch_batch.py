"""A batch: the first refusal is its own, later ones are its entries', and one that was cut short is completed."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from builders import NOON, SMALL, a_run, later
from fake_workspaces import InMemoryBatches

from outpost.domain.batch import Batch, BatchEntry
from outpost.domain.errors import AgentUnavailable, IdempotencyConflict, PolicyDenied, Unavailable
from outpost.use_cases.dispatch_batch import dispatch_batch
from outpost.use_cases.dispatch_run import PREVIEW_CHARACTERS, Dispatch, Dispatched

DENIED = PolicyDenied("agent", "the plan has no such agent")
DOWN = Unavailable("the table")


def a_dispatch(agent, **changes):
    dispatch = Dispatch(
        agent=agent,
        model_id="none",
        task="echo hello",
        timeout_seconds=600,
        body_sha256="0" * 64,
        api_url="https://api.example.com/dev",
        git_base_url="https://git.example.com",
        size=SMALL,
        idempotency_key=f"key/{agent}",
    )
    return replace(dispatch, **changes)


ALL = tuple(a_dispatch(agent) for agent in ("one", "two", "three"))


@dataclass
class Dispatcher:
    """Runs by their idempotency keys; `refusals` are what the next dispatches of an agent meet, each once."""

    batches: InMemoryBatches = field(default_factory=InMemoryBatches)
    runs: dict = field(default_factory=dict)
    refusals: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    meanwhile: Callable = lambda _: None

    def dispatch_one(self, wanted):
        self.asked.append(wanted)
        self.meanwhile(self)
        refusal = self.refusals.pop(wanted.agent, None)
        if refusal is not None:
            raise refusal
        known = self.runs.get(wanted.idempotency_key)
        made = a_run(run_id=f"run-{wanted.agent}", agent=wanted.agent, batch_id=wanted.batch_id, created_at=NOON)
        self.runs[wanted.idempotency_key] = known or made
        return Dispatched(known or made, is_replay=known is not None)

    def dispatch(self, dispatches=ALL, batch_id="batch-1", at=NOON):
        return dispatch_batch(
            "acme",
            batch_id,
            dispatches,
            at,
            dispatch_one=self.dispatch_one,
            describe=lambda refusal: (type(refusal).__name__, str(refusal)),
            batches=self.batches,
        )

    @property
    def batch(self) -> Batch:
        """The one batch that is recorded."""
        (batch,) = self.batches.records.values()
        return batch


@pytest.fixture
def dispatcher():
    return Dispatcher()


def test_every_agent_gets_a_run_of_the_batch(dispatcher):
    made = dispatcher.dispatch()
    assert dispatcher.batch == made.batch
    assert made.batch.entries == tuple(BatchEntry(name, "none", f"run-{name}") for name in ("one", "two", "three"))
    assert {wanted.batch_id for wanted in dispatcher.asked} == {"batch-1"}
    assert not made.is_replay


def test_a_batch_keeps_the_beginning_of_its_task(dispatcher):
    made = dispatcher.dispatch([a_dispatch(agent, task="x" * 5_000) for agent in ("one", "two")])
    assert (made.batch.task, made.batch.created_at) == ("x" * PREVIEW_CHARACTERS, NOON)


def test_where_the_first_is_refused_nothing_is_made(dispatcher):
    dispatcher.refusals = {"one": DENIED}
    with pytest.raises(PolicyDenied):
        dispatcher.dispatch()
    assert (dispatcher.batches.records, len(dispatcher.asked)) == ({}, 1)


def test_a_later_refusal_is_its_entrys(dispatcher):
    dispatcher.refusals = {"two": DENIED, "three": AgentUnavailable("three", NOON)}
    made = dispatcher.dispatch()
    assert made.batch.run_ids == ("run-one",)
    assert made.batch.entries[1] == BatchEntry("two", "none", None, "PolicyDenied", str(DENIED))
    assert made.batch.entries[2].code == "AgentUnavailable"
    assert [one.dispatched is None for one in made.entered] == [False, True, True]


def test_the_same_request_again_gives_the_same_batch(dispatcher):
    first = dispatcher.dispatch()
    again = dispatcher.dispatch(batch_id="batch-2", at=later(hours=1))
    assert (again.batch, again.is_replay) == (first.batch, True)
    assert dispatcher.batch == first.batch


def test_a_batch_that_was_cut_short_is_completed_by_the_same_request(dispatcher):
    dispatcher.refusals = {"two": DOWN}
    with pytest.raises(Unavailable):
        dispatcher.dispatch()
    made = dispatcher.dispatch(batch_id="batch-2", at=later(hours=20))
    assert made.batch == dispatcher.batch
    assert (made.batch.batch_id, made.batch.created_at) == ("batch-1", NOON)
    assert made.batch.run_ids == ("run-one", "run-two", "run-three")
    assert {run.batch_id for run in dispatcher.runs.values()} == {"batch-1"}


def test_what_was_accepted_before_a_failure_is_of_the_batch(dispatcher):
    dispatcher.refusals = {"three": DOWN}
    with pytest.raises(Unavailable):
        dispatcher.dispatch()
    assert dispatcher.batch.entries == (
        BatchEntry("one", "none", "run-one"),
        BatchEntry("two", "none", "run-two"),
        BatchEntry("three", "none"),
    )


def test_a_replay_never_forgets_what_is_recorded(dispatcher):
    first = dispatcher.dispatch()
    seen = []
    dispatcher.meanwhile = lambda self: seen.append(self.batch)
    dispatcher.dispatch()
    assert seen == [first.batch] * len(ALL)


def test_a_replay_keeps_the_promotion_that_is_noted(dispatcher):
    dispatcher.dispatch()
    dispatcher.batches.note_promotion("acme", "batch-1", "run-two")
    dispatcher.dispatch()
    assert dispatcher.batch.promoted_run_id == "run-two"


def test_an_agent_that_was_refused_is_asked_again_by_a_replay(dispatcher):
    dispatcher.refusals = {"two": DENIED}
    dispatcher.dispatch()
    assert dispatcher.dispatch().batch.run_ids == ("run-one", "run-two", "run-three")


def test_a_record_that_was_lost_is_made_again_by_a_replay(dispatcher):
    first = dispatcher.dispatch()
    dispatcher.batches.records.clear()
    dispatcher.dispatch(batch_id="batch-2", at=later(hours=1))
    assert dispatcher.batch == first.batch


def test_a_key_that_was_used_for_another_request_is_the_batchs_own_refusal(dispatcher):
    dispatcher.refusals = {"one": IdempotencyConflict("key")}
    with pytest.raises(IdempotencyConflict):
        dispatcher.dispatch()
