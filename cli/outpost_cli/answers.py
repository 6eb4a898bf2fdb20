"""Reading the answers of the service: its envelope, its JSON, its redirects."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import httpx

from outpost_cli.errors import UnexpectedAnswer
from outpost_cli.json_fields import JsonObject, JsonValue

Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer of an enveloped route."""

    data: JsonObject
    meta: JsonObject
    headers: Mapping[str, str]


def interpret(read: Callable[[], Model]) -> Model:
    """A value of an answer; an answer that is not as the contract says is UnexpectedAnswer."""
    try:
        return read()
    except ValueError as error:
        raise UnexpectedAnswer(f"The service's answer cannot be read: {error}.") from error


def open_envelope(response: httpx.Response) -> Answer:
    document = read_json_object(response)
    data, meta = document.get("data"), document.get("meta")
    if document.get("success") is not True or not isinstance(data, dict):
        raise UnexpectedAnswer(f"The service answered {response.status_code} without the envelope of Outpost.")
    return Answer(data=data, meta=meta if isinstance(meta, dict) else {}, headers=response.headers)


def read_json_object(response: httpx.Response) -> JsonObject:
    try:
        document: JsonValue = response.json()
    except ValueError as error:
        raise UnexpectedAnswer(
            f"The service answered {response.status_code} with something other than JSON."
        ) from error
    if not isinstance(document, dict):
        raise UnexpectedAnswer(f"The service answered {response.status_code} with JSON that is not an object.")
    return document


def read_location(response: httpx.Response) -> str:
    location = response.headers.get("Location")
    if not location:
        raise UnexpectedAnswer(f"The service answered {response.status_code} without saying where to go.")
    return str(response.url.join(location))
