"""The bodies that callers may send."""

import hashlib
import json
import re
from copy import copy
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    ValidationInfo,
    create_model,
    field_validator,
)

from outpost.api.parsing import Body
from outpost.domain.agents import AGENTS
from outpost.domain.git import is_branch, is_repo
from outpost.domain.promotion import PromotionWish
from outpost.domain.run import QUEUE_TIMEOUT_SECONDS, ContextLevel, Priority
from outpost.domain.secret import is_variable_name
from outpost.domain.size import Size, SizeUnknown

TASK_CHARACTERS = 100_000
LONGEST_TIMEOUT_SECONDS = 86_400
TAG_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
TAGS = 20
TAG_CHARACTERS = 256
PRIORITIES = tuple(str(priority) for priority in Priority)
CONTEXT_LEVELS = tuple(str(level) for level in ContextLevel)
SECRETS = 20
MOST_USD = 1_000_000
MOST_TOKENS = 1_000_000_000
WORKSPACE_MODES = ("ephemeral", "persistent")
PROMOTE_WHEN = "success"
CHECK_CHARACTERS = 4_000
TITLE_CHARACTERS = 250
PROMOTION_BODY_CHARACTERS = 10_000
LEAST_AGENTS, MOST_AGENTS = 2, 10


def _repo(text: str) -> str:
    if not is_repo(text):
        raise ValueError("must be owner/name, or an https URL without credentials")
    return text


def _branch(text: str) -> str:
    if not is_branch(text):
        raise ValueError("must be a valid name of a git branch")
    return text


def _task(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    return text


def _priority(text: str) -> str:
    if text not in PRIORITIES:
        raise ValueError(f"must be one of {', '.join(PRIORITIES)}")
    return text


def _context(text: str) -> str:
    if text not in CONTEXT_LEVELS:
        raise ValueError(f"must be one of {', '.join(CONTEXT_LEVELS)}")
    return text


def _tag_name(text: str) -> str:
    if not TAG_NAME.fullmatch(text):
        raise ValueError("must be named by 1 to 64 letters, digits, dots, hyphens and underscores")
    return text


def once(texts: list[str]) -> list[str]:
    if len(set(texts)) < len(texts):
        raise ValueError("must name each once")
    return texts


def _secret_name(text: str) -> str:
    if not is_variable_name(text):
        raise ValueError("must be the name of a secret for the environment, such as NPM_TOKEN")
    return text


def _mode(text: str) -> str:
    if text not in WORKSPACE_MODES:
        raise ValueError(f"must be one of {', '.join(WORKSPACE_MODES)}")
    return text


def _when(text: str) -> str:
    if text != PROMOTE_WHEN:
        raise ValueError(f"must be {PROMOTE_WHEN}")
    return text


SecretName = Annotated[str, AfterValidator(_secret_name)]
TagName = Annotated[str, AfterValidator(_tag_name)]
TagValue = Annotated[str, Field(max_length=TAG_CHARACTERS)]


class ResourcesBody(Body):
    """How large a run's compute is to be; what is not named follows from the model's tier."""

    cpu_units: Annotated[int, Field(ge=1)] | None = None
    memory_mb: Annotated[int, Field(ge=1)] | None = None
    disk_gb: Annotated[int, Field(ge=1)] | None = None

    def size(self, usual: Size) -> Size:
        """The size that it comes to. Raises SizeUnknown."""
        return usual.changed(self.cpu_units, self.memory_mb, self.disk_gb)


class BudgetBody(Body):
    """What a run may use of models at most."""

    max_cost_usd: Annotated[float, Field(gt=0, le=MOST_USD, allow_inf_nan=False)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=MOST_TOKENS)] | None = None


BranchName = Annotated[str, AfterValidator(_branch)]
RunTitle = Annotated[str, Field(min_length=1, max_length=TITLE_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f]*$")]
PromotionText = Annotated[str, Field(max_length=PROMOTION_BODY_CHARACTERS)]


class PromoteBody(Body):
    """POST /runs/{id}/promote."""

    branch: BranchName | None = None
    title: RunTitle | None = None
    body: PromotionText | None = None
    draft: bool = False

    def wish(self) -> PromotionWish:
        """What is asked for."""
        return PromotionWish(self.branch, self.title, self.body, self.draft)


class PromoteAtEndBody(PromoteBody):
    """A promotion that is asked for with the run itself."""

    when: Annotated[str, AfterValidator(_when), Field(json_schema_extra={"enum": [PROMOTE_WHEN]})]


class PromoteBatchBody(PromoteBody):
    """POST /batches/{id}/promote."""

    run_id: Annotated[str, Field(min_length=1, max_length=128)]


class DispatchBody(Body):
    """POST /dispatch."""

    agent: Annotated[str, Field(json_schema_extra={"enum": list(AGENTS)})]
    task: Annotated[str, Field(min_length=1, max_length=TASK_CHARACTERS), AfterValidator(_task)]
    model_id: str | None = None
    repo: Annotated[str, AfterValidator(_repo)] | None = None
    branch: Annotated[str, AfterValidator(_branch)] | None = None
    context: Annotated[str, AfterValidator(_context), Field(json_schema_extra={"enum": list(CONTEXT_LEVELS)})] = (
        "standard"
    )
    resources: ResourcesBody = Field(default_factory=ResourcesBody)
    budget: BudgetBody = Field(default_factory=BudgetBody)
    secrets: Annotated[list[SecretName], Field(max_length=SECRETS), AfterValidator(once)] = Field(default_factory=list)
    timeout_seconds: Annotated[int, Field(ge=30, le=LONGEST_TIMEOUT_SECONDS)] = 600
    queue_timeout_seconds: Annotated[int, Field(ge=60, le=LONGEST_TIMEOUT_SECONDS)] = QUEUE_TIMEOUT_SECONDS
    priority: Annotated[str, AfterValidator(_priority), Field(json_schema_extra={"enum": list(PRIORITIES)})] = "normal"
    workspace_mode: Annotated[str, AfterValidator(_mode), Field(json_schema_extra={"enum": list(WORKSPACE_MODES)})] = (
        "ephemeral"
    )
    workspace_id: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    check: Annotated[str, Field(min_length=1, max_length=CHECK_CHARACTERS), AfterValidator(_task)] | None = None
    promote: PromoteAtEndBody | None = None
    tags: dict[TagName, TagValue] = Field(default_factory=dict)
    user_id: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    idempotency_key: Annotated[str, Field(min_length=1, max_length=128)] | None = None

    @field_validator("agent")
    @classmethod
    def _known_agent(cls, name: str) -> str:
        if name not in AGENTS:
            raise ValueError(f"must be one of {', '.join(AGENTS)}")
        return name

    @field_validator("model_id")
    @classmethod
    def _known_model(cls, asked: str | None, info: ValidationInfo) -> str | None:
        agent = AGENTS.get(info.data.get("agent", ""))
        if agent is not None and agent.resolve_model(asked) is None:
            raise ValueError(f"must be one of {', '.join(agent.accepted_models())}")
        return asked

    @field_validator("context", "budget")
    @classmethod
    def _for_a_model(cls, given: str | BudgetBody, info: ValidationInfo) -> str | BudgetBody:
        agent = AGENTS.get(info.data.get("agent", ""))
        if agent is not None and agent.provider is None and given not in (ContextLevel.OFF, BudgetBody()):
            raise ValueError(f"is for a model, and the agent {agent.name} uses none")
        return given

    @field_validator("resources")
    @classmethod
    def _possible_size(cls, resources: ResourcesBody, info: ValidationInfo) -> ResourcesBody:
        agent = AGENTS.get(info.data.get("agent", ""))
        if agent is not None and "model_id" in info.data:
            try:
                resources.size(agent.size(agent.resolve_model(info.data["model_id"]) or ""))
            except SizeUnknown as error:
                raise ValueError(str(error)) from error
        return resources

    @field_validator("branch")
    @classmethod
    def _branch_of_a_repo(cls, branch: str | None, info: ValidationInfo) -> str | None:
        if branch is not None and "repo" in info.data and info.data["repo"] is None:
            raise ValueError("needs a repo")
        return branch

    @field_validator("promote")
    @classmethod
    def _promotes_to_a_repo(cls, promote: PromoteAtEndBody | None, info: ValidationInfo) -> PromoteAtEndBody | None:
        if promote is not None and info.data.get("repo") is None and info.data.get("workspace_id") is None:
            raise ValueError("needs a repo")
        return promote

    @field_validator("tags")
    @classmethod
    def _bounded_tags(cls, tags: dict[str, str]) -> dict[str, str]:
        if len(tags) > TAGS:
            raise ValueError(f"must be at most {TAGS} pairs")
        return tags

    def sha256(self, **beside: str) -> str:
        """What two requests have in common that ask for the same: all but the idempotency key itself.

        `beside` is what of a request is not in its body.
        """
        said = self.model_dump(mode="json", exclude={"idempotency_key"}, exclude_defaults=True)
        same = json.dumps(said | ({"": beside} if beside else {}), sort_keys=True)
        return hashlib.sha256(same.encode()).hexdigest()


def _partial(
    name: str,
    description: str,
    *,
    without: tuple[str, ...] = (),
    required: tuple[str, ...] = (),
    base: type[Body] = Body,
) -> type[Body]:
    """The fields of a dispatch, of which only some have to be there."""
    fields: dict[str, Any] = {}
    for field_name, known in DispatchBody.model_fields.items():
        field = copy(known)
        if known.is_required() and field_name not in required:
            field.default = None
        if field_name not in without:
            fields[field_name] = (field.annotation, field)
    return create_model(name, __base__=base, __doc__=description, **fields)


# What is sent there is laid over the earlier run's own fields, and checked as the dispatch that comes of it.
RerunBody = _partial("RerunBody", "POST /runs/{id}/rerun: the fields that are to be otherwise.")
FollowUpBody = _partial(
    "FollowUpBody",
    "POST /runs/{id}/follow-up: what is to be done next, and the fields that are to be otherwise.",
    without=("repo", "branch", "workspace_mode", "workspace_id"),
    required=("task",),
)


class BatchAgentBody(Body):
    """One of the agents that a batch asks."""

    agent: Annotated[str, Field(json_schema_extra={"enum": list(AGENTS)})]
    model_id: str | None = None


class BatchHeadBody(Body):
    """What of a batch is not each dispatch's own."""

    agents: Annotated[list[BatchAgentBody], Field(min_length=LEAST_AGENTS, max_length=MOST_AGENTS)]
    shared_budget: BudgetBody = Field(default_factory=BudgetBody)


BatchBody = _partial(
    "BatchBody",
    "POST /batches: a dispatch to several agents at once.",
    without=("agent", "model_id", "workspace_id", "promote"),
    required=("task",),
    base=BatchHeadBody,
)


class CancelBody(Body):
    """POST /runs/{id}/cancel."""

    reason: Annotated[str, Field(max_length=1_000)] | None = None
