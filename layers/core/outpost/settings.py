"""What a function is told by its environment, read once; a missing variable fails at start by its name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

GITHUB = "https://github.com"
GITHUB_API = "https://api.github.com"


class SettingMissing(Exception):
    """The template does not set a variable that the code needs."""


@dataclass(frozen=True)
class Settings:
    """The environment of every function: each field is the variable of the same name in capitals."""

    environment: str
    version: str
    git_sha: str
    build_time: str
    api_url: str
    git_base_url: str
    jobs_table: str
    api_keys_table: str
    tenants_table: str
    audit_table: str
    workspaces_table: str
    artifacts_bucket: str
    signing_key_secret: str
    cluster_arn: str
    state_machine_arn: str
    promotion_machine_arn: str
    git_api_url: str
    agent_log_group_prefix: str
    concurrent_runs: int
    queued_runs: int
    deployment_runs: int
    longest_timeout_seconds: int
    run_budget_usd: float
    trial_days: int
    trial_dispatches: int
    trial_agent_minutes: int
    trial_workspaces: int
    requests_per_minute: int

    @property
    def github_api_url(self) -> str:
        """The REST API of the GitHub that repositories lie on, empty where they lie elsewhere.

        What an operator does not say is known of github.com alone: no token is shown to a host that it is not for.
        """
        return self.git_api_url or (GITHUB_API if self.git_base_url == GITHUB else "")

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> Self:
        """The settings of this process. Raises SettingMissing."""
        try:
            values = {
                name: field.type(variables[name.upper()])  # type: ignore[operator] # str or int
                for name, field in cls.__dataclass_fields__.items()
            }
        except KeyError as error:
            raise SettingMissing(f"the environment variable {error.args[0]} is not set") from error
        return cls(**values)
