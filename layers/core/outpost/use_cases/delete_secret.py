"""Lets a secret of a tenant go; `put_secret` says in which order."""

from outpost.domain.api_key import Caller
from outpost.domain.errors import SecretNotFound, Unavailable
from outpost.domain.event import EventType
from outpost.domain.secret import Secret, is_secret_name
from outpost.ports import Clock, Identifiers, TenantSecrets, Vault
from outpost.use_cases.put_secret import ATTEMPTS, secret_event


def delete_secret(
    caller: Caller,
    name: str,
    *,
    secrets: TenantSecrets,
    vault: Vault,
    clock: Clock,
    identifiers: Identifiers,
) -> Secret:
    """The secret as it was. Raises SecretNotFound, Unavailable.

    A value that was put and never recorded goes too: whoever lost the answer to a put may want it gone.
    """
    if not is_secret_name(name):
        raise SecretNotFound(name)
    for _ in range(ATTEMPTS):
        before = secrets.get(caller.tenant_id, name)
        vault.delete(caller.tenant_id, name)
        if before is None:
            raise SecretNotFound(name)
        event = secret_event(before, EventType.SECRET_DELETED, caller, clock, identifiers)
        if secrets.remove(before, event):
            return before
    raise Unavailable("the secret kept changing")
