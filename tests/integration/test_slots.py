"""The counter of slots in use, and its correction."""

from dataclasses import replace

import pytest
from builders import a_caller, a_run, an_event, later

from outpost.adapters.dynamo_items import tenant_key, to_item
from outpost.adapters.dynamo_slots import DynamoSlots
from outpost.domain.run import RunStatus
from outpost.ports import Admission

NOW = later(minutes=5)


@pytest.fixture
def slots(deployment, dynamo_runs):
    dynamo_runs.create(a_run(), an_event(), Admission(a_caller()))
    return DynamoSlots(deployment.dynamodb, deployment.settings)


@pytest.fixture
def set_counter(deployment):
    def write(number):
        deployment.dynamodb.update_item(
            TableName=deployment.settings.tenants_table,
            Key=tenant_key("acme"),
            UpdateExpression="SET active_runs = :number",
            ExpressionAttributeValues=to_item({":number": number}),
        )

    return write


def test_a_counter_that_is_right_is_left_alone(slots):
    assert slots.correct("acme", NOW) == 0


@pytest.mark.parametrize(("wrong", "drift"), [(3, -2), (0, 1), (-1, 2)])
def test_a_counter_that_drifted_is_set_to_the_runs_at_work(slots, set_counter, wrong, drift):
    set_counter(wrong)
    assert slots.correct("acme", NOW) == drift
    assert slots.correct("acme", NOW) == 0


def test_a_run_that_has_ended_holds_no_slot(slots, dynamo_runs, set_counter):
    dynamo_runs.save(a_run(), replace(a_run(), status=RunStatus.FAILED), an_event(event_id="01Q3ENHRG0ENDED"))
    set_counter(5)
    assert slots.correct("acme", NOW) == -5


def test_nothing_is_written_if_a_slot_moved_while_they_were_counted(slots, deployment, dynamo_runs, set_counter):
    class Interrupted:
        """The client, with a dispatch that comes between counting and writing."""

        def __getattr__(self, name):
            return getattr(deployment.dynamodb, name)

        def update_item(self, **request):
            another = a_run(run_id="01Q3ENHRG0ZZZZZZZZZZZZZZZZ")
            dynamo_runs.create(another, an_event(event_id="01Q3ENHRG0OTHER"), Admission(a_caller()))
            return deployment.dynamodb.update_item(**request)

    set_counter(7)
    assert DynamoSlots(Interrupted(), deployment.settings).correct("acme", NOW) == 0
    assert slots.correct("acme", NOW) == -6


def test_tenants_with_slots_in_use_are_found(slots, set_counter):
    assert slots.holders() == ("acme",)
    set_counter(0)
    assert slots.holders() == ()


def test_a_tenant_that_is_gone_has_no_drift(slots):
    assert slots.correct("other", NOW) == 0
