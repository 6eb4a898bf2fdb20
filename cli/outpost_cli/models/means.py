"""What a run may use: compute, a budget for its models, notes of its repository, secrets."""

from dataclasses import dataclass, field
from enum import StrEnum

from outpost_cli.json_fields import (
    JsonObject,
    drop_absent,
    read_flag,
    read_integer,
    read_optional_integer,
    read_optional_number,
    read_optional_object,
    read_optional_text,
    read_optional_texts,
    read_text,
)


class ContextLevel(StrEnum):
    """How much of the repository's own notes the agent is given before its task."""

    OFF = "off"
    MINIMAL = "minimal"
    STANDARD = "standard"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Resources:
    """The size of a run's compute; None is what the service chooses."""

    cpu_units: int | None = None
    memory_mb: int | None = None
    disk_gb: int | None = None

    @classmethod
    def from_document(cls, document: JsonObject) -> "Resources":
        return cls(
            cpu_units=read_optional_integer(document, "cpuUnits"),
            memory_mb=read_optional_integer(document, "memoryMb"),
            disk_gb=read_optional_integer(document, "diskGb"),
        )

    def to_document(self) -> JsonObject:
        return drop_absent({"cpuUnits": self.cpu_units, "memoryMb": self.memory_mb, "diskGb": self.disk_gb})


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a run may use of models; None is what its plan says, in an answer no limit."""

    max_cost_usd: float | None = None
    max_tokens: int | None = None

    @classmethod
    def from_document(cls, document: JsonObject) -> "Budget":
        return cls(
            max_cost_usd=read_optional_number(document, "maxCostUsd"),
            max_tokens=read_optional_integer(document, "maxTokens"),
        )

    def to_document(self) -> JsonObject:
        return drop_absent({"maxCostUsd": self.max_cost_usd, "maxTokens": self.max_tokens})


@dataclass(frozen=True, slots=True)
class Means:
    """Asked for in a dispatch, and what a run has got. What was not said is left to the service."""

    context: str | None = None
    resources: Resources = field(default_factory=Resources)
    budget: Budget = field(default_factory=Budget)
    secrets: tuple[str, ...] = ()

    @classmethod
    def from_document(cls, document: JsonObject) -> "Means":
        return cls(
            context=read_optional_text(document, "context"),
            resources=Resources.from_document(read_optional_object(document, "resources") or {}),
            budget=Budget.from_document(read_optional_object(document, "budget") or {}),
            secrets=read_optional_texts(document, "secrets") or (),
        )

    def to_document(self) -> JsonObject:
        return drop_absent(
            {
                "context": self.context,
                "resources": self.resources.to_document() or None,
                "budget": self.budget.to_document() or None,
                "secrets": [*self.secrets] or None,
            }
        )


@dataclass(frozen=True, slots=True)
class ContextSource:
    """A file of the repository whose notes the agent was given; `is_cut` where they were too long."""

    path: str
    tokens: int
    is_cut: bool

    @classmethod
    def from_document(cls, document: JsonObject) -> "ContextSource":
        return cls(
            path=read_text(document, "path"),
            tokens=read_integer(document, "tokens"),
            is_cut=read_flag(document, "isCut"),
        )
