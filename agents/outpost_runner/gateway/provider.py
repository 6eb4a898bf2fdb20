"""The description of the one provider that a gateway speaks to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from outpost_runner.gateway.protocols import ModelProtocol
from outpost_runner.gateway.usage import Price

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
MODEL_PATTERN = r"(?P<model>[A-Za-z0-9][A-Za-z0-9._-]*)"


class ProviderMisdescribed(ValueError):
    """The description contradicts itself or is not safe to use; the message never holds the key."""


class KeyHeader(StrEnum):
    """How a provider wants its key."""

    X_API_KEY = "x-api-key"
    BEARER = "authorization"
    X_GOOG_API_KEY = "x-goog-api-key"

    def value_for(self, api_key: str) -> str:
        return f"Bearer {api_key}" if self is KeyHeader.BEARER else api_key


@dataclass(frozen=True)
class Route:
    """A method and a path that are let through; `{model}` in the path stands for a model's name.

    A call that is not counted costs nothing at the provider: a count of tokens, a list of models.
    """

    method: str
    path: str
    protocol: ModelProtocol
    is_counted: bool = True

    def match(self, path: str) -> re.Match[str] | None:
        return re.fullmatch(re.escape(self.path).replace(re.escape("{model}"), MODEL_PATTERN), path)


@dataclass(frozen=True)
class Provider:
    """`base_url` is what stands before a route's path; plain HTTP is for loopback only. Raises ProviderMisdescribed."""

    name: str
    base_url: str
    key_header: KeyHeader
    api_key: str = field(repr=False)
    routes: tuple[Route, ...]
    prices: Mapping[str, Price]

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS):
            raise ProviderMisdescribed(f"{self.name} is not reached by HTTPS.")
        if not parts.hostname or parts.username or parts.query or parts.fragment:
            raise ProviderMisdescribed(f"The address of {self.name} is not a host and a path.")
        if not re.fullmatch(r"[!-~]{8,}", self.api_key):
            raise ProviderMisdescribed(f"The key of {self.name} cannot be sent in a header.")
        if not self.routes:
            raise ProviderMisdescribed(f"{self.name} has no routes.")

    def protocol_for(self, path: str) -> ModelProtocol:
        """The one that the path belongs to, whatever the method; the first one where it belongs to none."""
        return next((route.protocol for route in self.routes if route.match(path)), self.routes[0].protocol)

    def find_route(self, method: str, path: str) -> tuple[Route, str | None] | None:
        """The route, and the model that the path names."""
        for route in self.routes:
            found = route.match(path)
            if found is not None and route.method == method:
                return route, found.groupdict().get("model")
        return None
