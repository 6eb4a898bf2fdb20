"""A key that was only remembered is proved before a refusal is given that speaks of its tenant or plan."""

import json
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace

import pytest
from builders import a_key, an_api_event, later
from deployment import make_settings
from fakes import FixedSigningKey, InMemoryApiKeys, SteppedClock
from functions import LambdaContext

from outpost.api.application import Application, Reply
from outpost.domain.api_key import KeyStatus
from outpost.domain.errors import CallerUnknown, KillSwitchOn, OutpostError, PolicyDenied, Unavailable
from outpost.domain.tenant import TenantStatus


@dataclass
class RememberedApiKeys(InMemoryApiKeys):
    """Keys that are remembered as they were at first; `confirmed` counts the proofs."""

    is_fresh: bool = False
    is_exceeded: bool = False
    confirmed: int = 0

    def use(self, key_hash, now):
        use = super().use(key_hash, now)
        rate = replace(use.rate, is_exceeded=self.is_exceeded)
        return replace(use, key=a_key(), rate=rate, is_fresh=self.is_fresh)

    def confirm(self, use):
        self.confirmed += 1
        return super().confirm(use)


@pytest.fixture
def api_keys(world):
    return RememberedApiKeys(world.runs)


@dataclass
class Deed:
    """What a route does: nothing, or it is refused."""

    refusal: OutpostError | None = None

    def __call__(self, request):
        if self.refusal is not None:
            raise self.refusal
        return Reply({"tenantId": request.caller.tenant_id})


@pytest.fixture
def ask(api_keys):
    """Calls a route, which ends as it is told to; status, code and headers of the answer."""
    ports = {"clock": SteppedClock(), "api_keys": api_keys, "signing_key": FixedSigningKey()}
    application, deed = Application(SimpleNamespace(settings=make_settings(), **ports)), Deed()
    application.route("POST", "/dispatch")(deed)
    application.route("GET", "/version")(deed)

    def call(method, path, refusal=None, **headers):
        deed.refusal = refusal
        answer = application.handler(an_api_event(method, path, headers=headers), LambdaContext())
        code = json.loads(answer["body"]).get("error", {}).get("code")
        return answer["statusCode"], code, answer["multiValueHeaders"]

    return call


@pytest.fixture
def dispatch(ask):
    """Calls POST /dispatch, which proves its key later."""
    return partial(ask, "POST", "/dispatch")


DENIED = PolicyDenied("agent", "the plan is for others")
REFUSALS = [
    (DENIED, 403, "POLICY_DENIED"),
    (KillSwitchOn("too much"), 403, "KILL_SWITCH_ON"),
    (Unavailable("the tenant kept changing"), 503, "SERVICE_UNAVAILABLE"),
]


@pytest.mark.parametrize(("refusal", "status", "code"), REFUSALS)
def test_a_key_that_is_still_good_is_given_the_refusal(dispatch, api_keys, refusal, status, code):
    assert dispatch(refusal)[:2] == (status, code)
    assert api_keys.confirmed == 1


@pytest.mark.parametrize("refusal", [DENIED, Unavailable("the tenant kept changing")])
@pytest.mark.parametrize("end", [{"status": KeyStatus.REVOKED}, {"expires_at": later()}])
def test_a_key_that_has_ended_is_unknown_whatever_was_refused(world, dispatch, refusal, end):
    world.put_key(a_key(**end))
    assert dispatch(refusal)[:2] == (401, "AUTHENTICATION_ERROR")


def test_a_key_that_is_unknown_is_told_no_rate(world, dispatch):
    assert "X-RateLimit-Limit" in dispatch(DENIED)[2]
    world.put_key(a_key(status=KeyStatus.REVOKED))
    assert "X-RateLimit-Limit" not in dispatch(DENIED)[2]


def test_a_suspended_tenant_is_told_of_that_and_not_of_its_plan(world, dispatch):
    world.change_tenant(status=TenantStatus.SUSPENDED)
    assert dispatch(DENIED)[:2] == (403, "TENANT_SUSPENDED")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [({"X-Tenant-ID": "other"}, 403, "TENANT_MISMATCH"), ({"X-Tenant-ID": "acme"}, 200, None)],
)
def test_a_tenant_that_is_named_has_to_be_the_keys(dispatch, headers, status, code):
    assert dispatch(**headers)[:2] == (status, code)


def test_a_key_that_has_ended_learns_not_whose_it_was(world, dispatch):
    world.put_key(a_key(status=KeyStatus.REVOKED))
    assert dispatch(**{"X-Tenant-ID": "other"})[:2] == (401, "AUTHENTICATION_ERROR")


def test_what_is_done_has_proved_its_key_itself(dispatch, api_keys):
    assert dispatch()[0] == 200
    assert api_keys.confirmed == 0


def test_a_key_that_was_read_with_this_request_needs_no_proof(dispatch, api_keys):
    api_keys.is_fresh = True
    assert dispatch(DENIED)[:2] == (403, "POLICY_DENIED")
    assert api_keys.confirmed == 0


def test_a_request_too_many_costs_no_proof(dispatch, api_keys):
    api_keys.is_exceeded = True
    assert dispatch()[:2] == (429, "RATE_LIMITED")
    assert api_keys.confirmed == 0


def test_a_key_that_its_own_transaction_found_ended_is_not_proved_again(dispatch, api_keys):
    assert dispatch(CallerUnknown("revoked meanwhile"))[:2] == (401, "AUTHENTICATION_ERROR")
    assert api_keys.confirmed == 0


def test_the_key_of_one_request_is_not_proved_for_the_next(world, ask, dispatch, api_keys):
    dispatch()
    world.put_key(a_key(status=KeyStatus.REVOKED))
    assert ask("GET", "/version", Unavailable("AWS"))[:2] == (503, "SERVICE_UNAVAILABLE")
    assert api_keys.confirmed == 0
