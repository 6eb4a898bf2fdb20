"""Promoting one run of a batch: the others are cancelled, and a second one is refused."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from builders import NOON, a_promotion, a_worked_run
from fake_workspaces import InMemoryBatches

from outpost.domain.batch import Batch, BatchEntry
from outpost.domain.errors import (
    BatchAlreadyPromoted,
    BatchNotFound,
    KillSwitchOn,
    NothingToPromote,
    RunAlreadyEnded,
    RunNotEnded,
    RunNotFound,
    Unavailable,
)
from outpost.domain.run import RunStatus
from outpost.use_cases.promote_batch import REASON, promote_batch

ENTRIES = (
    BatchEntry("one", "none", "run-one"),
    BatchEntry("two", "none", None, "POLICY_DENIED", "no"),
    BatchEntry("three", "none", "run-three"),
    BatchEntry("four", "none"),
    BatchEntry("five", "none", "run-five"),
)


@dataclass
class Bench:
    """A batch, and what becomes of its runs; `refusals` are what a deed meets, by its name or its run."""

    batches: InMemoryBatches = field(default_factory=InMemoryBatches)
    refusals: dict = field(default_factory=dict)
    batch_ids: dict = field(default_factory=dict)
    deeds: list = field(default_factory=list)
    reasons: set = field(default_factory=set)
    meanwhile: Callable = lambda _: None

    def __post_init__(self):
        self.batches.put(Batch("acme", "batch-1", NOON, "echo hello", ENTRIES))

    def do(self, deed, run_id):
        refusal = self.refusals.get(deed) or self.refusals.get((deed, run_id))
        if refusal is not None:
            raise refusal
        self.deeds.append((deed, run_id))

    def require(self, run_id):
        self.do("require", run_id)
        self.meanwhile(self.batches)
        return a_worked_run(run_id=run_id, batch_id=self.batch_ids.get(run_id, "batch-1"))

    def promote_run(self, run_id):
        self.do("promote", run_id)
        return a_promotion(run_id=run_id)

    def cancel(self, run_id, reason):
        self.reasons.add(reason)
        self.do("cancel", run_id)
        return a_worked_run(run_id=run_id)

    def promote(self, run_id="run-three", batch_id="batch-1"):
        return promote_batch(
            "acme",
            batch_id,
            run_id,
            require=self.require,
            promote=self.promote_run,
            cancel=self.cancel,
            batches=self.batches,
        )

    @property
    def promoted(self):
        """The run that is noted as the batch's."""
        return self.batches.get("acme", "batch-1").promoted_run_id


@pytest.fixture
def bench():
    return Bench()


def test_one_run_is_promoted_and_the_others_are_cancelled(bench):
    done = bench.promote()
    assert done.promotion == a_promotion(run_id="run-three")
    assert done.cancelled == ("run-one", "run-five")
    assert (bench.promoted, bench.reasons) == ("run-three", {REASON})


def test_it_is_promoted_before_anything_is_cancelled(bench):
    bench.promote()
    assert [deed for deed, _ in bench.deeds] == ["require", "promote", "cancel", "cancel"]


def test_promoted_again_it_is_the_same(bench):
    first = bench.promote()
    assert bench.promote().promotion == first.promotion
    assert bench.promoted == "run-three"


@pytest.mark.parametrize(
    "refusal", [RunAlreadyEnded(RunStatus.COMPLETED), RunNotFound("run-one"), Unavailable("the table")], ids=type
)
def test_a_run_that_cannot_be_cancelled_holds_up_nothing(bench, refusal):
    bench.refusals["cancel", "run-one"] = refusal
    assert bench.promote().cancelled == ("run-five",)


def test_another_run_of_the_batch_is_refused(bench):
    bench.promote()
    bench.deeds.clear()
    with pytest.raises(BatchAlreadyPromoted) as refusal:
        bench.promote("run-one")
    assert refusal.value.run_id == "run-three"
    assert bench.deeds == [("require", "run-one")]


def test_of_two_at_once_the_second_is_told_which_was_first(bench):
    bench.meanwhile = lambda batches: batches.note_promotion("acme", "batch-1", "run-five")
    with pytest.raises(BatchAlreadyPromoted) as refusal:
        bench.promote("run-one")
    assert refusal.value.run_id == "run-five"


@pytest.mark.parametrize(
    "refusal",
    [RunNotEnded(RunStatus.RUNNING), NothingToPromote("no patch"), KillSwitchOn(None), RunNotFound("x")],
    ids=type,
)
def test_a_run_that_is_refused_leaves_the_batch_free_for_another(bench, refusal):
    bench.refusals["require", "run-one"] = refusal
    with pytest.raises(type(refusal)):
        bench.promote("run-one")
    assert (bench.promoted, bench.deeds) == (None, [])
    assert bench.promote().promotion.run_id == "run-three"


def test_a_run_of_another_batch_is_not_found(bench):
    bench.batch_ids["run-three"] = "batch-2"
    with pytest.raises(RunNotFound):
        bench.promote()
    assert bench.promoted is None


def test_a_batch_that_nobody_made_is_not_found(bench):
    with pytest.raises(BatchNotFound):
        bench.promote(batch_id="batch-2")
    assert bench.deeds == []


def test_a_promotion_that_met_a_failure_is_promoted_by_the_same_request(bench):
    bench.refusals["promote"] = Unavailable("the table")
    with pytest.raises(Unavailable):
        bench.promote()
    bench.refusals.clear()
    assert bench.promote().cancelled == ("run-one", "run-five")
