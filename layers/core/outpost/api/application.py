"""What the functions behind the API share: routes, credentials, the envelope, and one answer to every error."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from math import ceil
from typing import Any
from urllib.parse import urlsplit

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from outpost.api.errors import DEFECT, Answer, MethodUnknown, RouteUnknown, answer_for
from outpost.api.request import Request, read_bearer, read_header, read_token_in_query
from outpost.api.routes import Route, find_route, methods_of
from outpost.api.times import time_text
from outpost.api.views import View
from outpost.domain.errors import CallerUnknown, NotFound, OutpostError
from outpost.ports import KeyUse, RateAllowance
from outpost.use_cases.authenticate import Access, confirm_key, grant_access, read_credential, use_key
from outpost.wiring import Wiring

JSON = "application/json"


def _to_json(body: View) -> str:
    """Text as it is: an answer is bounded in bytes, and escapes would make six of one."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Pagination:
    """Where a list goes on."""

    next_cursor: str | None
    has_more: bool
    limit: int


@dataclass(frozen=True)
class Reply:
    """What a route answers: data for the envelope, or a text of its own type."""

    data: View = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pagination: Pagination | None = None
    text: str | None = None
    content_type: str = JSON
    beside_data: View = field(default_factory=dict)
    is_bare: bool = False


RouteFunction = Callable[[Request], Reply]


class Application:
    """The routes of one function; `handler` is what Lambda calls."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._logger = Logger()
        self._use: KeyUse | None = None
        self._rate: RateAllowance | None = None
        self._route: Route | None = None
        # A custom domain may map a path of its own onto the API; events carry it, routes do not.
        base_path = urlsplit(wiring.settings.api_url).path
        self._resolver = APIGatewayRestResolver(strip_prefixes=[base_path] if base_path else None)
        self._resolver.exception_handler(OutpostError)(self._refuse)
        self._resolver.exception_handler(Exception)(self._confess)
        self._resolver.not_found(self._not_found)

    def route(self, method: str, path: str) -> Callable[[RouteFunction], RouteFunction]:
        """Register the function for a route of the table."""
        route = find_route(method, path)

        def register(function: RouteFunction) -> RouteFunction:
            def answer(**path_parameters: str) -> Response[str]:
                event = self._resolver.current_event
                self._route = route
                try:
                    access = self._access(route)
                    return self._respond(function(Request(event, path_parameters, self._wiring.settings, access)))
                except OutpostError as error:
                    if route.is_proved_later:
                        self._prove_key(error)
                    raise

            self._resolver.route(path.replace("{", "<").replace("}", ">"), method=method)(answer)
            return function

        return register

    def handler(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer one event of API Gateway."""
        self._use = self._rate = self._route = None
        request_id = event["requestContext"]["requestId"]
        self._logger.append_keys(requestId=request_id, route=f"{event['httpMethod']} {event['resource']}")
        answer = self._resolver.resolve(event, context)
        self._logger.info("answered", extra={"status": answer["statusCode"]})
        self._logger.remove_keys(["tenantId", "keyId"])
        return answer

    def _access(self, route: Route) -> Access | None:
        if not route.needs_key:
            return None
        event, clock, api_keys = self._resolver.current_event, self._wiring.clock, self._wiring.api_keys
        bearer = read_bearer(event) or (read_token_in_query(event) if route.for_browsers else None)
        credential = read_credential(bearer, signing_key=self._wiring.signing_key, clock=clock)
        self._use = use = use_key(credential, api_keys=api_keys, clock=clock)
        self._rate = use.rate
        access = grant_access(
            credential,
            use,
            scope=route.scope,
            claimed_tenant_id=read_header(event, "X-Tenant-ID"),
            is_proved_later=route.is_proved_later,
            api_keys=api_keys,
            clock=clock,
        )
        self._logger.append_keys(tenantId=access.caller.tenant_id, keyId=access.caller.key_id)
        return access

    def _prove_key(self, error: OutpostError) -> None:
        """A refusal tells of the tenant and the plan: a key that was only remembered is proved before it is given."""
        use = self._use
        if use is None or use.is_fresh or use.rate.is_exceeded or isinstance(error, CallerUnknown):
            return
        confirm_key(use, api_keys=self._wiring.api_keys, clock=self._wiring.clock)

    def _respond(self, reply: Reply) -> Response[str]:
        if reply.text is not None:
            return self._response(reply.status, reply.text, reply.content_type, reply.headers)
        if reply.is_bare:
            return self._response(reply.status, _to_json(reply.data), JSON, reply.headers)
        meta = self._meta()
        if reply.pagination is not None:
            page = reply.pagination
            meta["pagination"] = {"nextCursor": page.next_cursor, "hasMore": page.has_more, "limit": page.limit}
        body = {"success": True, **reply.beside_data, "data": reply.data, "meta": meta}
        return self._response(reply.status, _to_json(body), JSON, reply.headers)

    def _refuse(self, error: OutpostError) -> Response[str]:
        if isinstance(error, CallerUnknown):
            self._rate = None  # no key, no rate: what is revoked is answered as what never was
        answer = answer_for(error, self._wiring.clock.now())
        reason = error.reason if isinstance(error, CallerUnknown) else type(error).__name__
        self._logger.info("refused", extra={"code": answer.code, "reason": reason})
        return self._error(answer)

    def _confess(self, error: Exception) -> Response[str]:
        self._logger.exception("a defect", exc_info=error)
        return self._error(DEFECT)

    def _not_found(self, _: NotFoundError) -> Response[str]:
        event = self._resolver.current_event
        allowed = methods_of(event.resource)
        if event.http_method in allowed:
            return self._refuse(NotFound("an id with characters that no id has"))
        return self._refuse(MethodUnknown(allowed) if allowed else RouteUnknown())

    def _error(self, answer: Answer) -> Response[str]:
        error: dict[str, object] = {
            "code": answer.code,
            "message": answer.message,
            "remedy": answer.remedy,
            "retryable": answer.retryable,
        }
        if answer.details is not None:
            error["details"] = answer.details
        body = {"success": False, "error": error, "meta": self._meta()}
        return self._response(answer.status, _to_json(body), JSON, answer.headers)

    def _meta(self) -> dict[str, object]:
        return {"requestId": self._request_id, "timestamp": time_text(self._wiring.clock.now())}

    @property
    def _request_id(self) -> str:
        return str(self._resolver.current_event["requestContext"]["requestId"])

    def _response(self, status: int, body: str, content_type: str, headers: Mapping[str, str]) -> Response[str]:
        every = {"X-Request-Id": self._request_id, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        if self._route is not None and self._route.for_browsers:
            every["Access-Control-Allow-Origin"] = "*"
        sent = {**every, **self._rate_headers(status, headers), **headers}
        return Response(status_code=status, content_type=content_type, body=body, headers=sent)

    def _rate_headers(self, status: int, headers: Mapping[str, str]) -> Mapping[str, str]:
        """What is left of the key's rate; and until when to wait, where nothing else says it."""
        rate = self._rate
        if rate is None:
            return {}
        left = max(1, ceil((rate.resets_at - self._wiring.clock.now()).total_seconds()))
        found = {
            "X-RateLimit-Limit": str(rate.limit),
            "X-RateLimit-Remaining": str(rate.remaining),
            "X-RateLimit-Reset": str(int(rate.resets_at.timestamp())),
        }
        is_told = status != HTTPStatus.TOO_MANY_REQUESTS or "Retry-After" in headers
        return found if is_told else {**found, "Retry-After": str(left)}
