"""What is asked for when a run begins, as the contract's fields: what every way of beginning one shares."""

import secrets
from dataclasses import dataclass, field
from typing import TypedDict

from outpost_cli.json_fields import JsonObject, drop_absent
from outpost_cli.models.means import Budget, Means

PERSISTENT = "persistent"


class Terms(TypedDict):
    """How a run is to be done; None is what the service, or the run before it, says."""

    timeout_seconds: int | None
    queue_timeout_seconds: int | None
    priority: str | None
    tags: tuple[tuple[str, str], ...]
    user_id: str | None
    check: str | None


def make_idempotency_key() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class PromotionWish:
    """How a run's work is to become a branch and a pull request; None is what the service chooses."""

    branch: str | None = None
    title: str | None = None
    body: str | None = None
    is_draft: bool | None = None

    def to_document(self) -> JsonObject:
        return drop_absent({"branch": self.branch, "title": self.title, "body": self.body, "draft": self.is_draft})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Without an idempotency key a fresh one is made, so that repeats of one request begin nothing twice."""

    means: Means = field(default_factory=Means)
    timeout_seconds: int | None = None
    queue_timeout_seconds: int | None = None
    priority: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    user_id: str | None = None
    check: str | None = None
    idempotency_key: str = field(default_factory=make_idempotency_key)

    def to_shared_document(self) -> JsonObject:
        """The fields that every kind of wish has; what was not said is null."""
        return {
            **self.means.to_document(),
            "check": self.check,
            "priority": self.priority,
            "timeoutSeconds": self.timeout_seconds,
            "queueTimeoutSeconds": self.queue_timeout_seconds,
            "tags": dict(self.tags) or None,
            "userId": self.user_id,
            "idempotencyKey": self.idempotency_key,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession(Wish):
    """A run that comes after another one, and what is to be different."""

    task: str | None = None
    agent: str | None = None
    model_id: str | None = None
    promotion: PromotionWish | None = None

    def to_document(self) -> JsonObject:
        return drop_absent(
            {
                "task": self.task,
                "agent": self.agent,
                "modelId": self.model_id,
                **self.to_shared_document(),
                "promote": promote_on_success(self.promotion),
            }
        )


@dataclass(frozen=True, slots=True)
class Contender:
    """An agent of a batch, with its model unless the service is to choose."""

    agent: str
    model_id: str | None = None

    def to_document(self) -> JsonObject:
        return drop_absent({"agent": self.agent, "modelId": self.model_id})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch(Wish):
    """One task for several agents. The shared budget is split evenly among them."""

    task: str
    contenders: tuple[Contender, ...]
    repo: str | None = None
    branch: str | None = None
    is_persistent: bool = False
    shared_budget: Budget = field(default_factory=Budget)

    def to_document(self) -> JsonObject:
        return drop_absent(
            {
                "task": self.task,
                "agents": [contender.to_document() for contender in self.contenders],
                "repo": self.repo,
                "branch": self.branch,
                "workspaceMode": PERSISTENT if self.is_persistent else None,
                **self.to_shared_document(),
                "sharedBudget": self.shared_budget.to_document() or None,
            }
        )


def promote_on_success(wish: PromotionWish | None) -> JsonObject | None:
    return None if wish is None else {"when": "success", **wish.to_document()}
