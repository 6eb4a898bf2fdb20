"""Decides whether a client's request may go to the provider, and in which form."""

import json
import threading
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode, urlsplit

from outpost_runner.gateway.headers import KEY_PARAMETER, request_headers, shows_key
from outpost_runner.gateway.prompt import Prompt
from outpost_runner.gateway.protocols.extras import require_tokens_only
from outpost_runner.gateway.protocols.unseen import require_whole_call
from outpost_runner.gateway.provider import Provider, Route
from outpost_runner.gateway.refusals import Refused
from outpost_runner.gateway.request_body import RequestBody, parse_fields
from outpost_runner.gateway.usage import Price

# beta=true is what Claude Code sends; the others page a list.
PASSED_PARAMETERS = ("beta", "limit", "after_id", "before_id", "pageSize", "pageToken")
# Google's way to ask for a stream of events; a binary answer, which it has too, could not be counted.
READABLE_FORMATS = (("alt", "sse"), ("alt", "json"))
# The most that any model writes in one answer, where the request does not say.
MOST_OUTPUT_TOKENS = 128_000
BODIES_AT_ONCE = 2


@dataclass(frozen=True)
class ClientRequest:
    method: str
    target: str = field(repr=False)
    headers: Message = field(repr=False)
    body: RequestBody


@dataclass(frozen=True)
class AdmittedBody:
    """What is sent, the model that it asks for, which is one of the run's, and how much it may come to."""

    content: bytes = field(repr=False)
    model: str | None
    prompt: Prompt
    most_output_tokens: int


@dataclass(frozen=True)
class AdmittedRequest:
    """What goes to the provider; a call that is counted has a model and its price."""

    route: Route
    target: str
    headers: dict[str, str] = field(repr=False)
    body: AdmittedBody
    price: Price | None


@dataclass(frozen=True)
class Admission:
    """The rules of one run."""

    provider: Provider
    models: frozenset[str]
    dummy_key: str = field(repr=False)
    # A body in memory, with all that was read out of it, is many times as large as what the client sent.
    _reading: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(BODIES_AT_ONCE), init=False, repr=False
    )

    def admit(self, request: ClientRequest) -> AdmittedRequest:
        """Raises Refused; whoever cannot show the dummy key learns nothing but that."""
        path, _, query = request.target.partition("?")
        parameters = parse_qsl(query, keep_blank_values=True)
        if not shows_key(request.headers, parameters, self.dummy_key):
            raise Refused(HTTPStatus.UNAUTHORIZED, "The key is not this run's.")
        found = self.provider.find_route(request.method, path)
        if found is None:
            raise Refused(HTTPStatus.NOT_FOUND, "The gateway does not let this path and method through.")
        route, model_in_path = found
        passed_query = _passed_query(parameters)
        with self._reading:
            body = self._read_body(request, route, model_in_path)
        return AdmittedRequest(
            route,
            urlsplit(self.provider.base_url).path.rstrip("/") + path + passed_query,
            {**request_headers(request.headers), self.provider.key_header: self._key()},
            body,
            self._find_price(body.model) if route.is_counted else None,
        )

    def _key(self) -> str:
        return self.provider.key_header.value_for(self.provider.api_key)

    def _read_body(self, request: ClientRequest, route: Route, model_in_path: str | None) -> AdmittedBody:
        content = request.body.read()
        if request.method == "GET":
            return AdmittedBody(b"", None, Prompt(0), 0)
        fields = parse_fields(content)
        model = self._find_model(fields, model_in_path)
        form = route.protocol.form
        parts = form.list_parts(fields)
        require_tokens_only(fields, parts, form)
        require_whole_call(fields, parts, form)
        if route.protocol.prepare(fields):
            content = json.dumps(fields).encode()
        prompt = Prompt.of(len(content), (found for part in parts for found in form.find_attachments(part)))
        return AdmittedBody(content, model, prompt, form.find_most_output(fields) or MOST_OUTPUT_TOKENS)

    def _find_model(self, fields: dict[str, object], model_in_path: str | None) -> str:
        """What the path and the body ask for, which is the same where both do (Google's body may repeat it)."""
        in_body = fields.get("model", model_in_path)
        asked = in_body.removeprefix("models/") if isinstance(in_body, str) else None
        if asked not in self.models or model_in_path not in (None, asked):
            raise Refused(HTTPStatus.BAD_REQUEST, f"The model is not this run's: {', '.join(sorted(self.models))}.")
        return asked

    def _find_price(self, model: str | None) -> Price:
        price = None if model is None else self.provider.prices.get(model)
        if price is None:
            raise Refused(HTTPStatus.BAD_REQUEST, f"The model {model} has no price.")
        return price


def _passed_query(parameters: list[tuple[str, str]]) -> str:
    """The query to send, which never holds a key. Raises Refused for a parameter that is not known to be harmless."""
    passed = [(name, value) for name, value in parameters if name != KEY_PARAMETER]
    unknown = sorted({pair[0] for pair in passed if pair not in READABLE_FORMATS} - set(PASSED_PARAMETERS))
    if unknown:
        raise Refused(HTTPStatus.BAD_REQUEST, f"The gateway does not let these parameters through: {unknown}.")
    return f"?{urlencode(passed)}" if passed else ""
