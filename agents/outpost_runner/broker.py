"""The client of the broker: the routes that a runner may call.

BrokerError
├── BrokerRefused      the broker said no, and would say it again (its status, code and run status)
└── BrokerUnreachable  no usable answer within the patience given
"""

import json
from dataclasses import dataclass, field
from http import HTTPStatus

from outpost_runner.http_request import Answer, Unreachable, send
from outpost_runner.json_fields import Json, JsonObject, MalformedJson
from outpost_runner.patience import Patience, PatienceEnded
from outpost_runner.retries import Backoff

REQUEST_TIMEOUT_SECONDS = 15.0
PASSING_STATUSES = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


class BrokerError(Exception):
    """The broker did not do what it was asked."""


class BrokerRefused(BrokerError):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"The broker answered {status} {code}: {message}")
        self.status = status

    def is_gone(self) -> bool:
        """Whether the run is no longer this runner's to work on."""
        return self.status == HTTPStatus.CONFLICT

    def is_invalid(self) -> bool:
        """Whether something in the request's body is not what the broker takes."""
        return self.status == HTTPStatus.BAD_REQUEST


class BrokerUnreachable(BrokerError):
    """The broker gave no usable answer."""


@dataclass(frozen=True)
class Broker:
    """`call` retries what passes (5xx, 408, 429, connection errors); `call_once` does not."""

    api_url: str
    token: str = field(repr=False)
    backoff: Backoff = field(default_factory=Backoff)

    def call(self, route: str, body: Json, patience: Patience) -> JsonObject:
        attempt = 0
        while True:
            try:
                return self._call_patiently(route, body, patience)
            except BrokerUnreachable:
                patience.pause(self.backoff.delay(attempt))
                attempt += 1
                if patience.remaining() <= 0:
                    raise

    def _call_patiently(self, route: str, body: Json, patience: Patience) -> JsonObject:
        try:
            return patience.wait_for(lambda: self.call_once(route, body, REQUEST_TIMEOUT_SECONDS))
        except PatienceEnded as error:
            raise BrokerUnreachable(str(error)) from error

    def call_once(self, route: str, body: Json, timeout_seconds: float) -> JsonObject:
        """The `data` of the answer; raises BrokerError."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        content = json.dumps(body).encode()
        try:
            answer = send("POST", self.api_url + route, headers=headers, body=content, timeout_seconds=timeout_seconds)
        except Unreachable as error:
            raise BrokerUnreachable(str(error)) from error
        return _read_answer(answer)


def _read_answer(answer: Answer) -> JsonObject:
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in PASSING_STATUSES:
        raise BrokerUnreachable(f"The broker answered {answer.status}.")
    if answer.status != HTTPStatus.OK:
        raise _refusal(answer)
    try:
        return JsonObject.parse(answer.body, "answer").object("data")
    except MalformedJson as error:
        raise BrokerUnreachable(f"The broker's answer cannot be read: {error}") from error


def _refusal(answer: Answer) -> BrokerRefused:
    try:
        error = JsonObject.parse(answer.body, "answer").object("error")
        return BrokerRefused(answer.status, error.text("code"), error.text("message"))
    except MalformedJson:
        return BrokerRefused(answer.status, "UNKNOWN", "The answer has no error in it.")
