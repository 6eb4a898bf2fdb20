"""What can go wrong at the command line, and the exit code that each of it has.

OutpostError
├── UsageRefused            2  the command line, the environment or the profile file is wrong
├── Interrupted           130  Ctrl-C
├── UnexpectedAnswer        1  the service answered something that is not in the contract
├── DownloadFailed          1  bytes that did not arrive whole, or a name that may not be written
├── LocalStackMissing       1  the optional part that runs the stack on this machine is not installed
├── OperatorPartMissing     1  the optional part that the operator's commands need is not installed
└── ServiceRefusal             an error of the service, with its own code, message and remedy
    ├── NotAuthorised       3  401, 403
    ├── NotFound            4  404
    ├── Refused             5  400, 409, 413, 415 and other refusals of the request
    ├── LimitReached        6  402, 429
    ├── ServiceUnavailable  7  502, 503, 504, and a service that cannot be reached
    │   └── ConnectionLost  7  an answer that broke off
    └── ServiceFailed       1  500
"""

from dataclasses import dataclass
from enum import IntEnum
from http import HTTPStatus
from typing import ClassVar

from outpost_cli.json_fields import JsonObject

# Of a service that cannot be reached, and of one that had the request and gave no answer.
UNREACHABLE = "UNREACHABLE"
NO_ANSWER = "NO_ANSWER"


class ExitCode(IntEnum):
    """The exit codes of `outpost`; docs/cli.md lists them."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    NOT_AUTHORISED = 3
    NOT_FOUND = 4
    REFUSED = 5
    LIMIT_REACHED = 6
    UNAVAILABLE = 7
    RUN_FAILED = 10
    RUN_TIMEOUT = 11
    RUN_CANCELLED = 12
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field of a request."""

    path: str
    message: str


class OutpostError(Exception):
    """An error that a person can act on: what happened, and what to do next."""

    exit_code: ClassVar[ExitCode] = ExitCode.UNEXPECTED
    default_code: ClassVar[str] = "UNEXPECTED"

    def __init__(self, message: str, *, remedy: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = code or self.default_code

    @property
    def field_errors(self) -> tuple[FieldError, ...]:
        return ()

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What else there is to know, by name: the status that a run has, the limit that is reached."""
        return ()

    def to_document(self) -> JsonObject:
        """The error as `--json` prints it, in the form of the contract's error object."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy, "retryable": False}


class UsageRefused(OutpostError):
    exit_code = ExitCode.USAGE
    default_code = "USAGE"


class Interrupted(OutpostError):
    exit_code = ExitCode.INTERRUPTED
    default_code = "INTERRUPTED"


class UnexpectedAnswer(OutpostError):
    default_code = "UNEXPECTED_ANSWER"

    def __init__(
        self, message: str, *, remedy: str = "Check that the URL is that of an Outpost API and that the versions match."
    ) -> None:
        super().__init__(message, remedy=remedy)


class DownloadFailed(OutpostError):
    default_code = "DOWNLOAD_FAILED"


class LocalStackMissing(OutpostError):
    default_code = "LOCAL_STACK_MISSING"


class OperatorPartMissing(OutpostError):
    default_code = "OPERATOR_PART_MISSING"


class ServiceRefusal(OutpostError):
    """An error answer of the service, or its absence."""

    def __init__(
        self,
        message: str,
        *,
        remedy: str,
        code: str,
        status: int | None,
        retryable: bool = False,
        retry_after_seconds: float | None = None,
        details: JsonObject | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy, code=code)
        self.status = status
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds
        self.details = details
        self.request_id = request_id

    @property
    def had_no_effect(self) -> bool:
        """Whether the request surely changed nothing: it never arrived, or it was refused."""
        return self.code == UNREACHABLE or (self.status is not None and self.status < HTTPStatus.INTERNAL_SERVER_ERROR)

    @property
    def field_errors(self) -> tuple[FieldError, ...]:
        entries = (self.details or {}).get("errors")
        if not isinstance(entries, list):
            return ()
        return tuple(
            FieldError(path=str(entry.get("path", "")), message=str(entry.get("message", "")))
            for entry in entries
            if isinstance(entry, dict)
        )

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        told = (self.details or {}).items()
        return tuple((name, str(value)) for name, value in told if isinstance(value, (str, int, float)))

    def to_document(self) -> JsonObject:
        more: JsonObject = {"details": self.details, "requestId": self.request_id}
        document = {**super().to_document(), "retryable": self.retryable}
        return {**document, **{name: value for name, value in more.items() if value is not None}}


class NotAuthorised(ServiceRefusal):
    exit_code = ExitCode.NOT_AUTHORISED


class NotFound(ServiceRefusal):
    exit_code = ExitCode.NOT_FOUND


class Refused(ServiceRefusal):
    exit_code = ExitCode.REFUSED


class LimitReached(ServiceRefusal):
    exit_code = ExitCode.LIMIT_REACHED


class ServiceUnavailable(ServiceRefusal):
    exit_code = ExitCode.UNAVAILABLE


class ConnectionLost(ServiceUnavailable):
    pass


class ServiceFailed(ServiceRefusal):
    exit_code = ExitCode.UNEXPECTED


REFUSAL_BY_STATUS: dict[int, type[ServiceRefusal]] = {
    401: NotAuthorised,
    402: LimitReached,
    403: NotAuthorised,
    404: NotFound,
    429: LimitReached,
    502: ServiceUnavailable,
    503: ServiceUnavailable,
    504: ServiceUnavailable,
}


def refusal_for_status(status: int) -> type[ServiceRefusal]:
    """The error class of an HTTP status that is not a success."""
    if status in REFUSAL_BY_STATUS:
        return REFUSAL_BY_STATUS[status]
    return ServiceFailed if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Refused
