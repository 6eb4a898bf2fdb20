"""What a claim hands to the runner: the run, its limits and its credentials."""

from dataclasses import dataclass, field

from outpost_runner.json_fields import JsonObject


@dataclass(frozen=True)
class Repository:
    url: str
    branch: str | None
    # Where rules say which repositories may be worked on, another address must not stand for one of them.
    may_redirect: bool = True


@dataclass(frozen=True)
class ProviderCredential:
    name: str
    api_key: str = field(repr=False)


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


@dataclass(frozen=True)
class ClaimedRun:
    run_id: str
    agent: str
    model_id: str
    task: str
    repository: Repository | None


@dataclass(frozen=True)
class Claim:
    session_token: str = field(repr=False)
    heartbeat_seconds: int
    timeout_seconds: int
    stop_grace_seconds: int
    run: ClaimedRun
    provider: ProviderCredential | None
    git: GitCredential | None
    limits: Limits

    def secrets(self) -> list[str]:
        """Every text that must never be shown."""
        found = [self.session_token]
        if self.provider is not None:
            found.append(self.provider.api_key)
        if self.git is not None:
            found.append(self.git.password)
        return found


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
        provider=None if provider is None else ProviderCredential(provider.text("name"), provider.text("apiKey")),
        git=None if git is None else GitCredential(git.text("username"), git.text("password")),
        limits=_read_limits(data.object("limits")),
    )


def _read_run(run: JsonObject) -> ClaimedRun:
    repository = run.optional_object("repo")
    return ClaimedRun(
        run_id=run.text("runId"),
        agent=run.text("agent"),
        model_id=run.text("modelId"),
        task=run.text("task"),
        repository=None
        if repository is None
        else Repository(
            repository.text("url"),
            repository.optional_text("branch"),
            may_redirect=repository.truth("mayRedirect", default=True),
        ),
    )


def _read_limits(limits: JsonObject) -> Limits:
    return Limits(
        output_bytes=limits.integer("outputBytes"),
        patch_bytes=limits.integer("patchBytes"),
        artifact_bytes=limits.integer("artifactBytes"),
        artifact_count=limits.integer("artifactCount"),
        artifacts_total_bytes=limits.integer("artifactsTotalBytes"),
    )
