"""The correction of counters on the tables: what only a table's client can be interrupted at."""

from dataclasses import replace

import pytest
from builders import a_run, a_tenant, an_admission, an_event, later

from outpost.adapters.dynamo_deployments import DynamoDeployments
from outpost.adapters.dynamo_items import encode, tenant_key, to_item
from outpost.adapters.dynamo_slots import TENANTS_PER_ROUND, DynamoSlots
from outpost.domain.run import RunStatus

NOW = later(minutes=5)


@pytest.fixture
def slots(deployment, dynamo_runs):
    dynamo_runs.create(a_run(), an_event(), an_admission())
    return DynamoSlots(deployment.dynamodb, deployment.settings)


@pytest.fixture
def set_counter(deployment):
    def write(number, name="active_runs"):
        deployment.dynamodb.update_item(
            TableName=deployment.settings.tenants_table,
            Key=tenant_key("acme"),
            UpdateExpression="SET #name = :number",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues=to_item({":number": number}),
        )

    return write


@pytest.fixture
def interrupted_slots(deployment, dynamo_runs):
    """Counters whose correction is interrupted by a dispatch, between counting and writing."""

    class Interrupted:
        def __getattr__(self, name):
            return getattr(deployment.dynamodb, name)

        def update_item(self, **request):
            another = a_run(run_id="01Q3ENHRG0ZZZZZZZZZZZZZZZZ")
            dynamo_runs.create(another, an_event(event_id="01Q3ENHRG0OTHER"), an_admission())
            return deployment.dynamodb.update_item(**request)

    return DynamoSlots(Interrupted(), deployment.settings)


def test_a_counter_that_is_right_is_left_alone(slots):
    assert slots.correct("acme", NOW) == 0


@pytest.mark.parametrize(("wrong", "drift"), [(3, 2), (0, 1), (-1, 2)])
def test_a_counter_that_drifted_is_set_to_the_runs_at_work(slots, set_counter, wrong, drift):
    set_counter(wrong)
    assert slots.correct("acme", NOW) == drift
    assert slots.correct("acme", NOW) == 0


def test_a_counter_of_waiting_runs_that_drifted_is_set_too(slots, set_counter):
    set_counter(4, "queued_runs")
    assert slots.correct("acme", NOW) == 4
    assert slots.correct("acme", NOW) == 0


def test_a_run_that_has_ended_holds_no_slot(slots, dynamo_runs, set_counter):
    dynamo_runs.save(a_run(), replace(a_run(), status=RunStatus.FAILED), an_event(event_id="01Q3ENHRG0ENDED"))
    set_counter(5)
    assert slots.correct("acme", NOW) == 5


def test_nothing_is_written_if_a_slot_moved_while_they_were_counted(slots, interrupted_slots, set_counter):
    set_counter(7)
    assert interrupted_slots.correct("acme", NOW) == 0
    assert slots.correct("acme", NOW) == 6


def test_the_deployments_counter_is_left_alone_too_if_a_slot_moved(deployment, slots, interrupted_slots, set_counter):
    set_counter(7)
    assert interrupted_slots.correct_deployment() == 0
    assert DynamoDeployments(deployment.dynamodb, deployment.settings).get().active_runs == 2


def test_tenants_with_slots_in_use_are_found(slots, set_counter):
    assert slots.holders() == ("acme",)
    set_counter(0)
    assert slots.holders() == ()


def test_a_round_looks_at_a_bounded_number_of_tenants(deployment, slots, put_tenants):
    put_tenants(TENANTS_PER_ROUND + 1)
    assert len(slots.holders()) == TENANTS_PER_ROUND


@pytest.fixture
def put_tenants(deployment):
    """Puts tenants there that have a run at work."""

    def put(number):
        for name in (f"tenant-{n}" for n in range(number)):
            item = to_item(encode(a_tenant(tenant_id=name, active_runs=1))) | tenant_key(name)
            deployment.dynamodb.put_item(TableName=deployment.settings.tenants_table, Item=item)

    return put


def test_a_tenant_that_is_gone_has_no_drift(slots):
    assert slots.correct("other", NOW) == 0
