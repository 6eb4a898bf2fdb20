import pytest
from builders import SECRET, a_caller, a_key, later
from fakes import FixedSigningKey

from outpost.domain.api_key import KeyStatus, Scope, hash_secret
from outpost.domain.errors import CallerUnknown, RateLimited, ScopeMissing, TenantMismatch, TenantSuspended
from outpost.domain.tenant import TenantStatus
from outpost.domain.token import ACCESS_TOKEN_PREFIX, Purpose, sign
from outpost.use_cases.authenticate import confirm_key, grant_access, read_credential, use_key
from outpost.use_cases.issue_token import issue_token


def read(world, text):
    return read_credential(text, **world.ports("signing_key", "clock"))


def use(world, text=SECRET):
    return use_key(read(world, text), **world.ports("api_keys", "clock"))


def grant(world, text=SECRET, *, used=None, scope=None, claimed=None, is_proved_later=False):
    return grant_access(
        read(world, text),
        used or use(world, text),
        scope=scope,
        claimed_tenant_id=claimed,
        is_proved_later=is_proved_later,
        **world.ports("api_keys", "clock"),
    )


def token_of(world, *scopes):
    return issue_token(a_caller(), scopes or None, **world.ports("signing_key", "clock")).token


def test_a_key_is_its_tenant_with_all_of_its_scopes(world):
    access = grant(world)
    assert (access.caller.tenant_id, access.caller.scopes) == ("acme", frozenset(Scope))
    assert (access.tenant, access.terms.plan) == (world.tenant(), world.tenant().plan)


@pytest.mark.parametrize(
    "text", [None, "", "nonsense", "otp_short", "ott_", "ott_nonsense", "ott_e30.e30", SECRET + " ", "Bearer " + SECRET]
)
def test_what_has_not_the_shape_of_a_credential_costs_no_look_up(world, text):
    with pytest.raises(CallerUnknown):
        use(world, text)
    assert world.api_keys.uses == 0


def test_a_key_that_nobody_made_is_unknown(world):
    with pytest.raises(CallerUnknown) as unknown:
        use(world, "otp_" + "b2" * 32)
    assert unknown.value.reason == "unknown"


@pytest.mark.parametrize(
    ("end", "reason"),
    [({"status": KeyStatus.REVOKED}, "revoked"), ({"expires_at": later()}, "expired")],
)
def test_a_key_that_has_ended_is_refused_and_only_the_log_hears_why(world, end, reason):
    world.put_key(a_key(**end))
    with pytest.raises(CallerUnknown, match=r"^the credential is missing or not valid$") as unknown:
        use(world)
    assert unknown.value.reason == reason


def test_a_key_works_until_its_end(world):
    world.put_key(a_key(expires_at=later(seconds=1)))
    assert grant(world).caller.key_id == a_key().key_id


@pytest.mark.parametrize("end", [{"status": KeyStatus.REVOKED}, {"expires_at": later()}])
def test_a_key_that_ended_after_it_was_remembered_is_refused_and_forgotten(world, end):
    remembered = use(world)
    world.put_key(a_key(**end))
    with pytest.raises(CallerUnknown):
        grant(world, used=remembered)
    assert world.api_keys.forgotten == [hash_secret(SECRET)]


def test_a_remembered_key_that_is_gone_is_refused_and_forgotten(world):
    remembered = use(world)
    world.runs.keys.clear()
    with pytest.raises(CallerUnknown):
        grant(world, used=remembered)
    assert world.api_keys.forgotten == [hash_secret(SECRET)]


def test_what_is_proved_with_the_deed_is_not_looked_at_before(world):
    remembered = use(world)
    world.runs.keys.clear()
    access = grant(world, used=remembered, is_proved_later=True)
    assert (access.caller.key_id, access.tenant) == (a_key().key_id, None)


def test_a_suspended_tenant_is_refused(world):
    world.change_tenant(status=TenantStatus.SUSPENDED)
    with pytest.raises(TenantSuspended):
        grant(world)


def confirm(world, used):
    return confirm_key(used, **world.ports("api_keys", "clock"))


def test_a_key_is_confirmed_as_it_is_now_with_its_tenant(world):
    remembered = use(world)
    key = world.put_key(a_key(scopes=frozenset({Scope.STATUS})))
    world.change_tenant(name="Acme and sons")
    assert confirm(world, remembered) == (key, world.tenant())


def test_what_a_key_has_lost_since_it_was_remembered_it_may_no_more(world):
    remembered = use(world)
    world.put_key(a_key(scopes=frozenset({Scope.STATUS})))
    with pytest.raises(ScopeMissing):
        grant(world, used=remembered, scope=Scope.DISPATCH)


@pytest.mark.parametrize(
    ("end", "reason"),
    [({"status": KeyStatus.REVOKED}, "revoked"), ({"expires_at": later()}, "expired")],
)
def test_a_key_that_has_ended_is_not_confirmed_and_forgotten(world, end, reason):
    remembered = use(world)
    world.put_key(a_key(**end))
    with pytest.raises(CallerUnknown) as unknown:
        confirm(world, remembered)
    assert unknown.value.reason == reason
    assert world.api_keys.forgotten == [hash_secret(SECRET)]


def test_a_key_of_a_suspended_tenant_is_not_confirmed_and_not_forgotten(world):
    remembered = use(world)
    world.change_tenant(status=TenantStatus.SUSPENDED)
    with pytest.raises(TenantSuspended):
        confirm(world, remembered)
    assert world.api_keys.forgotten == []


def test_a_key_that_has_ended_learns_nothing_of_a_suspension(world):
    remembered = use(world)
    world.put_key(a_key(status=KeyStatus.REVOKED))
    world.change_tenant(status=TenantStatus.SUSPENDED)
    with pytest.raises(CallerUnknown):
        confirm(world, remembered)


@pytest.mark.parametrize("is_proved_later", [True, False])
def test_a_tenant_that_is_named_has_to_be_the_keys(world, is_proved_later):
    assert grant(world, claimed="acme", is_proved_later=is_proved_later).caller.tenant_id == "acme"
    with pytest.raises(TenantMismatch):
        grant(world, claimed="other", is_proved_later=is_proved_later)


@pytest.mark.parametrize("is_proved_later", [True, False])
def test_a_key_that_has_used_up_its_minute_is_refused(world, is_proved_later):
    world.api_keys.limit = 1
    grant(world, is_proved_later=is_proved_later)
    with pytest.raises(RateLimited):
        grant(world, is_proved_later=is_proved_later)


def test_a_key_that_has_ended_is_refused_for_that_whatever_its_rate(world):
    world.api_keys.limit = 0
    world.put_key(a_key(status=KeyStatus.REVOKED))
    with pytest.raises(CallerUnknown):
        grant(world)


@pytest.mark.parametrize("is_proved_later", [True, False])
def test_a_scope_that_the_key_has_not_is_named(world, is_proved_later):
    world.put_key(a_key(scopes=frozenset({Scope.STATUS})))
    assert grant(world, scope=Scope.STATUS).caller.scopes == {Scope.STATUS}
    with pytest.raises(ScopeMissing) as missing:
        grant(world, scope=Scope.DISPATCH, is_proved_later=is_proved_later)
    assert missing.value.scope == "dispatch"


def test_a_token_stands_for_its_key_and_narrows_it(world):
    access = grant(world, token_of(world, Scope.STATUS), scope=Scope.STATUS)
    assert (access.caller.key_id, access.caller.scopes) == (a_key().key_id, {Scope.STATUS})
    assert access.caller.token_expires_at == later(minutes=15)


def test_a_scope_that_was_left_out_of_a_token_is_missing(world):
    with pytest.raises(ScopeMissing):
        grant(world, token_of(world, Scope.STATUS), scope=Scope.DISPATCH)


def test_a_token_never_has_more_than_its_key_has_now(world):
    token = token_of(world, Scope.STATUS, Scope.ADMIN)
    world.put_key(a_key(scopes=frozenset({Scope.STATUS, Scope.DISPATCH})))
    assert grant(world, token).caller.scopes == {Scope.STATUS}


@pytest.mark.parametrize("end", [{"status": KeyStatus.REVOKED}, {"expires_at": later()}])
def test_a_token_dies_with_its_key(world, end):
    token = token_of(world)
    world.put_key(a_key(**end))
    with pytest.raises(CallerUnknown):
        grant(world, token)


def test_a_token_dies_after_a_quarter_of_an_hour(world):
    token = token_of(world)
    world.clock.move(minutes=14, seconds=59)
    assert grant(world, token).caller.key_id == a_key().key_id
    world.clock.move(seconds=1)
    with pytest.raises(CallerUnknown) as unknown:
        grant(world, token)
    assert unknown.value.reason == "token: expired"


def test_a_token_counts_against_the_rate_of_its_key(world):
    world.api_keys.limit = 1
    grant(world)
    with pytest.raises(RateLimited):
        grant(world, token_of(world))


@pytest.mark.parametrize("purpose", [Purpose.RUNNER_SESSION, Purpose.RUNNER_BOOTSTRAP, Purpose.CURSOR])
def test_what_was_signed_for_another_purpose_is_no_token(world, purpose):
    claims = {"key": hash_secret(SECRET), "scopes": "admin", "exp": int(later(hours=1).timestamp())}
    with pytest.raises(CallerUnknown):
        read(world, ACCESS_TOKEN_PREFIX + sign(FixedSigningKey().value(), purpose, claims))


def test_a_token_of_another_deployment_is_refused(world):
    claims = {"key": hash_secret(SECRET), "scopes": "admin", "exp": int(later(hours=1).timestamp())}
    with pytest.raises(CallerUnknown):
        read(world, ACCESS_TOKEN_PREFIX + sign(b"another key", Purpose.ACCESS, claims))
