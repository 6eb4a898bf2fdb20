"""The runner's settings, read from its environment once."""

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_CLONE_STALL_SECONDS = 30
DEFAULT_CLAIM_PATIENCE_SECONDS = 60


class SettingMissing(Exception):
    """A variable that the runner cannot work without is absent or empty."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The environment variable {name} is missing.")


@dataclass(frozen=True)
class Settings:
    run_id: str
    tenant_id: str
    attempt: str
    api_url: str
    bootstrap_token: str = field(repr=False)
    metadata_url: str | None
    agent_user: str | None
    task_root: Path | None
    clone_stall_seconds: int
    claim_patience_seconds: int

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str]) -> "Settings":
        """Take the settings out of `environment`; the bootstrap token is removed from it.

        The kernel's copy of the first environment (/proc/self/environ) keeps it; it is worthless once claimed.
        """
        task_root = environment.get("OUTPOST_TASK_ROOT")
        token = _require(environment, "BOOTSTRAP_TOKEN")
        del environment["BOOTSTRAP_TOKEN"]
        return cls(
            run_id=_require(environment, "RUN_ID"),
            tenant_id=_require(environment, "TENANT_ID"),
            attempt=_require(environment, "ATTEMPT"),
            api_url=_require(environment, "API_URL").rstrip("/"),
            bootstrap_token=token,
            metadata_url=environment.get("ECS_CONTAINER_METADATA_URI_V4") or None,
            agent_user=environment.get("AGENT_USER") or None,
            task_root=Path(task_root).absolute() if task_root else None,
            clone_stall_seconds=_read_seconds(environment, "OUTPOST_CLONE_STALL_SECONDS", DEFAULT_CLONE_STALL_SECONDS),
            claim_patience_seconds=_read_seconds(
                environment, "OUTPOST_CLAIM_PATIENCE_SECONDS", DEFAULT_CLAIM_PATIENCE_SECONDS
            ),
        )


def _require(environment: MutableMapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise SettingMissing(name)
    return value


def _read_seconds(environment: MutableMapping[str, str], name: str, default: int) -> int:
    value = environment.get(name, "")
    return int(value) if value.isdecimal() else default
