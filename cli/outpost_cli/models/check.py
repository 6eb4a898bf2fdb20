"""The check of a run: the caller's own command, run after the agent, and what came of it."""

from dataclasses import dataclass

from outpost_cli.json_fields import (
    JsonObject,
    read_flag,
    read_optional_flag,
    read_optional_integer,
    read_optional_number,
    read_optional_text,
    read_text,
)


@dataclass(frozen=True, slots=True)
class Check:
    """`has_passed` is None until there is a verdict."""

    command: str
    has_passed: bool | None
    exit_code: int | None
    has_timed_out: bool
    output: str | None
    seconds: float | None

    @classmethod
    def from_document(cls, document: JsonObject) -> "Check":
        return cls(
            command=read_text(document, "command"),
            has_passed=read_optional_flag(document, "passed"),
            exit_code=read_optional_integer(document, "exitCode"),
            has_timed_out=read_flag(document, "timedOut"),
            output=read_optional_text(document, "output"),
            seconds=read_optional_number(document, "seconds"),
        )
