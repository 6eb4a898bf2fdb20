"""Every route of the API: its method, path, the scope that it needs, and the function that answers it."""

from dataclasses import dataclass

from outpost.domain.api_key import Scope


@dataclass(frozen=True)
class Route:
    """One route.

    Without a scope it needs no API key, unless any key will do (`any_key`). Where the key `is_proved_later`, the
    transaction of the deed itself refuses one that is no longer valid. A route `for_browsers` takes a token in the
    query too, and answers pages of any origin.
    """

    method: str
    path: str
    function: str
    scope: Scope | None = None
    any_key: bool = False
    is_proved_later: bool = False
    for_browsers: bool = False

    @property
    def needs_key(self) -> bool:
        """Whether a caller has to say who it is."""
        return self.any_key or self.scope is not None


ROUTES = (
    Route("POST", "/dispatch", "dispatch", Scope.DISPATCH, is_proved_later=True),
    Route("DELETE", "/dispatch/{id}", "dispatch", Scope.CANCEL),
    Route("POST", "/runs/{id}/cancel", "dispatch", Scope.CANCEL),
    Route("POST", "/runs/{id}/rerun", "dispatch", Scope.DISPATCH, is_proved_later=True),
    Route("POST", "/runs/{id}/follow-up", "dispatch", Scope.DISPATCH, is_proved_later=True),
    Route("POST", "/runs/{id}/promote", "dispatch", Scope.PROMOTE),
    Route("POST", "/batches", "dispatch", Scope.DISPATCH, is_proved_later=True),
    Route("POST", "/batches/{id}/promote", "dispatch", Scope.PROMOTE),
    Route("GET", "/runs", "read", Scope.STATUS),
    Route("GET", "/runs/{id}", "read", Scope.STATUS),
    Route("GET", "/runs/{id}/logs", "read", Scope.STATUS),
    Route("GET", "/runs/{id}/events", "read", Scope.STATUS, for_browsers=True),
    Route("GET", "/runs/{id}/patch", "read", Scope.STATUS),
    Route("GET", "/runs/{id}/artifacts", "read", Scope.STATUS),
    Route("GET", "/runs/{id}/explain", "read", Scope.STATUS),
    Route("GET", "/runs/{id}/promotion", "read", Scope.STATUS),
    Route("GET", "/batches/{id}", "read", Scope.STATUS),
    Route("GET", "/workspaces", "read", Scope.STATUS),
    Route("GET", "/workspaces/{id}", "read", Scope.STATUS),
    Route("DELETE", "/workspaces/{id}", "account", Scope.DELETE),
    Route("GET", "/dispatch/{id}", "read", Scope.STATUS),
    Route("GET", "/artifacts/{id}", "read", Scope.STATUS),
    Route("GET", "/fleet", "read", Scope.STATUS),
    Route("POST", "/auth/token", "account", any_key=True),
    Route("GET", "/auth/whoami", "read", any_key=True),
    Route("GET", "/keys", "read", Scope.KEYS),
    Route("POST", "/keys", "account", Scope.KEYS),
    Route("GET", "/keys/{id}", "read", Scope.KEYS),
    Route("DELETE", "/keys/{id}", "account", Scope.KEYS),
    Route("POST", "/keys/{id}/rotate", "account", Scope.KEYS),
    Route("GET", "/secrets", "read", Scope.SECRETS),
    Route("PUT", "/secrets/{name}", "account", Scope.SECRETS),
    Route("DELETE", "/secrets/{name}", "account", Scope.SECRETS),
    Route("GET", "/kill-switch", "read", Scope.ADMIN),
    Route("PUT", "/kill-switch", "account", Scope.ADMIN),
    Route("DELETE", "/kill-switch", "account", Scope.ADMIN),
    Route("POST", "/runner/claim", "broker"),
    Route("POST", "/runner/heartbeat", "broker"),
    Route("POST", "/runner/uploads", "broker"),
    Route("POST", "/runner/complete", "broker"),
    Route("POST", "/promotion/claim", "broker"),
    Route("POST", "/promotion/complete", "broker"),
    Route("GET", "/", "health"),
    Route("GET", "/health", "health"),
    Route("GET", "/health/live", "health"),
    Route("GET", "/health/ready", "health"),
    Route("GET", "/health/fleet", "health"),
    Route("GET", "/version", "health"),
    Route("GET", "/openapi.json", "health"),
)


def find_route(method: str, path: str) -> Route:
    """The route; a function that answers one that is not in the table does not start. Raises LookupError."""
    for route in ROUTES:
        if (route.method, route.path) == (method, path):
            return route
    raise LookupError(f"{method} {path} is not in the table of routes")


def methods_of(path: str) -> tuple[str, ...]:
    """The methods that a path of the table has, none if there is no such path."""
    return tuple(route.method for route in ROUTES if route.path == path)
