"""The agents, and which of them can be launched now."""

from collections.abc import Mapping
from datetime import datetime

from outpost.api.account_views import breaker_view
from outpost.domain.agents import AGENTS, Agent
from outpost.domain.deployment import Breaker, BreakerState, Deployment

View = Mapping[str, object]


def fleet_view(deployment: Deployment, now: datetime) -> View:
    """The agents of this release, each with its breaker."""
    agents = [_agent_view(agent, deployment.breaker(agent.name), now) for agent in AGENTS.values()]
    return {"status": "ok" if fleet_is_healthy(deployment, now) else "degraded", "agents": agents}


def fleet_is_healthy(deployment: Deployment, now: datetime) -> bool:
    """Whether every agent of this release that there is can be launched, and no switch keeps all from it."""
    states = [deployment.breaker(agent.name).state(now) for agent in AGENTS.values() if agent.available]
    return deployment.kill_switch is None and BreakerState.OPEN not in states


def _agent_view(agent: Agent, breaker: Breaker, now: datetime) -> View:
    return {
        "agent": agent.name,
        "title": agent.title,
        "available": agent.available and breaker.state(now) is not BreakerState.OPEN,
        "modelId": agent.default_model_id,
        "models": [{"modelId": model.model_id, "tier": model.tier} for model in agent.models],
        "breaker": breaker_view(breaker, now),
    }
