"""What a caller is told of a kill switch: whose it is, and what to do."""

from builders import later

from outpost.api.errors import answer_for
from outpost.domain.errors import KillSwitchOn


def test_a_tenants_own_switch_and_the_deployments_are_two_answers_of_one_code():
    own, of_all = (answer_for(KillSwitchOn(reason), later()) for reason in ("too much", None))
    assert (own.status, own.code) == (of_all.status, of_all.code) == (403, "KILL_SWITCH_ON")
    assert own.message != of_all.message
    assert own.remedy != of_all.remedy


def test_the_deployments_switch_sends_its_caller_to_the_operator_and_gives_no_reason():
    answer = answer_for(KillSwitchOn(None), later())
    assert answer.message == "The operator has stopped this deployment: no work begins."
    assert "GET /health/fleet" in answer.remedy
    assert answer.details == {"scope": "deployment", "reason": None}


def test_a_tenants_own_switch_gives_its_reason():
    assert answer_for(KillSwitchOn("too much"), later()).details == {"scope": "tenant", "reason": "too much"}
