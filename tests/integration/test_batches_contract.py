"""What every `Batches` promises, of the tables and of the fake alike."""

from dataclasses import replace

import pytest
from builders import NOON

from outpost.domain.batch import Batch, BatchEntry

BATCH = Batch(
    "acme",
    "batch-1",
    NOON,
    "echo hello",
    (BatchEntry("one", "none"), BatchEntry("two", "none", None, "POLICY_DENIED", "the plan has no such agent")),
)
LATER = BATCH.with_entry(0, BatchEntry("one", "none", "run-one"))


def stored(ports, tenant_id="acme", batch_id="batch-1"):
    return ports.batches.get(tenant_id, batch_id)


@pytest.fixture
def batch(ports):
    ports.batches.put(BATCH)
    return BATCH


def test_a_batch_comes_back_as_it_was_recorded(ports, batch):
    assert stored(ports) == batch


def test_a_batch_is_its_tenants_own(ports, batch):
    assert stored(ports, tenant_id="other") is None
    assert stored(ports, batch_id="batch-2") is None


def test_what_became_of_its_entries_is_recorded_over_them(ports, batch):
    ports.batches.put(LATER)
    assert stored(ports) == LATER != batch


def test_the_run_that_is_promoted_is_noted(ports, batch):
    assert ports.batches.note_promotion("acme", "batch-1", "run-one")
    assert stored(ports) == replace(batch, promoted_run_id="run-one")


@pytest.mark.usefixtures("batch")
def test_the_same_run_is_noted_again(ports):
    ports.batches.note_promotion("acme", "batch-1", "run-one")
    assert ports.batches.note_promotion("acme", "batch-1", "run-one")


@pytest.mark.usefixtures("batch")
def test_another_run_is_not_noted(ports):
    ports.batches.note_promotion("acme", "batch-1", "run-one")
    assert not ports.batches.note_promotion("acme", "batch-1", "run-two")
    assert stored(ports).promoted_run_id == "run-one"


@pytest.mark.usefixtures("batch")
def test_a_promotion_that_is_noted_stays_when_the_batch_is_recorded_again(ports):
    ports.batches.note_promotion("acme", "batch-1", "run-one")
    ports.batches.put(LATER)
    assert stored(ports) == replace(LATER, promoted_run_id="run-one")


@pytest.mark.usefixtures("batch")
def test_anothers_batch_of_the_same_id_is_left_alone(ports):
    assert not ports.batches.note_promotion("other", "batch-1", "run-one")
    assert stored(ports).promoted_run_id is None


def test_nothing_is_noted_of_a_batch_that_is_not_there(ports):
    assert not ports.batches.note_promotion("acme", "batch-1", "run-one")
    assert stored(ports) is None
