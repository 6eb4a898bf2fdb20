"""Refuses a call that its body does not show whole: its prompt is only pointed at, or its answer comes later."""

from collections.abc import Iterable
from http import HTTPStatus

from outpost_runner.gateway.protocols.request_form import Part, RequestForm
from outpost_runner.gateway.refusals import Refused

LATER_ANSWERS = ("background", "deferred")


def require_whole_call(fields: Part, parts: Iterable[Part], form: RequestForm) -> None:
    """`parts` are those of the whole request. Raises Refused."""
    later = [name for name in LATER_ANSWERS if fields.get(name)]
    if later:
        raise Refused(HTTPStatus.BAD_REQUEST, f"An answer that comes later cannot be counted: {', '.join(later)}.")
    pointers = sorted({pointer for part in parts for pointer in form.find_pointers(part)})
    if pointers:
        what = ", ".join(pointers)[:200]
        raise Refused(
            HTTPStatus.BAD_REQUEST, f"A prompt has to be sent whole, and not to point at a part of it: {what}."
        )
