"""What a run is given of the world's keys, in the moment in which its runner claims it. No value shows in a repr."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ProviderKey:
    """A key of a model provider; `base_url` where it is not reached at its own address."""

    api_key: str = field(repr=False)
    base_url: str | None = field(default=None, repr=False)
    is_own: bool = False


@dataclass(frozen=True)
class Credentials:
    """All that a run gets. `missing` names what it needs and nobody has.

    Git is never missing: a public repository needs no token.
    """

    provider: ProviderKey | None = None
    git_token: str | None = field(default=None, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    missing: tuple[str, ...] = ()
