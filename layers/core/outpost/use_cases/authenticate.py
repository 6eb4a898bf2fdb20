"""Who is calling, by the API key or the token that came with the request, and whether they may."""

from dataclasses import dataclass
from datetime import UTC, datetime

from outpost.domain.api_key import ApiKey, Caller, Scope, hash_secret, looks_like_secret
from outpost.domain.errors import CallerUnknown, RateLimited, ScopeMissing, TenantMismatch, TenantSuspended
from outpost.domain.tenant import Tenant, TenantStatus
from outpost.domain.token import ACCESS_TOKEN_PREFIX, Purpose, TokenInvalid, verify
from outpost.ports import ApiKeys, Clock, KeyUse, SigningKey, Terms


@dataclass(frozen=True)
class Credential:
    """What came with a request: whose key it stands for, and what a token narrows it to."""

    key_hash: str
    scopes: frozenset[Scope] | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Access:
    """A caller that may do what it asks for; `tenant` is None where the key is only proved later, with the deed."""

    caller: Caller
    terms: Terms
    tenant: Tenant | None


def read_credential(text: str | None, *, signing_key: SigningKey, clock: Clock) -> Credential:
    """The credential; what has not the shape of one costs no call. Raises CallerUnknown."""
    if text is not None and text.startswith(ACCESS_TOKEN_PREFIX):
        return _read_token(text.removeprefix(ACCESS_TOKEN_PREFIX), signing_key=signing_key, clock=clock)
    if text is None or not looks_like_secret(text):
        raise CallerUnknown("missing or malformed")
    return Credential(hash_secret(text))


def use_key(credential: Credential, *, api_keys: ApiKeys, clock: Clock) -> KeyUse:
    """One counted use of the credential's key. Raises CallerUnknown."""
    now = clock.now()
    use = api_keys.use(credential.key_hash, now)
    if use is None:
        raise CallerUnknown("unknown")
    reason = use.key.refusal(now)
    if reason is not None:
        raise CallerUnknown(reason)
    return use


def grant_access(
    credential: Credential,
    use: KeyUse,
    *,
    scope: Scope | None,
    claimed_tenant_id: str | None,
    is_proved_later: bool,
    api_keys: ApiKeys,
    clock: Clock,
) -> Access:
    """The caller, if its key and its tenant allow it now; `is_proved_later` leaves the proof to the deed's transaction.

    Raises RateLimited, CallerUnknown, TenantMismatch, TenantSuspended, ScopeMissing.
    """
    if use.rate.is_exceeded:
        raise RateLimited
    key, tenant = use.key, None
    if not is_proved_later:
        key, tenant = confirm_key(use, api_keys=api_keys, clock=clock)
    if claimed_tenant_id is not None and claimed_tenant_id != key.tenant_id:
        raise TenantMismatch(claimed_tenant_id)
    scopes = key.scopes if credential.scopes is None else key.scopes & credential.scopes
    if scope is not None and scope not in scopes:
        raise ScopeMissing(scope)
    return Access(Caller(key, scopes, credential.expires_at), use.terms, tenant)


def confirm_key(use: KeyUse, *, api_keys: ApiKeys, clock: Clock) -> tuple[ApiKey, Tenant]:
    """The key of a use and its tenant as they are now. Raises CallerUnknown, TenantSuspended."""
    return _require_valid(api_keys.confirm(use), use.key, api_keys, clock)


def prove_key(key: ApiKey, *, api_keys: ApiKeys, clock: Clock) -> None:
    """Refuse a key that is no longer valid, however it is known. Raises CallerUnknown, TenantSuspended."""
    _require_valid(api_keys.find(key), key, api_keys, clock)


def _require_valid(
    found: tuple[ApiKey, Tenant] | None, key: ApiKey, api_keys: ApiKeys, clock: Clock
) -> tuple[ApiKey, Tenant]:
    reason = "unknown" if found is None else found[0].refusal(clock.now())
    if found is None or reason is not None:
        api_keys.forget(key.key_hash)
        raise CallerUnknown(reason or "unknown")
    if found[1].status is not TenantStatus.ACTIVE:
        raise TenantSuspended
    return found


def _read_token(token: str, *, signing_key: SigningKey, clock: Clock) -> Credential:
    try:
        claims = verify(signing_key.value(), Purpose.ACCESS, token, clock.now())
    except TokenInvalid as error:
        raise CallerUnknown(f"token: {error}") from error
    scopes = frozenset(Scope(name) for name in str(claims["scopes"]).split())
    return Credential(str(claims["key"]), scopes, datetime.fromtimestamp(int(claims["exp"]), UTC))
