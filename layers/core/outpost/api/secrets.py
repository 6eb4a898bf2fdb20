"""What callers see of their secrets: everything but the values."""

from outpost.api.application import Reply
from outpost.api.request import Request
from outpost.api.times import time_text
from outpost.api.views import View
from outpost.domain.secret import Secret
from outpost.use_cases.delete_secret import delete_secret
from outpost.use_cases.put_secret import put_secret
from outpost.wiring import Wiring


def secret_view(secret: Secret) -> View:
    """A secret, without its value."""
    return {
        "name": secret.name,
        "kind": secret.kind,
        "createdAt": time_text(secret.created_at),
        "updatedAt": time_text(secret.updated_at),
        "updatedBy": secret.updated_by,
    }


def put_secret_reply(request: Request, value: str, wiring: Wiring) -> Reply:
    """The secret that keeps the value from now on."""
    secret, is_new = put_secret(
        request.caller,
        request.name,
        value,
        secrets=wiring.tenant_secrets,
        vault=wiring.vault,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
    if not is_new:
        return Reply(secret_view(secret))
    location = {"Location": f"{request.api_url}/secrets/{secret.name}"}
    return Reply(secret_view(secret), status=201, headers=location)


def delete_secret_reply(request: Request, wiring: Wiring) -> Reply:
    """The secret as it was."""
    secret = delete_secret(
        request.caller,
        request.name,
        secrets=wiring.tenant_secrets,
        vault=wiring.vault,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
    return Reply(secret_view(secret))
