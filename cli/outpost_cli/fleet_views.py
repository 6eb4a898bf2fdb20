"""How the agents and their models look to a person."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from outpost_cli.amounts import format_cpu, format_memory
from outpost_cli.models.service import Fleet, FleetAgent, FleetModel
from outpost_cli.output import make_safe
from outpost_cli.views import NOTHING, format_breaker, make_cell, make_table


def render_fleet(fleet: Fleet) -> RenderableType:
    """The agents, and below them their models with the compute and the prices of each."""
    version = fleet.price_version
    prices = f"IN, CACHED and OUT are USD for a million tokens, as of {make_safe(version)}." if version else None
    parts: list[RenderableType] = [render_agents(fleet), Text(), render_models(fleet)]
    parts += [Text(), Text(prices)] if prices else []
    return Group(*parts)


def render_agents(fleet: Fleet) -> Table:
    table = make_table("AGENT", "AVAILABLE", "BREAKER", "PROVIDER", "DEFAULT MODEL")
    for agent in fleet.agents:
        table.add_row(
            make_cell(agent.name),
            make_cell("yes", "green") if agent.is_available else make_cell("no", "red"),
            make_cell(format_breaker(agent.breaker) if agent.breaker else NOTHING),
            make_cell(agent.provider or NOTHING),
            make_cell(agent.model_id or NOTHING),
        )
    return table


def render_models(fleet: Fleet) -> Table:
    table = make_table("AGENT", "MODEL", "TIER", "VCPU", "MEMORY", "IN", "CACHED", "OUT")
    for agent in fleet.agents:
        for model in agent.models:
            table.add_row(*(make_cell(text) for text in list_cells(agent, model)))
    return table


def list_cells(agent: FleetAgent, model: FleetModel) -> list[str]:
    size, prices = model.resources, model.prices
    amounts = (prices.input, prices.cached_input, prices.output) if prices else ()
    return [
        agent.name,
        model.model_id,
        model.tier,
        NOTHING if size.cpu_units is None else format_cpu(size.cpu_units),
        NOTHING if size.memory_mb is None else format_memory(size.memory_mb),
        *([f"{amount:g}" for amount in amounts] or [NOTHING] * 3),
    ]
