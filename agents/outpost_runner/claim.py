"""What a claim hands to the runner: the run, its limits and its credentials."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from outpost_runner.context_level import ContextLevel
from outpost_runner.gateway.meter import Budget
from outpost_runner.gateway.usage import Price
from outpost_runner.json_fields import JsonObject, MalformedJson

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Repository:
    """`commit` is the one to begin with, wherever the branch is now; None is the branch's newest."""

    url: str
    branch: str | None
    # Where rules say which repositories may be worked on, another address must not stand for one of them.
    may_redirect: bool = True
    commit: str | None = None


@dataclass(frozen=True)
class StoredFile:
    """A file of an earlier run, at an address that whoever knows it may read."""

    url: str = field(repr=False)
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class KeptWorkspace:
    """The working tree outlives the run; `snapshot` is what an earlier run left of it, if one did."""

    snapshot: StoredFile | None


@dataclass(frozen=True)
class ProviderCredential:
    """`base_url` is where the provider is, when that is not its own public address."""

    name: str
    api_key: str = field(repr=False)
    base_url: str | None = None


@dataclass(frozen=True)
class GitCredential:
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Limits:
    output_bytes: int
    patch_bytes: int
    artifact_bytes: int
    artifact_count: int
    artifacts_total_bytes: int
    # Of the packed snapshot of a kept workspace.
    workspace_bytes: int


@dataclass(frozen=True)
class ClaimedRun:
    """`patch` is an earlier run's work to go on from, `background` what that run said of it; `check` is a command."""

    run_id: str
    agent: str
    model_id: str
    task: str
    repository: Repository | None
    context: ContextLevel
    patch: StoredFile | None
    background: str | None
    check: str | None
    workspace: KeptWorkspace | None


@dataclass(frozen=True)
class Claim:
    session_token: str = field(repr=False)
    heartbeat_seconds: int
    timeout_seconds: int
    stop_grace_seconds: int
    run: ClaimedRun
    provider: ProviderCredential | None
    git: GitCredential | None
    environment: Mapping[str, str] = field(repr=False)
    missing_secrets: Sequence[str]
    prices: Mapping[str, Price]
    budget: Budget
    limits: Limits

    def secrets(self) -> list[str]:
        """Every text that must never be shown."""
        found = [self.session_token]
        if self.provider is not None:
            found.append(self.provider.api_key)
        if self.git is not None:
            found.append(self.git.password)
        return [*found, *self.environment.values()]


def read_claim(data: JsonObject) -> Claim:
    """The claim in the broker's answer; raises MalformedJson."""
    credentials = data.object("credentials")
    provider = credentials.optional_object("provider")
    git = credentials.optional_object("git")
    return Claim(
        session_token=data.text("sessionToken"),
        heartbeat_seconds=data.integer("heartbeatSeconds"),
        timeout_seconds=data.integer("timeoutSeconds"),
        stop_grace_seconds=data.integer("stopGraceSeconds"),
        run=_read_run(data.object("run")),
        provider=None if provider is None else _read_provider(provider),
        git=None if git is None else GitCredential(git.text("username"), git.text("password")),
        environment=credentials.object("environment").texts(),
        missing_secrets=credentials.text_list("missing"),
        prices={model.text("name"): _read_price(model) for model in data.objects("models")},
        budget=_read_budget(data.object("budget")),
        limits=_read_limits(data.object("limits")),
    )


def _read_provider(provider: JsonObject) -> ProviderCredential:
    return ProviderCredential(provider.text("name"), provider.text("apiKey"), provider.optional_text("baseUrl"))


def _read_price(model: JsonObject) -> Price:
    return Price(
        model.integer("inputMicrousd"),
        model.integer("cachedInputMicrousd"),
        model.integer("cacheWriteMicrousd"),
        model.integer("outputMicrousd"),
    )


def _read_budget(budget: JsonObject) -> Budget:
    return Budget(budget.optional_integer("maxCostMicrousd"), budget.optional_integer("maxTokens"))


def _read_run(run: JsonObject) -> ClaimedRun:
    repository = run.optional_object("repo")
    patch = run.optional_object("patch")
    workspace = run.optional_object("workspace")
    return ClaimedRun(
        run_id=run.text("runId"),
        agent=run.text("agent"),
        model_id=run.text("modelId"),
        task=run.text("task"),
        repository=None if repository is None else _read_repository(repository),
        context=_read_level(run.text("context")),
        patch=None if patch is None else read_stored_file(patch),
        background=run.optional_text("background"),
        check=run.optional_text("check"),
        workspace=None if workspace is None else _read_workspace(workspace),
    )


def _read_repository(repository: JsonObject) -> Repository:
    commit = repository.optional_text("commit")
    if commit is not None and COMMIT.fullmatch(commit) is None:
        raise MalformedJson("claim.run.repo.commit is no commit.")
    return Repository(
        repository.text("url"),
        repository.optional_text("branch"),
        repository.truth("mayRedirect", default=True),
        commit,
    )


def _read_workspace(workspace: JsonObject) -> KeptWorkspace:
    snapshot = workspace.optional_object("snapshot")
    return KeptWorkspace(None if snapshot is None else read_stored_file(snapshot))


def read_stored_file(file: JsonObject) -> StoredFile:
    sha256 = file.text("sha256")
    if SHA256.fullmatch(sha256) is None:
        raise MalformedJson("The claim's sha256 of a file is none.")
    return StoredFile(file.text("url"), sha256, file.integer("sizeBytes"))


def _read_level(text: str) -> ContextLevel:
    try:
        return ContextLevel(text)
    except ValueError as error:
        raise MalformedJson("claim.run.context is not a level.") from error


def _read_limits(limits: JsonObject) -> Limits:
    return Limits(
        output_bytes=limits.integer("outputBytes"),
        patch_bytes=limits.integer("patchBytes"),
        artifact_bytes=limits.integer("artifactBytes"),
        artifact_count=limits.integer("artifactCount"),
        artifacts_total_bytes=limits.integer("artifactsTotalBytes"),
        workspace_bytes=limits.optional_integer("workspaceBytes") or 0,
    )
