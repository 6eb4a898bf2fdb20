"""What passes between a runner and the broker."""

from collections.abc import Sequence
from datetime import datetime

from outpost.api.runner_bodies import ARTIFACTS, CompleteBody, FileBody, ResultBody
from outpost.api.views import View
from outpost.domain.git import clone_url
from outpost.domain.report import Artifact, Report, Result
from outpost.domain.run import HEARTBEAT_SECONDS, STOP_GRACE_SECONDS, Run
from outpost.domain.run_error import RunError, code_of_report
from outpost.ports import PresignedUrl
from outpost.use_cases.claim_run import Claimed

MEBIBYTE = 1024 * 1024
LIMITS = {
    "outputBytes": 10 * MEBIBYTE,
    "patchBytes": 200 * MEBIBYTE,
    "artifactBytes": 100 * MEBIBYTE,
    "artifactCount": ARTIFACTS,
    "artifactsTotalBytes": 500 * MEBIBYTE,
}
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
            "modelId": run.model_id,
            "task": claimed.task,
            "repo": _repository_view(run, git_base_url),
        },
        "credentials": {"provider": None, "git": None},
        "limits": LIMITS,
    }


def _repository_view(run: Run, git_base_url: str) -> View | None:
    if run.repo is None:
        return None
    url = clone_url(run.repo, git_base_url)
    return {"url": url, "branch": run.branch, "mayRedirect": run.repo_may_redirect}


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


def read_report(body: CompleteBody, attempt: int, at: datetime) -> Report:
    """The runner's final report."""
    return Report(
        attempt=attempt,
        outcome=body.outcome,
        exit_code=body.exit_code,
        error=RunError.of(code_of_report(body.error.code), body.error.message) if body.error else None,
        result=_result(body.result) if body.result else None,
        reported_at=at,
    )


def _result(body: ResultBody) -> Result:
    return Result(body.summary, body.files_changed, body.insertions, body.deletions, body.base_sha, body.head_sha)
