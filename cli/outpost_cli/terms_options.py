"""The options that say how a run is to be done."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from outpost_cli.commands.arguments import TagOption, parse_tags
from outpost_cli.durations import parse_optional_duration
from outpost_cli.models.run import Priority
from outpost_cli.session import SharedOption, with_option_group
from outpost_cli.wishes import Terms

TERMS_OPTIONS: dict[str, SharedOption] = {
    "check": (
        Annotated[
            str | None,
            typer.Option("--check", metavar="CMD", help="A shell command that judges the work: npm test."),
        ],
        None,
    ),
    "timeout": (
        Annotated[str | None, typer.Option("--timeout", "-t", help="Time limit: 600, 10m, 1h30m.")],
        None,
    ),
    "priority": (
        Annotated[
            Priority | None,
            typer.Option("--priority", case_sensitive=False, help="When it has to wait for a free slot."),
        ],
        None,
    ),
    "queue_timeout": (
        Annotated[str | None, typer.Option("--queue-timeout", help="How long it may wait for a free slot: 30m, 2h.")],
        None,
    ),
    "tag": (TagOption, None),
    "user_id": (Annotated[str | None, typer.Option("--user-id", help="Who asks for it, as a label.")], None),
}


def read_terms(wanted: Mapping[str, Any]) -> Terms:
    """Raises UsageRefused for a duration or a tag that is none."""
    return Terms(
        timeout_seconds=parse_optional_duration(wanted["timeout"]),
        queue_timeout_seconds=parse_optional_duration(wanted["queue_timeout"]),
        priority=wanted["priority"],
        tags=parse_tags(wanted["tag"]),
        user_id=wanted["user_id"],
        check=wanted["check"],
    )


with_terms = with_option_group(TERMS_OPTIONS, read_terms)
