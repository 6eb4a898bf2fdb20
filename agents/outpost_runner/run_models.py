"""The models of one run: its gateway, opened for as long as the agent is at work, and what is told of its use."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from outpost_runner.agents.adapter import ModelEndpoint
from outpost_runner.gateway.known_providers import describe_provider
from outpost_runner.gateway.model_gateway import ModelGateway
from outpost_runner.gateway.trouble import Trouble
from outpost_runner.gateway.watcher import CallReport, Reading
from outpost_runner.heartbeats import Heartbeats
from outpost_runner.json_fields import Json
from outpost_runner.log_lines import LogLines
from outpost_runner.session import Session

FIRST_BAD_STATUS = 400


@dataclass(frozen=True)
class ModelsEnd:
    """How it stood with the run's models when the agent had ended."""

    reading: Reading = field(default_factory=Reading)
    trouble: Trouble | None = None
    is_budget_exceeded: bool = False


class RunModels:
    """The gateway of a run that has a provider."""

    def __init__(self, gateway: ModelGateway) -> None:
        self._gateway = gateway
        self.endpoint = ModelEndpoint(gateway.url, gateway.dummy_key)

    def is_budget_exceeded(self) -> bool:
        return self._gateway.budget_exceeded.is_set()

    def end(self) -> ModelsEnd:
        """Close the gateway: nothing is used any more."""
        self._gateway.stop()
        return ModelsEnd(self._gateway.reading, self._gateway.trouble, self.is_budget_exceeded())


@contextmanager
def open_models(session: Session) -> Iterator[RunModels | None]:
    """The run's models, or None where its agent has no provider.

    Raises ProviderUnknown and ProviderMisdescribed.
    """
    claim = session.claim
    if claim.provider is None:
        yield None
        return
    provider = describe_provider(claim.provider.name, claim.provider.api_key, claim.prices, claim.provider.base_url)
    watcher = _Watcher(session.heartbeats, session.log)
    with ModelGateway(provider, claim.prices.keys(), claim.budget, watcher) as gateway:
        yield RunModels(gateway)


def usage_to_json(reading: Reading) -> Json:
    usage = reading.usage
    return {
        "inputTokens": usage.input_tokens,
        "cachedInputTokens": usage.cached_input_tokens,
        "cacheWriteTokens": usage.cache_write_tokens,
        "outputTokens": usage.output_tokens,
        "calls": reading.calls,
        "retries": reading.retries,
        "estimatedCalls": reading.estimated_calls,
        "costMicrousd": reading.cost_microusd,
    }


@dataclass(frozen=True)
class _Watcher:
    """Tells the broker what is used, and the log what goes wrong."""

    heartbeats: Heartbeats
    log: LogLines

    def usage_changed(self, reading: Reading) -> None:
        self.heartbeats.tell_usage(usage_to_json(reading))

    def budget_nearly_used(self, reading: Reading) -> None:
        self.log.say(f"Four fifths of the budget are used: {reading.cost_microusd / 1_000_000:.6f} US dollars so far.")
        self.heartbeats.tell_usage(usage_to_json(reading), at_once=True)

    def call_ended(self, report: CallReport) -> None:
        if report.status is None or report.status >= FIRST_BAD_STATUS:
            answer = "gave no answer" if report.status is None else f"was answered with {report.status}"
            self.log.say(f"A call of {report.model} {answer} after {report.total_ms} ms.")

    def gateway_failed(self, defect: str) -> None:
        self.log.say(f"A model call was cut short by a defect of the gateway: {defect}")
