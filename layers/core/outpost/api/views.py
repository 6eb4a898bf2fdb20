"""What callers see: camelCase, times in RFC 3339 with milliseconds, null for what is absent, no ARN."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from outpost.api.times import time_text
from outpost.domain.event import Event
from outpost.domain.explain import Explanation
from outpost.domain.money import usd
from outpost.domain.report import Artifact, Phase, Report, Result
from outpost.domain.run import Run
from outpost.domain.run_error import RunError
from outpost.domain.usage import ModelBudget, ModelUsage
from outpost.ports import LogLine, PresignedUrl

View = Mapping[str, object]

PREVIEW_CHARACTERS = 1_000
MILLISECONDS = 1_000


def run_view(
    run: Run, now: datetime, task: str | None = None, *, queue: Sequence[str] = (), promotion: View | None = None
) -> View:
    """A run; `task` is its whole text, else only the beginning is shown; `queue` are its tenant's waiting runs."""
    preview = run.task[:PREVIEW_CHARACTERS]
    return {
        "runId": run.run_id,
        "dispatchId": run.run_id,
        "status": run.status,
        "agent": run.agent,
        "modelId": run.model_id,
        "task": preview if task is None else task,
        "taskTruncated": task is None and (run.task_in_bucket or preview != run.task),
        "repo": run.repo,
        "branch": run.branch,
        "context": run.context,
        "contextSources": [
            {"path": source.path, "tokens": source.tokens, "isCut": source.is_cut} for source in run.context_sources
        ],
        "resources": {
            "cpuUnits": run.size.cpu_units,
            "memoryMb": run.size.memory_mb,
            "diskGb": run.size.disk_gb,
        },
        "budget": _budget_view(run.budget),
        "secrets": list(run.secrets),
        "tags": run.tags,
        "priority": run.priority,
        "timeoutSeconds": run.timeout_seconds,
        "queueTimeoutSeconds": run.queue_timeout_seconds,
        "queuePosition": queue_position(run, queue),
        "requestedBy": run.requested_by,
        "createdAt": time_text(run.created_at),
        "startedAt": time_text(run.started_at),
        "endedAt": time_text(run.ended_at),
        "cancelRequestedAt": time_text(run.cancel_requested_at),
        "computeStoppedAt": time_text(run.compute_stopped_at),
        "billedAfterCancelSeconds": _billed_after_cancel(run),
        "attempt": run.attempt,
        "attempts": _attempts_view(run),
        "progress": None if run.status.is_terminal else _progress_view(run),
        "exitCode": run.exit_code,
        "error": error_view(run.error),
        "usage": _usage_view(run, now),
        "result": _result_view(run.result),
        "workspaceMode": "ephemeral" if run.workspace is None else "persistent",
        "workspaceId": run.workspace.workspace_id if run.workspace else None,
        "workspace": _workspace_end_view(run.report),
        "parentRunId": run.origin.parent_run_id if run.origin else None,
        "parentKind": run.origin.kind if run.origin else None,
        "batchId": run.batch_id,
        "check": _check_view(run),
        "notices": list(run.report.notices) if run.report else [],
        "omitted": [{"name": each.name, "reason": each.reason} for each in run.report.omitted] if run.report else [],
        "promotion": promotion,
    }


def queue_position(run: Run, queue: Sequence[str]) -> int | None:
    """The run's place among those of its tenant that wait, from 1; None where it does not wait."""
    return queue.index(run.run_id) + 1 if run.is_queued and run.run_id in queue else None


def dispatched_view(run: Run, queue: Sequence[str]) -> View:
    """The answer to a dispatch; a place in the queue only where the run waits."""
    position = {"queuePosition": queue_position(run, queue)} if run.is_queued else {}
    return {
        **position,
        "runId": run.run_id,
        "dispatchId": run.run_id,
        "status": run.status,
        "agent": run.agent,
        "modelId": run.model_id,
        "createdAt": time_text(run.created_at),
    }


def cancelled_view(run: Run) -> View:
    """The answer to a cancel."""
    return {
        "runId": run.run_id,
        "dispatchId": run.run_id,
        "status": run.status,
        "cancelRequestedAt": time_text(run.cancel_requested_at),
        "reason": run.cancel_reason,
    }


def artifact_view(artifact: Artifact, url: PresignedUrl) -> View:
    """A stored file and where to fetch it."""
    return {
        "name": artifact.name,
        "type": artifact.type,
        "sizeBytes": artifact.size_bytes,
        "sha256": artifact.sha256,
        "contentType": artifact.content_type,
        "url": url.url,
        "expiresAt": time_text(url.expires_at),
    }


def explanation_view(run: Run, explanation: Explanation, lines: Sequence[LogLine]) -> View:
    """Why a run is where it is."""
    return {
        "runId": run.run_id,
        "status": run.status,
        "summary": explanation.summary,
        "waitsFor": explanation.waits_for,
        "causes": [{"at": time_text(cause.at), "message": cause.message} for cause in explanation.causes],
        "error": error_view(run.error),
        "remedy": explanation.remedy,
        "retryable": explanation.retryable,
        "attempts": _attempts_view(run),
        **lines_view(lines),
    }


def patch_view(run: Run, patch: Artifact, url: PresignedUrl) -> View:
    """A patch's statistics and where to fetch it."""
    result = run.result
    return {
        **artifact_view(patch, url),
        "filesChanged": result.files_changed if result else None,
        "insertions": result.insertions if result else None,
        "deletions": result.deletions if result else None,
        "baseSha": result.base_sha if result else None,
    }


def event_view(event: Event) -> View:
    """One fact of a run's timeline."""
    details = {name: value for name, value in event.details.items() if name != "attempt"}
    return {
        "eventId": event.event_id,
        "type": event.type,
        "at": time_text(event.at),
        "attempt": int(event.details.get("attempt", "1")),
        "details": details,
    }


def lines_view(lines: Sequence[LogLine]) -> View:
    """Lines of output."""
    return {
        "lines": [
            {"timestamp": time_text(line.timestamp), "stream": line.stream, "message": line.message} for line in lines
        ]
    }


def _billed_after_cancel(run: Run) -> float | None:
    """The seconds for which the compute went on after its cancel was asked for."""
    if run.cancel_requested_at is None or run.compute_stopped_at is None:
        return None
    return max(0.0, round((run.compute_stopped_at - run.cancel_requested_at).total_seconds(), 3))


def _attempts_view(run: Run) -> list[View]:
    """Every attempt, the lost ones with why they were lost."""
    lost = [(a.attempt, a.started_at, a.ended_at, a.error, a.usage) for a in run.lost_attempts]
    current = (run.attempt, run.started_at, run.ended_at, run.error, run.usage)
    return [
        {
            "attempt": number,
            "startedAt": time_text(started_at),
            "endedAt": time_text(ended_at),
            "error": error_view(error),
            "usage": None if usage is None else _model_usage_view(usage),
        }
        for number, started_at, ended_at, error, usage in [*lost, current]
    ]


def _budget_view(budget: ModelBudget) -> View:
    most = budget.max_cost_microusd
    return {"maxCostUsd": None if most is None else usd(most), "maxTokens": budget.max_tokens}


def _usage_view(run: Run, now: datetime) -> View | None:
    """What the run has used and cost; an estimate until it has ended, and nothing before a runner took it."""
    if run.started_at is None:
        return None
    compute, models = run.compute_cost_microusd(now), run.model_cost_microusd
    return {
        **_model_usage_view(run.charged_usage),
        "modelCostUsd": usd(models),
        "computeCostUsd": usd(compute),
        "totalCostUsd": usd(run.cost_microusd(now)),
        "priceVersion": run.price_version,
        "isEstimate": not run.status.is_terminal,
    }


def _model_usage_view(usage: ModelUsage) -> View:
    """Tokens and calls, as the providers counted them."""
    return {
        "inputTokens": usage.input_tokens,
        "cachedInputTokens": usage.cached_input_tokens,
        "cacheWriteTokens": usage.cache_write_tokens,
        "outputTokens": usage.output_tokens,
        "modelCalls": usage.calls,
        "modelRetries": usage.retries,
        "estimatedCalls": usage.estimated_calls,
    }


def _progress_view(run: Run) -> View:
    """Where a living run is; before a runner says so, its status does."""
    progress = run.progress
    if run.is_queued:
        return {"phase": "queued", "message": None, "updatedAt": time_text(run.status_since)}
    if progress is None or progress.phase is Phase.CLAIMED:
        return {"phase": "starting", "message": None, "updatedAt": time_text(run.status_since)}
    return {"phase": progress.phase, "message": progress.message, "updatedAt": time_text(progress.updated_at)}


def _check_view(run: Run) -> View | None:
    if run.check is None:
        return None
    verdict = run.report.check if run.report else None
    return {
        "command": run.check,
        "passed": verdict.passed if verdict else None,
        "exitCode": verdict.exit_code if verdict else None,
        "timedOut": verdict.timed_out if verdict else None,
        "output": verdict.output if verdict else None,
        "seconds": verdict.milliseconds / MILLISECONDS if verdict else None,
    }


def _workspace_end_view(report: Report | None) -> View | None:
    end = report.workspace if report else None
    return None if end is None else {"restored": end.restored, "saved": end.saved, "reason": end.reason}


def error_view(error: RunError | None) -> View | None:
    if error is None:
        return None
    return {"code": error.code, "message": error.message, "remedy": error.remedy, "retryable": error.retryable}


def _result_view(result: Result | None) -> View | None:
    if result is None:
        return None
    return {
        "summary": result.summary,
        "filesChanged": result.files_changed,
        "insertions": result.insertions,
        "deletions": result.deletions,
        "renames": result.renames,
        "baseSha": result.base_sha,
        "headSha": result.head_sha,
    }
