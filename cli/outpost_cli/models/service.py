"""The service itself: its health and its agents."""

from dataclasses import dataclass

from outpost_cli.json_fields import (
    JsonObject,
    read_flag,
    read_integer,
    read_list,
    read_number,
    read_optional_integer,
    read_optional_list,
    read_optional_object,
    read_optional_text,
    read_text,
    read_text_pairs,
)
from outpost_cli.models.means import Resources

DOWN = "down"


@dataclass(frozen=True, slots=True)
class Breaker:
    """The circuit breaker of an agent: open, nothing of it is launched."""

    state: str
    failures: int
    retry_after_seconds: int | None

    @classmethod
    def from_document(cls, document: JsonObject) -> "Breaker":
        return cls(
            state=read_text(document, "state"),
            failures=read_integer(document, "failures"),
            retry_after_seconds=read_optional_integer(document, "retryAfterSeconds"),
        )


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """What a million tokens cost, in dollars."""

    input: float
    cached_input: float
    output: float

    @classmethod
    def from_document(cls, document: JsonObject) -> "TokenPrices":
        return cls(
            input=read_number(document, "input"),
            cached_input=read_number(document, "cachedInput"),
            output=read_number(document, "output"),
        )


@dataclass(frozen=True, slots=True)
class FleetModel:
    """A model of an agent, and the compute of a run that asks for none. What needs no provider has no prices."""

    model_id: str
    tier: str
    resources: Resources
    prices: TokenPrices | None

    @classmethod
    def from_document(cls, document: JsonObject) -> "FleetModel":
        prices = read_optional_object(document, "usdPerMillionTokens")
        return cls(
            model_id=read_text(document, "modelId"),
            tier=read_text(document, "tier"),
            resources=Resources.from_document(document),
            prices=TokenPrices.from_document(prices) if prices else None,
        )


@dataclass(frozen=True, slots=True)
class FleetAgent:
    name: str
    is_available: bool
    model_id: str | None
    provider: str | None
    models: tuple[FleetModel, ...]
    breaker: Breaker | None

    @classmethod
    def from_document(cls, document: JsonObject) -> "FleetAgent":
        breaker = read_optional_object(document, "breaker")
        return cls(
            name=read_text(document, "agent"),
            is_available=read_flag(document, "available"),
            model_id=read_optional_text(document, "modelId"),
            provider=read_optional_text(document, "provider"),
            models=read_optional_list(document, "models", FleetModel.from_document),
            breaker=Breaker.from_document(breaker) if breaker else None,
        )


@dataclass(frozen=True, slots=True)
class Fleet:
    """The agents that can be dispatched."""

    status: str
    price_version: str | None
    agents: tuple[FleetAgent, ...]
    document: JsonObject

    @classmethod
    def from_document(cls, document: JsonObject) -> "Fleet":
        return cls(
            status=read_text(document, "status"),
            price_version=read_optional_text(document, "priceVersion"),
            agents=read_list(document, "agents", FleetAgent.from_document),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class Health:
    """How the service says it is; `is_well` when it answered 200 and calls nothing down."""

    status: str
    version: str | None
    components: tuple[tuple[str, str], ...]
    is_well: bool
    document: JsonObject

    @classmethod
    def from_document(cls, document: JsonObject, *, is_success: bool) -> "Health":
        return cls(
            status=read_text(document, "status"),
            version=read_optional_text(document, "version"),
            components=read_text_pairs(document, "components"),
            is_well=is_success and read_text(document, "status") != DOWN,
            document=document,
        )
