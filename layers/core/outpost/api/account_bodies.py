"""What callers may send about their own account: keys, tokens, the kill switch."""

from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from outpost.api.bodies import MOST_TOKENS, MOST_USD, once
from outpost.api.parsing import Body, Query
from outpost.api.queries import WholeNumber
from outpost.domain.agents import AGENTS
from outpost.domain.api_key import Scope
from outpost.domain.repositories import is_repository_pattern

DAY = 86_400


def _scope(text: str) -> str:
    if text not in list(Scope):
        raise ValueError(f"must be one of {', '.join(Scope)}")
    return text


def _agent(text: str) -> str:
    if text not in AGENTS:
        raise ValueError(f"must be one of {', '.join(AGENTS)}")
    return text


def _pattern(text: str) -> str:
    if not is_repository_pattern(text):
        raise ValueError("must be owner/name or host/path, in which * and ? stand for anything")
    return text


ScopeName = Annotated[str, AfterValidator(_scope), Field(json_schema_extra={"enum": [str(scope) for scope in Scope]})]
AgentName = Annotated[str, AfterValidator(_agent), Field(json_schema_extra={"enum": list(AGENTS)})]
RepositoryPattern = Annotated[str, AfterValidator(_pattern)]
ScopeNames = Annotated[list[ScopeName], Field(min_length=1, max_length=len(Scope)), AfterValidator(once)]
AgentNames = Annotated[list[AgentName], Field(min_length=1, max_length=len(AGENTS)), AfterValidator(once)]
RepositoryPatterns = Annotated[list[RepositoryPattern], Field(min_length=1, max_length=50), AfterValidator(once)]
Usd = Annotated[float, Field(ge=0, le=MOST_USD, allow_inf_nan=False)]
Tokens = Annotated[int, Field(ge=1, le=MOST_TOKENS)]


class TokenBody(Body):
    """POST /auth/token."""

    scopes: ScopeNames | None = None


class CreateKeyBody(Body):
    """POST /keys."""

    name: Annotated[str, Field(min_length=1, max_length=128)]
    scopes: ScopeNames
    expires_in_seconds: Annotated[int, Field(ge=60, le=3_650 * DAY)] | None = None
    agents: AgentNames | None = None
    repositories: RepositoryPatterns | None = None
    monthly_budget_usd: Usd | None = None
    run_budget_usd: Usd | None = None
    run_tokens: Tokens | None = None


class RotateKeyBody(Body):
    """POST /keys/{id}/rotate."""

    grace_seconds: Annotated[int, Field(ge=0, le=7 * DAY)] = 3_600


class KillSwitchBody(Body):
    """PUT /kill-switch."""

    reason: Annotated[str, Field(min_length=1, max_length=1_000)]
    stop_running: bool = False

    @field_validator("reason")
    @classmethod
    def _says_something(cls, reason: str) -> str:
        if not reason.strip():
            raise ValueError("must not be blank")
        return reason


class KeysQuery(Query):
    """GET /keys."""

    limit: Annotated[WholeNumber, Field(ge=1, le=100)] = 20
    cursor: str | None = None
