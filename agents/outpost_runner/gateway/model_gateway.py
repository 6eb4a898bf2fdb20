"""The model gateway of one run: start it, give its URL and dummy key to the agent, and read its meter at the end."""

import secrets
import threading
from collections.abc import Collection

from outpost_runner.gateway.admission import Admission
from outpost_runner.gateway.exchange import Desk
from outpost_runner.gateway.meter import Budget, Meter
from outpost_runner.gateway.provider import Provider
from outpost_runner.gateway.server import LOOPBACK, GatewayServer
from outpost_runner.gateway.trouble import Trouble, Troubles
from outpost_runner.gateway.upstream import Timeouts
from outpost_runner.gateway.watcher import GatewayWatcher, Reading

DUMMY_KEY_BYTES = 24
DEFAULT_TIMEOUTS = Timeouts()


class ModelGateway:
    """Serves from its making until `stop`; a context manager does both.

    `dummy_key` is worth nothing elsewhere. `budget_exceeded` is set when a call was refused or cut for the budget's
    sake: the agent cannot go on. An answer that ends between the budget and its margin of a tenth sets nothing, so that
    an agent whose last answer it was can end well.
    """

    def __init__(
        self,
        provider: Provider,
        models: Collection[str],
        budget: Budget,
        watcher: GatewayWatcher,
        *,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self.dummy_key = f"sk-run-{secrets.token_hex(DUMMY_KEY_BYTES)}"
        self._meter = Meter(budget, watcher)
        self._troubles = Troubles(provider.name)
        admission = Admission(provider, frozenset(models), self.dummy_key)
        self._server = GatewayServer(Desk(admission, self._meter, self._troubles, watcher), timeouts)

    def __enter__(self) -> "ModelGateway":
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """What to give to the agent in place of the provider's base URL, without a path."""
        return f"http://{LOOPBACK}:{self._server.port}"

    @property
    def budget_exceeded(self) -> threading.Event:
        return self._meter.exceeded

    @property
    def reading(self) -> Reading:
        """What the calls come to, those under way by now; final after `stop`."""
        return self._meter.reading()

    @property
    def trouble(self) -> Trouble | None:
        """What is wrong with the provider, unless a later call succeeded."""
        return self._troubles.standing

    def stop(self) -> None:
        """End all connections at once; a second time does nothing."""
        self._server.close()
