"""Runs that go back to another one: what was asked for then, with the fields that are to be otherwise."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from outpost.api.application import Reply
from outpost.api.bodies import DispatchBody
from outpost.api.dispatch import KEY_CHARACTERS, agreed_key, dispatch_with, dispatched_reply, read_dispatch
from outpost.api.parsing import parse_json
from outpost.api.request import Request
from outpost.domain.agents import AGENTS
from outpost.domain.errors import FieldError, InputInvalid
from outpost.domain.money import usd
from outpost.domain.origin import OriginKind
from outpost.domain.run import Run
from outpost.domain.usage import ModelBudget
from outpost.use_cases.dispatch_run import Dispatched
from outpost.use_cases.find_replay import find_replay
from outpost.use_cases.repeat_run import Continuation, follow_up_of, rerun_of, task_of
from outpost.wiring import Wiring

Fields = dict[str, object]
# These follow from what is followed up.
_INHERITED = ("repo", "branch", "workspaceMode", "workspaceId")


def rerun_reply(request: Request, wiring: Wiring) -> Reply:
    """A new run of the same work. Raises RunNotFound, WorkNotKept, InputInvalid, and what a dispatch does."""
    return _reply(request, OriginKind.RERUN, _rerun, wiring)


def follow_up_reply(request: Request, wiring: Wiring) -> Reply:
    """A new run on what the other left. Raises RunNotFound, RunNotEnded, WorkNotKept, and what a dispatch does."""
    return _reply(request, OriginKind.FOLLOW_UP, _follow_up, wiring)


def _reply(
    request: Request,
    kind: OriginKind,
    repeat: Callable[[Request, Fields, Wiring], tuple[Continuation, DispatchBody]],
    wiring: Wiring,
) -> Reply:
    """The run that an earlier request of the same has made, before anything else: it may be what has changed since."""
    changes = request.fields()
    body_sha256 = _sha256(request.id, kind, changes)
    made = find_replay(
        request.caller,
        _key_of(request, changes),
        body_sha256,
        runs=wiring.runs,
        api_keys=wiring.api_keys,
        clock=wiring.clock,
    )
    if made is not None:
        return dispatched_reply(Dispatched(made, is_replay=True), request.api_url, wiring)
    earlier, body = repeat(request, changes, wiring)
    dispatch = replace(
        read_dispatch(request, body, wiring.settings.git_base_url), origin=earlier.origin, body_sha256=body_sha256
    )
    return dispatched_reply(dispatch_with(request, dispatch, wiring), request.api_url, wiring)


def _rerun(request: Request, changes: Fields, wiring: Wiring) -> tuple[Continuation, DispatchBody]:
    has_workspace = changes.get("workspaceId") is not None
    is_elsewhere = has_workspace or bool({"repo", "branch"} & changes.keys())
    earlier = rerun_of(
        request.caller.tenant_id, request.id, is_elsewhere=is_elsewhere, runs=wiring.runs, clock=wiring.clock
    )
    asked = _asked_before(earlier.parent, changes, _allowed(request))
    if has_workspace:
        asked = _without(("repo", "branch"), asked)
    return earlier, _checked({**asked, **_task(earlier.parent, changes, wiring), **changes})


def _follow_up(request: Request, changes: Fields, wiring: Wiring) -> tuple[Continuation, DispatchBody]:
    earlier = follow_up_of(
        request.caller.tenant_id, request.id, runs=wiring.runs, workspaces=wiring.workspaces, clock=wiring.clock
    )
    asked = _asked_before(earlier.parent, changes, _allowed(request))
    if earlier.workspace_id is not None:
        asked = {**_without(_INHERITED, asked), "workspaceId": earlier.workspace_id}
    wrong = [FieldError(name, "is that of the run that is followed up") for name in _INHERITED if name in changes]
    return earlier, _checked({**asked, **_without(_INHERITED, changes)}, wrong)


def _checked(asked: Fields, wrong: Sequence[FieldError] = ()) -> DispatchBody:
    """The dispatch that comes of it. Raises InputInvalid with every wrong field, those of before included."""
    try:
        body = parse_json(DispatchBody, json.dumps(asked))
    except InputInvalid as invalid:
        raise InputInvalid((*wrong, *invalid.errors)) from invalid
    if wrong:
        raise InputInvalid(tuple(wrong))
    return body


def _without(names: Sequence[str], fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if name not in names}


def _sha256(run_id: str, kind: OriginKind, changes: Fields) -> str:
    """What two requests have in common that ask for the same: what was sent, not what it comes to by now."""
    same = json.dumps({"parent": run_id, "kind": kind, "sent": _without(("idempotencyKey",), changes)}, sort_keys=True)
    return hashlib.sha256(same.encode()).hexdigest()


def _key_of(request: Request, changes: Fields) -> str | None:
    in_body = changes.get("idempotencyKey")
    is_key = isinstance(in_body, str) and len(in_body) <= KEY_CHARACTERS
    return agreed_key(str(in_body) if is_key else None, request.header("Idempotency-Key"))


def _allowed(request: Request) -> ModelBudget:
    """What one run may use of models by now."""
    return request.access.terms.plan.run_budget.within(request.caller.key.restrictions.run_budget)


def _task(parent: Run, changes: Fields, wiring: Wiring) -> Fields:
    return {} if "task" in changes else {"task": task_of(parent, files=wiring.files, clock=wiring.clock)}


def _asked_before(run: Run, changes: Fields, allowed: ModelBudget) -> Fields:
    """The run's own fields as a dispatch names them; what hangs on its agent or model goes with these.

    What a run has of a budget it need not have asked for: it is no more than is allowed by now.
    """
    agent = str(changes.get("agent", run.agent))
    asked: Fields = {
        "agent": run.agent,
        "repo": run.repo,
        "branch": run.branch,
        "secrets": list(run.secrets),
        "timeoutSeconds": run.timeout_seconds,
        "queueTimeoutSeconds": run.queue_timeout_seconds,
        "priority": str(run.priority),
        "tags": run.tags,
        "userId": run.requested_by,
        "check": run.check,
    }
    if agent == run.agent:
        asked["modelId"] = run.model_id
    if agent == run.agent and "modelId" not in changes:
        asked["resources"] = {
            "cpuUnits": run.size.cpu_units,
            "memoryMb": run.size.memory_mb,
            "diskGb": run.size.disk_gb,
        }
    known = AGENTS.get(agent)
    if known is not None and known.provider is not None and AGENTS[run.agent].provider is not None:
        budget = run.budget.within(allowed)
        most = budget.max_cost_microusd
        asked["context"] = str(run.context)
        asked["budget"] = {"maxCostUsd": usd(most) if most else None, "maxTokens": budget.max_tokens or None}
    return asked
