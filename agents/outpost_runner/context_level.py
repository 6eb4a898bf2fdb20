"""How much of the repository's own notes the agent is given before its task."""

from enum import StrEnum


class ContextLevel(StrEnum):
    OFF = "off"
    MINIMAL = "minimal"
    STANDARD = "standard"
    FULL = "full"
