"""What a function gets of a request, and what a client gets of its answer, in the form of a REST API's Lambda proxy.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from outpost_local.api_routes import RouteMatch


@dataclass(frozen=True)
class ApiStage:
    """Which API a request came to."""

    api_id: str
    name: str
    account_id: str
    domain_name: str


@dataclass(frozen=True)
class ApiRequest:
    """A request as it came over the wire; headers in order, with repetitions."""

    request_id: str
    method: str
    raw_path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str
    protocol: str


@dataclass(frozen=True)
class ApiAnswer:
    """A response as it goes over the wire."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class MalformedAnswer(Exception):
    """A function answered something that is no proxy response."""


def build_event(request: ApiRequest, match: RouteMatch, stage: ApiStage) -> dict[str, Any]:
    queries = parse_qsl(request.query, keep_blank_values=True)
    return {
        "resource": match.route.path,
        "path": request.raw_path,
        "httpMethod": request.method,
        "headers": dict(request.headers),
        "multiValueHeaders": _group(request.headers),
        "queryStringParameters": dict(queries) or None,
        "multiValueQueryStringParameters": _group(queries) or None,
        "pathParameters": match.path_parameters or None,
        "stageVariables": None,
        "requestContext": _build_context(request, match, stage),
        "body": request.body.decode("utf-8", "replace") if request.body else None,
        "isBase64Encoded": False,
    }


def _build_context(request: ApiRequest, match: RouteMatch, stage: ApiStage) -> dict[str, Any]:
    now = time.time()
    agent = {name.lower(): value for name, value in request.headers}.get("user-agent")
    return {
        "accountId": stage.account_id,
        "apiId": stage.api_id,
        "domainName": stage.domain_name,
        "domainPrefix": stage.domain_name.partition(".")[0],
        "extendedRequestId": request.request_id,
        "httpMethod": request.method,
        "identity": {"sourceIp": request.source_ip, "userAgent": agent, "accountId": None, "apiKey": None},
        "path": request.raw_path,
        "protocol": request.protocol,
        "requestId": request.request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "requestTimeEpoch": int(now * 1000),
        "resourceId": match.route.path,
        "resourcePath": match.route.path,
        "stage": stage.name,
    }


def _group(pairs: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def read_answer(payload: str) -> ApiAnswer:
    """Raises MalformedAnswer. The API declares no binary media types, so base64 stays the text that it is."""
    document = json.loads(payload)
    if not isinstance(document, dict) or not isinstance(document.get("statusCode", 200), int):
        raise MalformedAnswer("not an object with an integer statusCode")
    body = document.get("body") or ""
    if not isinstance(body, str) or set(document) - _ANSWER_FIELDS:
        raise MalformedAnswer("the body is no string, or a field is unknown")
    multiple = document.get("multiValueHeaders") or {}
    names = {name.lower() for name in multiple}
    single = [(name, value) for name, value in (document.get("headers") or {}).items() if name.lower() not in names]
    headers = [*single, *((name, value) for name, values in multiple.items() for value in values)]
    if "content-type" not in {name.lower() for name, _ in headers}:
        headers.append(("Content-Type", "application/json"))
    texts = tuple((str(name), _write_header(value)) for name, value in headers)
    return ApiAnswer(document.get("statusCode", 200), texts, body.encode())


_ANSWER_FIELDS = {"statusCode", "body", "headers", "multiValueHeaders", "isBase64Encoded", "cookies"}


def _write_header(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)
