"""One call: from an admitted request to the end of the provider's answer."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPResponse
from typing import Protocol

from outpost_runner.gateway.admission import Admission, AdmittedRequest
from outpost_runner.gateway.headers import answer_headers
from outpost_runner.gateway.meter import Meter, OpenCall
from outpost_runner.gateway.refusals import ProviderGone
from outpost_runner.gateway.relay import (
    KeyFilter,
    StreamReader,
    WholeReader,
    is_event_stream,
    pass_on,
    read_error,
    require_readable,
)
from outpost_runner.gateway.tally import Tally
from outpost_runner.gateway.trouble import Troubles, is_passing
from outpost_runner.gateway.upstream import Upstream
from outpost_runner.gateway.usage import Usage
from outpost_runner.gateway.watcher import CallReport, GatewayWatcher


class Client(Protocol):
    """Where the answer goes; all methods raise ClientGone."""

    def begin(self, status: int, headers: Iterable[tuple[str, str]]) -> None: ...

    def write(self, block: bytes) -> None: ...

    def finish(self) -> None: ...


@dataclass(frozen=True)
class Desk:
    """What all calls of a gateway share."""

    admission: Admission
    meter: Meter
    troubles: Troubles
    watcher: GatewayWatcher


@dataclass
class Exchange:
    """The client hears the end of its answer only when the call is settled: its next one finds the meter right."""

    desk: Desk
    admitted: AdmittedRequest
    client: Client
    upstream: Upstream
    tally: Tally = field(default_factory=Tally)
    status: int | None = None
    began_at: float = field(default_factory=time.monotonic)
    answered_at: float | None = None

    def run(self) -> None:
        """Raises Refused and Interrupted, also in the middle of an answer."""
        price, body = self.admitted.price, self.admitted.body
        if price is None or body.model is None:
            self._fetch(None)
        else:
            most = Usage(input_tokens=body.prompt.tokens, output_tokens=body.most_output_tokens)
            call = self.desk.meter.begin(price, body.prompt.least, most, self.upstream.require_wanted)
            self.began_at = time.monotonic()  # the wait for other calls is none for the provider
            self._count(body.model, call)
        self.client.finish()

    def _count(self, model: str, call: OpenCall) -> None:
        # Until it is known better: neither a client that leaves nor a defect makes a call free.
        was_left = True
        try:
            self._fetch(call)
            was_left = False
            self._note_end()
        except ProviderGone as gone:
            was_left = False
            self.desk.troubles.note_gone(gone.what)
            raise
        finally:
            self._settle(model, call, was_left=was_left)

    def _note_end(self) -> None:
        if self.tally.failure is not None:
            self.desk.troubles.note_failure_in_stream(self.tally.failure)
        elif self.tally.is_complete:
            self.desk.troubles.clear()

    def _settle(self, model: str, call: OpenCall, *, was_left: bool) -> None:
        """An answer counts, and so does a request that was sent and has none: the provider may have worked on it.

        An error costs nothing at any of the providers.
        """
        usage, is_estimated, now = Usage(), False, time.monotonic()
        if self.upstream.has_sent if self.status is None else _is_success(self.status):
            left_after_seconds = now - self.began_at if was_left else 0.0
            usage, is_estimated = self.tally.settle(self.admitted.body.prompt, left_after_seconds)
        self.desk.meter.end(call, usage, is_estimated=is_estimated)
        first_byte_ms = None if self.answered_at is None else _milliseconds(self.began_at, self.answered_at)
        report = CallReport(
            model, self.status, usage, is_estimated, first_byte_ms, total_ms=_milliseconds(self.began_at, now)
        )
        self.desk.watcher.call_ended(report)

    def _fetch(self, call: OpenCall | None) -> None:
        admitted = self.admitted
        answer = self.upstream.send(admitted.route.method, admitted.target, admitted.headers, admitted.body.content)
        self.status, self.answered_at = answer.status, time.monotonic()
        require_readable(answer)
        if answer.status == HTTPStatus.OK:
            self._pass_answer(answer, call)
        elif answer.status >= HTTPStatus.BAD_REQUEST:
            self._pass_error(answer, call)
        else:
            raise ProviderGone(f"answered {answer.status}, which none of its protocols knows")
        self.upstream.finish()

    def _pass_answer(self, answer: HTTPResponse, call: OpenCall | None) -> None:
        """Only what is still being written can be stopped: a whole answer is paid for when its first byte comes."""
        key_filter = self._begin(answer)
        is_stream = is_event_stream(answer.headers.get("content-type", ""))

        def follow() -> None:
            if call is not None and is_stream:
                self.desk.meter.follow(call, self.tally.least(self.admitted.body.prompt))

        reader = (StreamReader if is_stream else WholeReader)(self.admitted.route.protocol, self.tally)
        pass_on(self.upstream, key_filter, reader, follow, self.client.write)

    def _pass_error(self, answer: HTTPResponse, call: OpenCall | None) -> None:
        body = read_error(self.upstream)
        if call is not None:
            self.desk.troubles.note_answer(answer.status, _lower(answer), body)
            if is_passing(answer.status):
                self.desk.meter.note_retry()
        key_filter = self._begin(answer)
        self.client.write(key_filter.redact(body))

    def _begin(self, answer: HTTPResponse) -> KeyFilter:
        key_filter = KeyFilter(self.desk.admission.provider.api_key)
        headers = [(name, key_filter.redact_text(value)) for name, value in answer_headers(_lower(answer))]
        self.client.begin(answer.status, headers)
        return key_filter


def _is_success(status: int) -> bool:
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def _lower(answer: HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}


def _milliseconds(begin: float, end: float) -> int:
    return round((end - begin) * 1000)
