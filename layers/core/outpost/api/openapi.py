"""The OpenAPI description, made of the table of routes and of the models that check what callers send."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from outpost.api.account_bodies import CreateKeyBody, KeysQuery, KillSwitchBody, RotateKeyBody, TokenBody
from outpost.api.bodies import (
    BatchBody,
    CancelBody,
    DispatchBody,
    FollowUpBody,
    PromoteBatchBody,
    PromoteBody,
    RerunBody,
)
from outpost.api.errors import codes_by_status
from outpost.api.parsing import Body, Query
from outpost.api.queries import ArtifactsQuery, EventsQuery, LogsQuery, NoQuery, RunsQuery, WorkspacesQuery
from outpost.api.routes import ROUTES, Route
from outpost.api.secret_bodies import PutSecretBody, SecretsQuery

Schema = dict[str, object]
JSON = "application/json"
_REFERENCES = "#/components/schemas/{model}"


@dataclass(frozen=True)
class Operation:
    """What a route takes, and how it answers when nothing is wrong."""

    summary: str
    query: type[Query] | None = None
    body: type[Body] | None = None
    success: tuple[int, ...] = (200,)
    is_bare: bool = False
    media_types: tuple[str, ...] = (JSON,)


OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("POST", "/dispatch"): Operation("Start a run", NoQuery, DispatchBody, success=(201, 200)),
    ("DELETE", "/dispatch/{id}"): Operation("Cancel a run", NoQuery, CancelBody, success=(202,)),
    ("POST", "/runs/{id}/cancel"): Operation("Cancel a run", NoQuery, CancelBody, success=(202,)),
    ("POST", "/runs/{id}/rerun"): Operation("Do the same work again", NoQuery, RerunBody, success=(201, 200)),
    ("POST", "/runs/{id}/follow-up"): Operation(
        "Go on from what a run left", NoQuery, FollowUpBody, success=(201, 200)
    ),
    ("POST", "/runs/{id}/promote"): Operation("Make a pull request of a run", NoQuery, PromoteBody, success=(202,)),
    ("GET", "/runs/{id}/promotion"): Operation("Show a run's promotion", NoQuery),
    ("POST", "/batches"): Operation("Give one task to several agents", NoQuery, BatchBody, success=(201, 200)),
    ("GET", "/batches/{id}"): Operation("Compare the runs of a batch", NoQuery),
    ("POST", "/batches/{id}/promote"): Operation(
        "Promote one run of a batch", NoQuery, PromoteBatchBody, success=(202,)
    ),
    ("GET", "/workspaces"): Operation("List persistent workspaces, newest first", WorkspacesQuery),
    ("GET", "/workspaces/{id}"): Operation("Show a workspace", NoQuery),
    ("DELETE", "/workspaces/{id}"): Operation("Delete a workspace", NoQuery),
    ("GET", "/runs"): Operation("List runs, newest first", RunsQuery),
    ("GET", "/runs/{id}"): Operation("Show a run", NoQuery),
    ("GET", "/dispatch/{id}"): Operation("Show a run", NoQuery),
    ("GET", "/runs/{id}/logs"): Operation("Read a run's output", LogsQuery),
    ("GET", "/runs/{id}/events"): Operation(
        "Follow a run", EventsQuery, success=(200, 204), media_types=(JSON, "text/event-stream")
    ),
    ("GET", "/runs/{id}/patch"): Operation(
        "Fetch a run's work as a diff", NoQuery, success=(200, 303), media_types=("text/x-diff", JSON)
    ),
    ("GET", "/runs/{id}/explain"): Operation("Explain where a run is", NoQuery),
    ("GET", "/runs/{id}/artifacts"): Operation("List a run's files", ArtifactsQuery),
    ("GET", "/artifacts/{id}"): Operation("List a run's files", ArtifactsQuery),
    ("GET", "/fleet"): Operation("List the agents", NoQuery),
    ("POST", "/auth/token"): Operation("Exchange a key for a token", NoQuery, TokenBody),
    ("GET", "/auth/whoami"): Operation("Say who calls", NoQuery),
    ("GET", "/keys"): Operation("List keys, newest first", KeysQuery),
    ("POST", "/keys"): Operation("Make a key", NoQuery, CreateKeyBody, success=(201,)),
    ("GET", "/keys/{id}"): Operation("Show a key", NoQuery),
    ("DELETE", "/keys/{id}"): Operation("Revoke a key", NoQuery),
    ("POST", "/keys/{id}/rotate"): Operation("Replace a key", NoQuery, RotateKeyBody, success=(201,)),
    ("GET", "/secrets"): Operation("List secrets by name, without their values", SecretsQuery),
    ("PUT", "/secrets/{name}"): Operation("Keep a secret", NoQuery, PutSecretBody, success=(200, 201)),
    ("DELETE", "/secrets/{name}"): Operation("Delete a secret", NoQuery),
    ("GET", "/kill-switch"): Operation("Show the kill switch", NoQuery),
    ("PUT", "/kill-switch"): Operation("Put the kill switch on", NoQuery, KillSwitchBody),
    ("DELETE", "/kill-switch"): Operation("Lift the kill switch", NoQuery),
    ("GET", "/"): Operation("Say what answers here", is_bare=True),
    ("GET", "/health"): Operation("Tell the state of the control plane", is_bare=True),
    ("GET", "/health/live"): Operation("Tell that it lives", is_bare=True),
    ("GET", "/health/ready"): Operation("Tell whether it can serve", success=(200, 503), is_bare=True),
    ("GET", "/health/fleet"): Operation("Tell whether agents can be launched"),
    ("GET", "/version"): Operation("Tell the release", is_bare=True),
    ("GET", "/openapi.json"): Operation("Describe the API", is_bare=True),
}


def describe_api(version: str, url: str) -> Schema:
    """The description of every route that callers may use; the runners' routes are not for them."""
    paths: dict[str, dict[str, object]] = {}
    for route in ROUTES:
        operation = OPERATIONS.get((route.method, route.path))
        if operation is not None:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Outpost", "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": url}],
        "paths": paths,
        "components": {
            "schemas": {**_bodies(), "Success": _SUCCESS, "Failure": _failure()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _operation(route: Route, operation: Operation) -> Schema:
    described: Schema = {
        "operationId": f"{route.method.lower()}{route.path.title().translate(_NO_PUNCTUATION)}",
        "summary": operation.summary,
        "parameters": [*_path_parameters(route.path), *_query_parameters(operation.query)],
        "responses": _responses(route, operation),
        "security": [{"bearer": []}, {"apiKey": []}] if route.needs_key else [],
    }
    if route.scope:
        described["description"] = f"Needs the scope {route.scope}."
    if operation.body is not None:
        schema = {"$ref": _REFERENCES.format(model=operation.body.__name__)}
        is_required = any(field.is_required() for field in operation.body.model_fields.values())
        described["requestBody"] = {"required": is_required, "content": {JSON: {"schema": schema}}}
    return described


_NO_PUNCTUATION = str.maketrans(dict.fromkeys("/{}.", ""))


def _path_parameters(path: str) -> list[Schema]:
    names = re.findall(r"\{(\w+)\}", path)
    schema = {"type": "string", "minLength": 1}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _query_parameters(query: type[Query] | None) -> list[Schema]:
    if query is None:
        return []
    schema = query.model_json_schema()
    definitions: dict[str, Schema] = schema.get("$defs", {})
    properties: dict[str, Schema] = schema.get("properties", {})
    return [
        {"name": name, "in": "query", "required": False, "schema": _without_null(given, definitions)}
        for name, given in properties.items()
    ]


def _without_null(given: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """A parameter is there or not, never null."""
    options = given.get("anyOf")
    chosen = next((o for o in options if o.get("type") != "null"), given) if isinstance(options, list) else given
    reference = str(chosen.get("$ref", ""))
    return definitions[reference.rsplit("/", 1)[-1]] if reference else dict(chosen)


def _responses(route: Route, operation: Operation) -> Schema:
    schema: Schema = {"type": "object"} if operation.is_bare else {"$ref": _REFERENCES.format(model="Success")}
    content = {kind: {"schema": schema if kind == JSON else {"type": "string"}} for kind in operation.media_types}
    found: dict[str, object] = {
        str(status): {"description": "As asked.", "content": content} for status in operation.success
    }
    for status, codes in codes_by_status().items():
        if (route.needs_key or status in _WITHOUT_KEY) and str(status) not in found:
            failure = {"$ref": _REFERENCES.format(model="Failure")}
            found[str(status)] = {"description": ", ".join(codes), "content": {JSON: {"schema": failure}}}
    return found


_WITHOUT_KEY = (429, 500, 503)


def _bodies() -> Schema:
    models: list[tuple[type[BaseModel], str]] = [
        (operation.body, "validation") for operation in OPERATIONS.values() if operation.body is not None
    ]
    _, definitions = models_json_schema(
        [(model, "validation") for model, _ in dict.fromkeys(models)], ref_template="#/components/schemas/{model}"
    )
    schemas: Schema = definitions["$defs"]
    return schemas


_META: Schema = {
    "type": "object",
    "required": ["requestId"],
    "properties": {
        "requestId": {"type": "string"},
        "timestamp": {"type": "string", "format": "date-time"},
        "pagination": {
            "type": "object",
            "required": ["nextCursor", "hasMore", "limit"],
            "properties": {
                "nextCursor": {"type": ["string", "null"]},
                "hasMore": {"type": "boolean"},
                "limit": {"type": "integer"},
            },
        },
    },
}
_SUCCESS: Schema = {
    "type": "object",
    "required": ["success", "data", "meta"],
    "properties": {"success": {"const": True}, "data": {"type": "object"}, "meta": _META},
}


def _failure() -> Schema:
    codes = sorted({code for codes in codes_by_status().values() for code in codes})
    error: Schema = {
        "type": "object",
        "required": ["code", "message", "remedy", "retryable"],
        "properties": {
            "code": {"enum": codes},
            "message": {"type": "string"},
            "remedy": {"type": "string"},
            "retryable": {"type": "boolean"},
            "details": {"type": "object"},
        },
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "required": ["success", "error", "meta"],
        "properties": {"success": {"const": False}, "error": error, "meta": _META},
    }
