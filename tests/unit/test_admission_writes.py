"""What the transaction of an admission asks of the breaker."""

import pytest
from builders import a_run, an_admission, later
from deployment import make_settings

from outpost.adapters.dynamo_admission import DEPLOYMENT, AdmissionWrites
from outpost.adapters.dynamo_counters import BREAKER_IS_CLOSED, BREAKER_UNTOUCHED
from outpost.domain.admission import Form
from outpost.domain.deployment import Breaker
from outpost.domain.run import RunStatus

HALF_OPEN = Breaker(5, later(seconds=-60))


def condition_of_deployment(form, **changes):
    run = a_run(status=RunStatus.PENDING if form is Form.LAUNCH else RunStatus.QUEUED)
    write = AdmissionWrites(make_settings()).of(run, an_admission(form=form, **changes))[DEPLOYMENT]
    (request,) = write.values()
    return request["ConditionExpression"]


@pytest.mark.parametrize("form", Form)
def test_a_run_that_tries_nothing_out_needs_a_closed_breaker(form):
    assert BREAKER_IS_CLOSED in condition_of_deployment(form)


def test_a_run_that_begins_may_try_a_half_open_breaker_out_if_nobody_else_has():
    condition = condition_of_deployment(Form.LAUNCH, tries=HALF_OPEN)
    assert BREAKER_UNTOUCHED in condition
    assert BREAKER_IS_CLOSED not in condition


@pytest.mark.parametrize("form", [Form.BEHIND_OWN, Form.BEHIND_OTHERS])
def test_a_run_that_waits_may_try_a_half_open_breaker_out_only_if_nobody_else_has(form):
    assert BREAKER_UNTOUCHED in condition_of_deployment(form, tries=HALF_OPEN)
