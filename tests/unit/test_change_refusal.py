"""What a change that did not hold says, by what the writes beside the run's own met."""

import pytest
from builders import a_run, a_running_run, later

from outpost.adapters.dynamo_changes import Consequence, read_change_refusal
from outpost.adapters.dynamo_items import encode, to_item
from outpost.domain.kill_switch import KillSwitch
from outpost.domain.run import RunStatus
from outpost.domain.run_error import RunErrorCode
from outpost.ports import RunChangedMeanwhile, SlotRefusal, SlotRefused, WorkForbidden

MOST_RUNS = 100
SWITCH = {"kill_switch": encode(KillSwitch("too much", later(), "operator"))}
FAILING = {"failures_shell": 5, "blocked_since_shell": "2030-01-01T12:00:00.000Z"}
RELEASED = a_run(status=RunStatus.QUEUED).released(later())


def refusal(after, **found):
    """The refusal of the change that met these items."""
    items = {Consequence(name): to_item(attributes) for name, attributes in found.items()}
    return read_change_refusal(items, after, MOST_RUNS)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ({"tenant": {"active_runs": 10}}, SlotRefusal.TENANT_IS_CLOSED),
        ({"deployment": {"active_runs": 99, **FAILING}}, SlotRefusal.AGENT_IS_BLOCKED),
        ({"deployment": {"active_runs": 100, **FAILING}}, SlotRefusal.DEPLOYMENT_IS_CLOSED),
        ({"deployment": {"active_runs": 1, **SWITCH}}, SlotRefusal.DEPLOYMENT_IS_CLOSED),
        ({"deployment": {"active_runs": 1, **SWITCH, **FAILING}}, SlotRefusal.DEPLOYMENT_IS_CLOSED),
        ({"tenant": {"active_runs": 10}, "deployment": {"active_runs": 1, **FAILING}}, SlotRefusal.AGENT_IS_BLOCKED),
        ({"tenant": {"active_runs": 10}, "deployment": {"active_runs": 100}}, SlotRefusal.DEPLOYMENT_IS_CLOSED),
    ],
)
def test_a_refused_slot_says_for_whom_there_is_none(found, reason):
    refused = refusal(RELEASED, **found)
    assert isinstance(refused, SlotRefused)
    assert refused.reason is reason


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ({"tenant": {"status": "SUSPENDED"}}, RunErrorCode.TENANT_SUSPENDED),
        ({"tenant": {"status": "ACTIVE", **SWITCH}}, RunErrorCode.KILL_SWITCH_ON),
        ({"deployment": SWITCH}, RunErrorCode.KILL_SWITCH_ON),
        ({"tenant": {"status": "SUSPENDED"}, "deployment": SWITCH}, RunErrorCode.TENANT_SUSPENDED),
    ],
)
def test_a_refused_claim_says_why_nothing_may_be_worked_on(found, code):
    forbidden = refusal(a_running_run(), **found)
    assert isinstance(forbidden, WorkForbidden)
    assert forbidden.code is code


@pytest.mark.parametrize("after", [RELEASED, a_running_run(), a_run(status=RunStatus.FAILED)])
def test_where_everything_beside_it_held_the_run_itself_has_changed(after):
    assert isinstance(refusal(after), RunChangedMeanwhile)
