"""The query parameters that callers may send."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, ValidationInfo, field_validator

from outpost.api.bodies import TAG_NAME, TAGS
from outpost.api.parsing import Query
from outpost.domain.run import RunStatus

STATUSES = tuple(RunStatus)
_DIGITS = re.compile(r"[0-9]{1,9}")
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)


def _status(text: str) -> str:
    if text not in STATUSES:
        raise ValueError(f"must be one of {', '.join(STATUSES)}")
    return text


def _digits(text: str) -> str:
    if not _DIGITS.fullmatch(text):
        raise ValueError("must be a whole number")
    return text


def _rfc3339(text: str) -> str:
    if not _RFC3339.fullmatch(text):
        raise ValueError("must be a time in RFC 3339 with its zone, such as 2030-01-01T00:00:00Z")
    return text


# What pydantic would also read as a number or a time (1_0, seconds since 1970) is not what the documents promise.
WholeNumber = Annotated[int, BeforeValidator(_digits)]
Time = Annotated[AwareDatetime, BeforeValidator(_rfc3339)]


class NoQuery(Query):
    """A route without query parameters."""


class RunsQuery(Query):
    """GET /runs."""

    limit: Annotated[WholeNumber, Field(ge=1, le=100)] = 20
    cursor: str | None = None
    status: Annotated[str, AfterValidator(_status), Field(json_schema_extra={"enum": list(STATUSES)})] | None = None
    agent: Annotated[str, Field(max_length=64)] | None = None
    repo: Annotated[str, Field(max_length=500)] | None = None
    tag: list[str] = Field(default_factory=list, max_length=TAGS)
    parent: Annotated[str, Field(max_length=128)] | None = None
    batch: Annotated[str, Field(max_length=128)] | None = None
    since: Time | None = None
    until: Time | None = None

    @field_validator("tag")
    @classmethod
    def _pairs(cls, tags: list[str]) -> list[str]:
        if not all(TAG_NAME.fullmatch(name) and colon for name, colon, _ in (tag.partition(":") for tag in tags)):
            raise ValueError("must be name:value")
        if len({tag.partition(":")[0] for tag in tags}) < len(tags):
            raise ValueError("must name each tag once")
        return tags

    @field_validator("since", "until")
    @classmethod
    def _in_the_range_of_run_ids(cls, at: datetime | None) -> datetime | None:
        if at is not None and not 1970 < at.year <= 9000:  # noqa: PLR2004 a ULID's 48 bits of milliseconds
            raise ValueError("must lie between the years 1971 and 9000")
        return at

    @field_validator("until")
    @classmethod
    def _after_since(cls, until: datetime | None, info: ValidationInfo) -> datetime | None:
        since = info.data.get("since")
        if until is not None and since is not None and until <= since:
            raise ValueError("must be later than since")
        return until


class LogsQuery(Query):
    """GET /runs/{id}/logs."""

    limit: Annotated[WholeNumber, Field(ge=1, le=1_000)] = 100
    cursor: str | None = None
    wait: Annotated[WholeNumber, Field(ge=0, le=20)] = 0


class StreamQuery(Query):
    """GET /runs/{id}/events as a stream: a browser's EventSource cannot send headers, so what would be one is here."""

    last_event_id: str | None = None
    access_token: Annotated[str | None, Field(alias="access_token")] = None


class EventPageQuery(Query):
    """GET /runs/{id}/events as a page."""

    limit: Annotated[WholeNumber, Field(ge=1, le=100)] = 20
    cursor: str | None = None
    wait: Annotated[WholeNumber, Field(ge=0, le=20)] = 0
    access_token: Annotated[str | None, Field(alias="access_token")] = None


class EventsQuery(EventPageQuery, StreamQuery):
    """GET /runs/{id}/events, whichever way."""


class WorkspacesQuery(Query):
    """GET /workspaces."""

    limit: Annotated[WholeNumber, Field(ge=1, le=100)] = 20
    cursor: str | None = None


class ArtifactsQuery(Query):
    """GET /runs/{id}/artifacts."""

    expires_in: Annotated[WholeNumber, Field(ge=60, le=86_400)] = 3_600
