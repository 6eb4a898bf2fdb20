"""A request as the routes see it: who calls, what the body and the query say once they are checked."""

import base64
from collections.abc import Mapping
from functools import cached_property
from typing import Any, get_origin
from urllib.parse import unquote

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from pydantic import BaseModel, ConfigDict

from outpost.api.errors import BodyMalformed, BodyTooLarge, MediaTypeUnsupported
from outpost.api.parsing import Model, Query, parse_json, parse_texts
from outpost.domain.api_key import Caller
from outpost.domain.errors import CallerUnknown, FieldError, InputInvalid
from outpost.domain.tenant import Tenant
from outpost.domain.token import ACCESS_TOKEN_PREFIX
from outpost.settings import Settings
from outpost.use_cases.authenticate import Access

BODY_BYTES = 2 * 1024 * 1024
ID_CHARACTERS = 128


class AnyFields(BaseModel):
    """A JSON object of any fields."""

    model_config = ConfigDict(extra="allow")


class Request:
    """One request. Who calls is known on routes that need a key, and only there."""

    def __init__(
        self, event: APIGatewayProxyEvent, path_parameters: Mapping[str, str], settings: Settings, access: Access | None
    ) -> None:
        self._event = event
        self._path_parameters = path_parameters
        self._settings = settings
        self._access = access

    @property
    def caller(self) -> Caller:
        """Who calls."""
        return self.access.caller

    @property
    def tenant(self) -> Tenant:
        """The caller's tenant, as it is now; not where the key is only proved with the deed."""
        if self.access.tenant is None:
            raise LookupError("this route proves its key later, so nobody has looked at the tenant")
        return self.access.tenant

    @property
    def access(self) -> Access:
        """What the caller was granted."""
        if self._access is None:
            raise LookupError("this route needs no key, so nobody was asked who they are")
        return self._access

    @property
    def id(self) -> str:
        """The id in the path; one that no run can have stays one that no run has."""
        return self._path_parameter("id")

    @property
    def name(self) -> str:
        """The name in the path; one that nothing can have stays one that nothing has."""
        return self._path_parameter("name")

    @property
    def bearer(self) -> str | None:
        """The credential: Authorization: Bearer wins over X-API-Key."""
        return read_bearer(self._event)

    def header(self, name: str) -> str | None:
        """A header, whatever its case."""
        return read_header(self._event, name)

    def body(self, model: type[Model]) -> Model:
        """The checked body; an absent one is an empty object. Raises what the body's refusal is."""
        text = self._body_text
        if not text.strip():
            return parse_json(model, "{}")
        kind = (self.header("Content-Type") or "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise MediaTypeUnsupported(kind)
        return parse_json(model, text)

    def fields(self) -> dict[str, object]:
        """The fields of the body, unchecked: for those that are laid over others before they are checked.

        Raises BodyMalformed, MediaTypeUnsupported.
        """
        checked = self.body(AnyFields)
        return dict(checked.model_extra or {})

    def query(self, model: type[Query]) -> Any:
        """The checked query parameters. Raises InputInvalid."""
        given: Mapping[str, list[str]] = self._event.get("multiValueQueryStringParameters") or {}
        lists = {f.alias for f in model.model_fields.values() if get_origin(f.annotation) is list}
        repeated = [name for name, values in given.items() if len(values) > 1 and name not in lists]
        if repeated:
            raise InputInvalid(tuple(FieldError(name, "is given more than once") for name in repeated))
        return parse_texts(model, {n: list(v) if n in lists else v[0] for n, v in given.items()})

    @property
    def api_url(self) -> str:
        """Where this API answers: the operator's word, else what API Gateway says of itself (never a header)."""
        if self._settings.api_url:
            return self._settings.api_url
        context = self._event["requestContext"]
        return f"https://{context['domainName']}/{context['stage']}"

    def _path_parameter(self, name: str) -> str:
        return unquote(self._path_parameters[name])[:ID_CHARACTERS]

    @cached_property
    def _body_text(self) -> str:
        raw = self._event.get("body") or ""
        if len(raw) > BODY_BYTES:
            raise BodyTooLarge
        if not self._event.get("isBase64Encoded"):
            return str(raw)
        try:
            return base64.b64decode(raw).decode()
        except ValueError as error:
            raise BodyMalformed from error


def read_header(event: APIGatewayProxyEvent, name: str) -> str | None:
    """A header of the event, whatever its case."""
    headers: Mapping[str, str] = event.get("headers") or {}
    return next((value for given, value in headers.items() if given.lower() == name.lower()), None)


def read_token_in_query(event: APIGatewayProxyEvent) -> str | None:
    """The token that came in the query. Raises CallerUnknown for a key: addresses are kept in too many places."""
    given: Mapping[str, str] = event.get("queryStringParameters") or {}
    token = given.get("access_token")
    if token is not None and not token.startswith(ACCESS_TOKEN_PREFIX):
        raise CallerUnknown("no token of ours in the query")
    return token


def read_bearer(event: APIGatewayProxyEvent) -> str | None:
    """The credential that came with the event."""
    kind, _, token = (read_header(event, "Authorization") or "").partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return token.strip()
    return read_header(event, "X-API-Key")
