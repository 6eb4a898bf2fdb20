"""What the transactions of an admission, and of a slot that is given, ask of the deployment and its breakers."""

import pytest
from builders import NOON, a_run, an_admission, later
from deployment import make_settings

from outpost.adapters.dynamo_admission import DEPLOYMENT, AdmissionWrites
from outpost.adapters.dynamo_changes import ChangeWrites, Consequence
from outpost.adapters.dynamo_counters import (
    AGENT_MAY_LAUNCH,
    DEPLOYMENT_HAS_A_SLOT,
    DEPLOYMENT_IS_FULL,
    DEPLOYMENT_IS_OPEN,
)
from outpost.domain.admission import Form
from outpost.domain.run import RunStatus

BEHIND = [Form.BEHIND_OWN, Form.BEHIND_OTHERS]


def admitted(form):
    """What an admission writes to the deployment."""
    run = a_run(status=RunStatus.PENDING if form is Form.LAUNCH else RunStatus.QUEUED)
    return AdmissionWrites(make_settings()).of(run, an_admission(form=form))[DEPLOYMENT]


def changed(before, after):
    """What a change of a run writes to the deployment."""
    return ChangeWrites(make_settings()).of(before, after)[Consequence.DEPLOYMENT]


def released(**changes):
    """What a slot that is given writes to the deployment."""
    waiting = a_run(status=RunStatus.QUEUED, **changes)
    return changed(waiting, waiting.released(NOON))


def condition_of(write):
    (request,) = write.values()
    return request["ConditionExpression"].split(" AND ")


@pytest.mark.parametrize("form", Form)
def test_every_run_needs_a_deployment_that_is_open_and_an_agent_that_may_be_launched(form):
    assert {DEPLOYMENT_IS_OPEN, AGENT_MAY_LAUNCH} <= set(condition_of(admitted(form)))


def test_a_run_that_begins_needs_a_slot_of_the_deployment():
    assert DEPLOYMENT_HAS_A_SLOT in condition_of(admitted(Form.LAUNCH))


def test_a_run_waits_for_others_only_where_they_have_all_slots_and_for_its_own_whatever_others_have():
    assert DEPLOYMENT_IS_FULL in condition_of(admitted(Form.BEHIND_OTHERS))
    assert condition_of(admitted(Form.BEHIND_OWN)) == [DEPLOYMENT_IS_OPEN, AGENT_MAY_LAUNCH]


def test_a_launch_takes_its_slot_and_the_trial_in_one_write():
    update = admitted(Form.LAUNCH)["Update"]
    assert update["UpdateExpression"] == "ADD active_runs :one, slot_changes :one SET #blocked_since = :now"
    assert update["ExpressionAttributeNames"]["#blocked_since"] == "blocked_since_shell"
    assert update["ExpressionAttributeValues"][":now"] == {"S": "2030-01-01T12:00:00.000Z"}


@pytest.mark.parametrize("form", BEHIND)
def test_a_run_that_waits_writes_nothing_to_what_all_share(form):
    assert list(admitted(form)) == ["ConditionCheck"]


def test_a_slot_that_is_given_is_a_launch_like_any_other():
    assert released() == admitted(Form.LAUNCH)


@pytest.mark.parametrize("write", [admitted(Form.LAUNCH), admitted(Form.BEHIND_OWN), released()])
def test_an_agent_is_tried_again_a_minute_after_the_last_time(write):
    (request,) = write.values()
    values = request["ExpressionAttributeValues"]
    assert "#failures < :to_open OR #blocked_since <= :tried_before" in request["ConditionExpression"]
    assert values[":tried_before"] == {"S": "2030-01-01T11:59:00.000Z"}
    assert values[":to_open"] == {"N": "5"}


def test_each_agent_has_a_breaker_of_its_own():
    names = released(agent="claude")["Update"]["ExpressionAttributeNames"]
    assert (names["#failures"], names["#blocked_since"]) == ("failures_claude", "blocked_since_claude")


def test_a_claim_asks_whether_the_deployment_is_open_and_no_more():
    claimed = a_run().claimed(attempt=1, claim_id="c" * 32, task_arn="task", at=later(seconds=5))
    write = changed(a_run(), claimed)
    assert list(write) == ["ConditionCheck"]
    assert condition_of(write) == [DEPLOYMENT_IS_OPEN]


def test_an_end_frees_its_slot_under_no_condition():
    write = changed(a_run(), a_run().ended(RunStatus.FAILED, None, later(seconds=5)))
    assert "ConditionExpression" not in write["Update"]
    assert write["Update"]["ExpressionAttributeValues"][":active_change"] == {"N": "-1"}
