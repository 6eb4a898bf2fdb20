"""What an id looks like that may stand in a path."""

import re
from urllib.parse import quote

from outpost_cli.errors import UsageRefused

# Anything else could lead a path to another route.
ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


def check_id(text: str, noun: str, *, remedy: str) -> str:
    """The id. Raises UsageRefused for what is none."""
    if not ID.fullmatch(text):
        raise UsageRefused(f"{text!r} is not {noun}.", remedy=remedy)
    return text


def make_run_path(run_id: str) -> str:
    """The path of a run's routes."""
    return f"/runs/{quote(run_id, safe='')}"
