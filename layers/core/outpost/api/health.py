"""The answers that need no key: life, readiness, release."""

from outpost.api.application import Reply
from outpost.api.fleet import fleet_is_healthy, fleet_view
from outpost.ports import ComponentState
from outpost.wiring import Wiring


class Health:
    """Bare JSON about this deployment; `uptime` counts the seconds of this function's environment."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._started_at = wiring.clock.now()

    def root(self) -> Reply:
        """What answers here, and where to look next."""
        settings = self._wiring.settings
        return Reply(
            {"name": "outpost", "version": settings.version, "health": "/health", "dispatch": "/dispatch"}, is_bare=True
        )

    def overall(self) -> Reply:
        """The worst state of the components, and each of them."""
        components = self._wiring.components.states()
        uptime = (self._wiring.clock.now() - self._started_at).total_seconds()
        return Reply(
            {
                "status": _worst(components),
                "version": self._wiring.settings.version,
                "environment": self._wiring.settings.environment,
                "uptime": round(uptime, 3),
                "components": components,
            },
            is_bare=True,
        )

    def live(self) -> Reply:
        """Life itself: no call to anything."""
        return Reply({"status": "ok"}, is_bare=True)

    def ready(self) -> Reply:
        """200 where every component is there, 503 where one is down."""
        components = self._wiring.components.states()
        status = _worst(components)
        is_down = status is ComponentState.DOWN
        headers = {"Retry-After": "10"} if is_down else {}
        return Reply(
            {"status": status, "components": components}, status=503 if is_down else 200, headers=headers, is_bare=True
        )

    def fleet(self) -> Reply:
        """Whether agents can be launched, and which; one that fails too often is not."""
        now, deployment = self._wiring.clock.now(), self._wiring.watched_deployment.get()
        is_up = _worst(self._wiring.components.states()) is not ComponentState.DOWN
        is_healthy = is_up and fleet_is_healthy(deployment, now)
        return Reply(fleet_view(deployment, now), beside_data={"healthy": is_healthy})

    def version(self) -> Reply:
        """The release, its commit and its build."""
        settings = self._wiring.settings
        return Reply(
            {"version": settings.version, "gitSha": settings.git_sha, "buildTime": settings.build_time}, is_bare=True
        )


def _worst(components: dict[str, ComponentState]) -> ComponentState:
    found = set(components.values())
    return next(state for state in (ComponentState.DOWN, ComponentState.DEGRADED, ComponentState.OK) if state in found)
