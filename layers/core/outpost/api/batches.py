"""Batches: from one body to several dispatches, and their runs side by side."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from outpost.api.application import Reply
from outpost.api.bodies import BatchHeadBody, DispatchBody, PromoteBatchBody
from outpost.api.dispatch import dispatch_with, read_dispatch
from outpost.api.errors import answer_for
from outpost.api.parsing import parse_json
from outpost.api.promotions import promote_with, promotion_view
from outpost.api.request import Request
from outpost.api.times import time_text
from outpost.api.views import View, error_view
from outpost.domain.api_key import Caller
from outpost.domain.batch import BatchEntry
from outpost.domain.errors import FieldError, InputInvalid, Refusal
from outpost.domain.money import microusd, usd
from outpost.domain.promotion import Promotion
from outpost.domain.run import Run
from outpost.use_cases.cancel_run import cancel_run
from outpost.use_cases.dispatch_batch import DispatchedBatch, Entered, dispatch_batch
from outpost.use_cases.dispatch_run import Dispatch
from outpost.use_cases.promote_batch import promote_batch, require_batch
from outpost.use_cases.promote_run import require_promotable
from outpost.wiring import Wiring

_HEAD = ("agents", "sharedBudget")
_OF_ONE_AGENT = ("agent", "modelId")
_NOT_OF_A_BATCH = (*_OF_ONE_AGENT, "workspaceId", "promote")


def batch_reply(request: Request, wiring: Wiring) -> Reply:
    """A run for each agent. Raises InputInvalid, and for the first what a dispatch does."""
    dispatches = _read_dispatches(request, wiring.settings.git_base_url)
    now = wiring.clock.now()
    made = dispatch_batch(
        request.caller.tenant_id,
        wiring.identifiers.new(now),
        dispatches,
        now,
        dispatch_one=lambda dispatch: dispatch_with(request, dispatch, wiring),
        describe=lambda refusal: _describe(refusal, now),
        batches=wiring.batches,
    )
    headers = {"Location": f"{request.api_url}/batches/{made.batch.batch_id}"}
    if made.is_replay:
        return Reply(_made_view(made), headers={**headers, "Idempotent-Replay": "true"})
    return Reply(_made_view(made), status=201, headers=headers)


def show_batch_reply(caller: Caller, batch_id: str, wiring: Wiring) -> Reply:
    """The runs of a batch, to be compared. Raises BatchNotFound."""
    batch = require_batch(caller.tenant_id, batch_id, batches=wiring.batches)
    return Reply(
        {
            "batchId": batch.batch_id,
            "createdAt": time_text(batch.created_at),
            "task": batch.task,
            "promotedRunId": batch.promoted_run_id,
            "runs": [_row(caller.tenant_id, entry, wiring) for entry in batch.entries],
        }
    )


def promote_batch_reply(request: Request, body: PromoteBatchBody, wiring: Wiring) -> Reply:
    """One run on its way to a pull request, the others on theirs to a stop. Raises what `promote_batch` does."""
    tenant_id = request.caller.tenant_id
    done = promote_batch(
        tenant_id,
        request.id,
        body.run_id,
        require=lambda run_id: require_promotable(
            request.caller,
            request.tenant,
            run_id,
            body.wish(),
            git_base_url=wiring.settings.git_base_url,
            runs=wiring.runs,
            deployments=wiring.deployments,
            clock=wiring.clock,
        ),
        promote=lambda run_id: promote_with(request, run_id, body.wish(), wiring),
        cancel=lambda run_id, reason: cancel_run(
            tenant_id,
            run_id,
            reason,
            runs=wiring.runs,
            executions=wiring.executions,
            clock=wiring.clock,
            identifiers=wiring.identifiers,
        ),
        batches=wiring.batches,
    )
    data = {
        "batchId": done.batch.batch_id,
        "promotion": promotion_view(done.promotion),
        "cancelled": list(done.cancelled),
    }
    return Reply(data, status=202)


def _read_dispatches(request: Request, git_base_url: str) -> list[Dispatch]:
    fields = request.fields()
    wrong = [FieldError(name, "is not for a batch") for name in _NOT_OF_A_BATCH if name in fields]
    if wrong:
        raise InputInvalid(tuple(wrong))
    head = parse_json(BatchHeadBody, json.dumps({name: fields[name] for name in _HEAD if name in fields}))
    common = {name: value for name, value in fields.items() if name not in _HEAD} | _share(head, fields)
    asked = [{**common, "agent": one.agent, "modelId": one.model_id} for one in head.agents]
    bodies = _parse_each(asked)
    # Whoever uses a key again asks for the whole batch again, or for something else.
    whole = hashlib.sha256("".join(body.sha256() for body in bodies).encode()).hexdigest()
    found = []
    for number, body in enumerate(bodies):
        dispatch = replace(read_dispatch(request, body, git_base_url), body_sha256=body.sha256(batch=whole))
        key = dispatch.idempotency_key
        found.append(replace(dispatch, idempotency_key=None if key is None else f"{key}/{number}"))
    return found


def _parse_each(asked: Sequence[Mapping[str, object]]) -> list[DispatchBody]:
    """A body for each agent. Raises InputInvalid with every wrong field, once where all agents share it."""
    bodies: list[DispatchBody] = []
    wrong: dict[FieldError, None] = {}
    for number, each in enumerate(asked):
        try:
            bodies.append(parse_json(DispatchBody, json.dumps(each)))
        except InputInvalid as refusal:
            wrong |= dict.fromkeys(_placed(error, number) for error in refusal.errors)
    if wrong:
        raise InputInvalid(tuple(wrong))
    return bodies


def _placed(error: FieldError, number: int) -> FieldError:
    """The error at the place that the batch's own body has for it."""
    is_of_one = error.path.partition(".")[0] in _OF_ONE_AGENT
    return replace(error, path=f"agents.{number}.{error.path}") if is_of_one else error


def _share(head: BatchHeadBody, fields: Mapping[str, object]) -> dict[str, object]:
    """An equal part of the shared budget for each, so that all together cannot use more."""
    cost, tokens = head.shared_budget.max_cost_usd, head.shared_budget.max_tokens
    if cost is None and tokens is None:
        return {}
    if "budget" in fields:
        raise InputInvalid((FieldError("sharedBudget", "does not go with budget, which is each run's own"),))
    if tokens is not None and tokens < len(head.agents):
        raise InputInvalid((FieldError("sharedBudget.maxTokens", "must be at least one for each agent"),))
    number = len(head.agents)
    most = None if cost is None else microusd(cost) // number
    if most == 0:
        raise InputInvalid((FieldError("sharedBudget.maxCostUsd", "must be at least a micro-dollar for each agent"),))
    share = {
        "maxCostUsd": None if most is None else usd(most),
        "maxTokens": None if tokens is None else tokens // number,
    }
    return {"budget": share}


def _describe(refusal: Refusal, now: datetime) -> tuple[str, str]:
    answer = answer_for(refusal, now)
    return answer.code, answer.message


def _made_view(made: DispatchedBatch) -> View:
    return {"batchId": made.batch.batch_id, "runs": _entered_views(made.entered, made.batch.entries)}


def _entered_views(entered: Sequence[Entered], entries: Sequence[BatchEntry]) -> list[View]:
    return [
        _refused_view(entry)
        if one.dispatched is None
        else {
            "runId": one.dispatched.run.run_id,
            "agent": entry.agent,
            "modelId": entry.model_id,
            "status": one.dispatched.run.status,
        }
        for one, entry in zip(entered, entries, strict=True)
    ]


def _refused_view(entry: BatchEntry) -> View:
    return {
        "runId": None,
        "agent": entry.agent,
        "modelId": entry.model_id,
        "status": None,
        "error": None if entry.code is None else {"code": entry.code, "message": entry.message},
    }


def _row(tenant_id: str, entry: BatchEntry, wiring: Wiring) -> View:
    run = wiring.runs.get(tenant_id, entry.run_id) if entry.run_id else None
    if run is None:
        return _refused_view(entry)
    promotion = wiring.promotions.get(tenant_id, run.run_id) if run.has_work else None
    return _compared_view(run, wiring.clock.now(), promotion)


def _compared_view(run: Run, now: datetime, promotion: Promotion | None) -> View:
    result, usage, check = run.result, run.charged_usage, run.report.check if run.report else None
    begun, ended = run.started_at, run.computed_until(now)
    return {
        "runId": run.run_id,
        "agent": run.agent,
        "modelId": run.model_id,
        "status": run.status,
        "error": error_view(run.error),
        "check": None if check is None else check.passed,
        "filesChanged": result.files_changed if result else None,
        "insertions": result.insertions if result else None,
        "deletions": result.deletions if result else None,
        "seconds": None if begun is None else round((ended - begun).total_seconds(), 3),
        "inputTokens": usage.input_tokens + usage.cached_input_tokens + usage.cache_write_tokens,
        "outputTokens": usage.output_tokens,
        "totalCostUsd": usd(run.cost_microusd(now)),
        "promotion": promotion_view(promotion) if promotion else None,
    }
