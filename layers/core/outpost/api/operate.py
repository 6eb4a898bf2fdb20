"""The operations of the operate function, each checked like any other input."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from outpost.api.parsing import Body, parse_json
from outpost.use_cases.create_tenant import create_tenant
from outpost.wiring import Wiring


class CreateTenantBody(Body):
    """create-tenant: a new tenant and its first key."""

    operation: Literal["create-tenant"]
    tenant_id: str
    name: Annotated[str, Field(min_length=1, max_length=128)]
    concurrent_runs: Annotated[int, Field(ge=1, le=1_000)] | None = None


def operate(event: dict[str, Any], wiring: Wiring) -> dict[str, object]:
    """The tenant and its first key; the key is shown here and never again. Raises InputInvalid."""
    body = parse_json(CreateTenantBody, json.dumps(event))
    created = create_tenant(
        body.tenant_id,
        body.name,
        concurrent_limit=body.concurrent_runs or wiring.settings.concurrent_runs,
        accounts=wiring.accounts,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
    return {
        "tenantId": created.tenant.tenant_id,
        "apiKey": created.secret,
        "keyId": created.key.key_id,
        "scopes": sorted(created.key.scopes),
    }
