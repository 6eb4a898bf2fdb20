"""The agents, and which of them can be launched now."""

from collections.abc import Mapping
from datetime import datetime

from outpost.api.account_views import breaker_view
from outpost.domain.agents import AGENTS, Agent, Model
from outpost.domain.deployment import Breaker, BreakerState, Deployment
from outpost.domain.money import PRICE_VERSION, ModelPrice, usd

View = Mapping[str, object]


def fleet_view(deployment: Deployment, now: datetime) -> View:
    """The agents of this release, each with its breaker."""
    agents = [_agent_view(agent, deployment.breaker(agent.name), now) for agent in AGENTS.values()]
    status = "ok" if fleet_is_healthy(deployment, now) else "degraded"
    return {"status": status, "priceVersion": PRICE_VERSION, "agents": agents}


def fleet_is_healthy(deployment: Deployment, now: datetime) -> bool:
    """Whether every agent of this release that there is can be launched, and no switch keeps all from it."""
    states = [deployment.breaker(agent.name).state(now) for agent in AGENTS.values()]
    return deployment.kill_switch is None and BreakerState.OPEN not in states


def _agent_view(agent: Agent, breaker: Breaker, now: datetime) -> View:
    return {
        "agent": agent.name,
        "title": agent.title,
        "available": breaker.state(now) is not BreakerState.OPEN,
        "modelId": agent.default_model_id,
        "provider": agent.provider,
        "models": [_model_view(agent, model) for model in agent.models],
        "breaker": breaker_view(breaker, now),
    }


def _model_view(agent: Agent, model: Model) -> View:
    size = agent.size(model.model_id)
    return {
        "modelId": model.model_id,
        "tier": model.tier,
        "retiredNames": list(model.retired_names),
        "cpuUnits": size.cpu_units,
        "memoryMb": size.memory_mb,
        "usdPerMillionTokens": None if model.price is None else _price_view(model.price),
    }


def _price_view(price: ModelPrice) -> View:
    return {
        "input": usd(price.input_microusd),
        "cachedInput": usd(price.cached_input_microusd),
        "cacheWrite": usd(price.cache_write_microusd),
        "output": usd(price.output_microusd),
    }
