"""Finds the run that an earlier request with the same idempotency key has made."""

from outpost.domain.api_key import Caller
from outpost.domain.errors import IdempotencyConflict, Unavailable
from outpost.domain.run import Run
from outpost.ports import ApiKeys, Clock, IdempotencyLock, Runs
from outpost.use_cases.authenticate import prove_key


def find_replay(
    caller: Caller, idempotency_key: str | None, body_sha256: str, *, runs: Runs, api_keys: ApiKeys, clock: Clock
) -> Run | None:
    """The run of the same request, None where there was none; for requests whose meaning changes with what they made.

    Raises CallerUnknown, TenantSuspended where the key is no longer valid.
    """
    lock = find_valid_lock(caller.tenant_id, idempotency_key, runs=runs, clock=clock)
    if lock is None or lock.body_sha256 != body_sha256:
        return None
    prove_key(caller.key, api_keys=api_keys, clock=clock)
    return run_of_lock(caller.tenant_id, lock, runs=runs)


def find_valid_lock(tenant_id: str, idempotency_key: str | None, *, runs: Runs, clock: Clock) -> IdempotencyLock | None:
    """The lock of the key, if it holds."""
    lock = runs.find_lock(tenant_id, idempotency_key) if idempotency_key else None
    return lock if lock is not None and lock.expires_at > clock.now() else None


def replay(tenant_id: str, idempotency_key: str | None, body_sha256: str, *, runs: Runs) -> Run:
    """The run of the key. Raises IdempotencyConflict where another request has made it, Unavailable."""
    lock = runs.find_lock(tenant_id, idempotency_key or "")
    if lock is None:
        raise Unavailable("the idempotency key was freed meanwhile")
    if lock.body_sha256 != body_sha256:
        raise IdempotencyConflict(idempotency_key)
    return run_of_lock(tenant_id, lock, runs=runs)


def run_of_lock(tenant_id: str, lock: IdempotencyLock, *, runs: Runs) -> Run:
    """The run that the lock is of. Raises Unavailable."""
    run = runs.get(tenant_id, lock.run_id)
    if run is None:
        raise Unavailable("the run of the idempotency key is not there")
    return run
