"""What passes between a runner and the broker."""

from collections.abc import Sequence
from datetime import datetime

from outpost.api.runner_bodies import ARTIFACTS, CheckBody, CompleteBody, FileBody, ResultBody, UsageBody
from outpost.api.views import View
from outpost.domain.agents import AGENTS
from outpost.domain.credentials import Credentials
from outpost.domain.git import clone_url
from outpost.domain.report import (
    SNAPSHOT_TYPE,
    Artifact,
    CheckVerdict,
    ContextSource,
    Omission,
    Report,
    Result,
    WorkspaceEnd,
)
from outpost.domain.run import HEARTBEAT_SECONDS, STOP_GRACE_SECONDS, Run
from outpost.domain.run_error import RunError, code_of_report
from outpost.domain.usage import ModelUsage
from outpost.domain.workspace import Snapshot
from outpost.ports import PresignedUrl
from outpost.use_cases.claim_run import Claimed
from outpost.use_cases.find_start import Start

MEBIBYTE = 1024 * 1024
LIMITS = {
    "outputBytes": 10 * MEBIBYTE,
    "patchBytes": 200 * MEBIBYTE,
    "artifactBytes": 100 * MEBIBYTE,
    "artifactCount": ARTIFACTS,
    "artifactsTotalBytes": 500 * MEBIBYTE,
}
# What GitHub, and most others, take beside a token.
GIT_USERNAME = "x-access-token"
# The runner's own part of the stop timeout: what remains is for the container to end.
RUNNER_STOP_SECONDS = STOP_GRACE_SECONDS - 20


def claimed_view(claimed: Claimed, git_base_url: str) -> View:
    """All that the runner needs for the attempt."""
    run = claimed.run
    return {
        "sessionToken": claimed.session_token,
        "heartbeatSeconds": HEARTBEAT_SECONDS,
        "timeoutSeconds": run.timeout_seconds,
        "stopGraceSeconds": RUNNER_STOP_SECONDS,
        "run": {
            "runId": run.run_id,
            "agent": run.agent,
            "modelId": _model_id(run),
            "task": claimed.task,
            "repo": _repository_view(run, git_base_url),
            "context": run.context,
            "patch": _patch_view(claimed.start),
            "background": claimed.start.background,
            "check": run.check,
            "workspace": _workspace_view(run, claimed.start),
        },
        "credentials": _credentials_view(run, claimed.credentials),
        "models": _prices_view(run),
        "budget": {
            "maxCostMicrousd": run.budget_left.max_cost_microusd,
            "maxTokens": run.budget_left.max_tokens,
        },
        "limits": {**LIMITS, "workspaceBytes": run.workspace.most_bytes if run.workspace else 0},
    }


def _patch_view(start: Start) -> View | None:
    if start.patch is None or start.patch_url is None:
        return None
    return _download_view(start.patch_url, start.patch.artifact.sha256, start.patch.artifact.size_bytes)


def _workspace_view(run: Run, start: Start) -> View | None:
    if run.workspace is None:
        return None
    snapshot, url = start.snapshot, start.snapshot_url
    if snapshot is None or url is None:
        return {"snapshot": None}
    return {"snapshot": _download_view(url, snapshot.sha256, snapshot.size_bytes)}


def _download_view(url: PresignedUrl, sha256: str, size_bytes: int) -> View:
    return {"url": url.url, "sha256": sha256, "sizeBytes": size_bytes}


def _model_id(run: Run) -> str:
    """The model as its agent knows it now: its name may have retired while the run waited."""
    model = AGENTS[run.agent].model(run.model_id)
    return run.model_id if model is None else model.model_id


def _credentials_view(run: Run, found: Credentials) -> View:
    key, token = found.provider, found.git_token
    provider = {"name": AGENTS[run.agent].provider, "apiKey": key.api_key, "baseUrl": key.base_url} if key else None
    git = {"username": GIT_USERNAME, "password": token} if token else None
    return {"provider": provider, "git": git, "environment": dict(found.environment), "missing": list(found.missing)}


def _prices_view(run: Run) -> list[View]:
    """Every name by which the run's model may be asked for, with its price for a million tokens."""
    model = AGENTS[run.agent].model(run.model_id)
    if model is None or model.price is None:
        return []
    price = model.price
    return [
        {
            "name": name,
            "inputMicrousd": price.input_microusd,
            "cachedInputMicrousd": price.cached_input_microusd,
            "cacheWriteMicrousd": price.cache_write_microusd,
            "outputMicrousd": price.output_microusd,
        }
        for name in model.provider_names
    ]


def _repository_view(run: Run, git_base_url: str) -> View | None:
    if run.repo is None:
        return None
    url = clone_url(run.repo, git_base_url)
    commit = run.origin.commit if run.origin else None
    return {"url": url, "branch": run.branch, "mayRedirect": run.repo_may_redirect, "commit": commit}


def uploads_view(artifacts: Sequence[Artifact], urls: Sequence[PresignedUrl]) -> View:
    """Where each file goes, and with which headers."""
    return {
        "uploads": [
            {
                "name": artifact.name,
                "type": artifact.type,
                "method": "PUT",
                "url": url.url,
                "headers": url.headers,
            }
            for artifact, url in zip(artifacts, urls, strict=True)
        ]
    }


def read_artifact(file: FileBody, attempt: int) -> Artifact:
    """A file as the runner of the attempt describes it."""
    return Artifact(attempt, file.name, file.type, file.size_bytes, file.sha256, file.content_type)


def read_report(run_id: str, body: CompleteBody, attempt: int, at: datetime) -> Report:
    """The runner's final report."""
    return Report(
        attempt=attempt,
        outcome=body.outcome,
        exit_code=body.exit_code,
        error=RunError.of(code_of_report(body.error.code), body.error.message) if body.error else None,
        result=_result(body.result) if body.result else None,
        reported_at=at,
        usage=read_usage(body.usage),
        context_sources=tuple(
            ContextSource(source.path, source.tokens, source.is_cut) for source in body.context_sources
        ),
        check=_check(body.check) if body.check else None,
        workspace=WorkspaceEnd(**body.workspace.model_dump()) if body.workspace else None,
        snapshot=_read_snapshot(run_id, body, attempt),
        omitted=tuple(Omission(omitted.name, omitted.reason) for omitted in body.omitted),
        notices=tuple(body.notices),
    )


def _read_snapshot(run_id: str, body: CompleteBody, attempt: int) -> Snapshot | None:
    """The snapshot that was stored, with the commit that its work began with."""
    stored = next((file for file in body.uploads if file.type == SNAPSHOT_TYPE), None)
    if stored is None or body.workspace is None or not body.workspace.saved:
        return None
    base_sha = body.result.base_sha if body.result else None
    return Snapshot(run_id, attempt, stored.size_bytes, stored.sha256, base_sha)


def read_usage(body: UsageBody | None) -> ModelUsage | None:
    """The runner's reading of its gateway's meter; None where the agent has no models."""
    return None if body is None else ModelUsage(**body.model_dump())


def _check(body: CheckBody) -> CheckVerdict:
    milliseconds = round(body.seconds * 1_000)
    return CheckVerdict(body.passed, body.exit_code, body.timed_out, body.output, milliseconds)


def _result(body: ResultBody) -> Result:
    return Result(**body.model_dump())
