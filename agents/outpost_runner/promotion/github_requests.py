"""Requests to GitHub's API, tried again when what is in the way passes."""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from itertools import count
from math import inf

from outpost_runner import __version__
from outpost_runner.http_request import Answer, Unreachable, send
from outpost_runner.json_fields import Json, JsonObject, MalformedJson
from outpost_runner.patience import Patience, PatienceEnded
from outpost_runner.promotion.errors import PullRequestFailed
from outpost_runner.retries import Backoff

API_VERSION = "2022-11-28"
REQUEST_TIMEOUT_SECONDS = 20.0
# "If your request fails due to a secondary rate limit, wait for at least one minute" (where no header says how long).
SECONDARY_LIMIT_SECONDS = 60.0
LIMIT_STATUSES = {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}


@dataclass(frozen=True)
class GitHubRequests:
    """The token goes to `api_url` alone: a redirect is an answer here, and is not followed."""

    api_url: str
    token: str = field(repr=False)
    patience: Patience
    backoff: Backoff = field(default_factory=Backoff)

    def send(self, method: str, path: str, body: Json = None) -> Answer:
        """The first answer that would not change by waiting; raises PullRequestFailed when time runs out first."""
        for attempt in count():
            try:
                answer = self.patience.wait_for(lambda: self._send_once(method, path, body))
            except (Unreachable, PatienceEnded) as error:
                trouble, seconds = f"GitHub could not be reached: {error}", self.backoff.delay(attempt)
            else:
                wait = seconds_to_wait(answer, self.backoff.delay(attempt))
                if wait is None:
                    return answer
                trouble, seconds = f"GitHub answered {answer.status}: {read_complaint(answer)}", wait
            if seconds >= self.patience.remaining():
                raise PullRequestFailed(trouble)
            self.patience.pause(seconds)
        raise AssertionError("the loop has no end of its own")

    def _send_once(self, method: str, path: str, body: Json) -> Answer:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token}",
            "User-Agent": f"outpost/{__version__}",
            "X-GitHub-Api-Version": API_VERSION,
        }
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        url = self.api_url + path
        return send(method, url, headers=headers, body=content, timeout_seconds=REQUEST_TIMEOUT_SECONDS)


def seconds_to_wait(answer: Answer, otherwise_seconds: float) -> float | None:
    """How long until the same request may be answered differently; None when it will not be.

    By https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
    """
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status == HTTPStatus.REQUEST_TIMEOUT:
        return _read_retry_after(answer) or otherwise_seconds
    if answer.status not in LIMIT_STATUSES:
        return None
    if (seconds := _read_retry_after(answer)) is not None:
        return seconds
    if answer.headers.get("x-ratelimit-remaining") == "0":
        return max(otherwise_seconds, _read_number(answer, "x-ratelimit-reset") - _read_time(answer))
    return SECONDARY_LIMIT_SECONDS if "rate limit" in read_complaint(answer).lower() else None


def read_complaint(answer: Answer) -> str:
    """What GitHub says of an error, with the details of a validation."""
    try:
        error = JsonObject.parse(answer.body, "answer")
        said = [error.text("message")]
    except MalformedJson:
        return "the answer has no message in it"
    # There may be no details, or they may be in another form.
    with suppress(MalformedJson):
        said += [detail.optional_text("message") or _name_field(detail) for detail in error.objects("errors")]
    return " ".join(filter(None, said))


def refuses_field(answer: Answer, field: str) -> bool:
    """Whether the answer is that this field of the request names nothing that GitHub can use."""
    try:
        details = JsonObject.parse(answer.body, "answer").objects("errors")
        found = [(detail.optional_text("field"), detail.optional_text("code")) for detail in details]
    except MalformedJson:
        return False
    return answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and (field, "invalid") in found


def _name_field(detail: JsonObject) -> str:
    return " is ".join(filter(None, [detail.optional_text("field"), detail.optional_text("code")]))


def _read_retry_after(answer: Answer) -> float | None:
    return _read_number(answer, "retry-after") if "retry-after" in answer.headers else None


def _read_time(answer: Answer) -> float:
    """When it was answered by GitHub's own clock, which its limit goes by too; for ever away where it does not say."""
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return inf


def _read_number(answer: Answer, header: str) -> float:
    text = answer.headers.get(header, "").strip()
    return float(text) if text.isdecimal() else 0.0
