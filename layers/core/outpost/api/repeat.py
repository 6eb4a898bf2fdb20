"""Runs that go back to another one: what was asked for then, with the fields that are to be otherwise."""

import json
from dataclasses import replace

from outpost.api.application import Reply
from outpost.api.bodies import DispatchBody
from outpost.api.dispatch import dispatch_with, dispatched_reply, read_dispatch
from outpost.api.parsing import parse_json
from outpost.api.request import Request
from outpost.domain.agents import AGENTS
from outpost.domain.errors import FieldError, InputInvalid
from outpost.domain.money import usd
from outpost.domain.run import Run
from outpost.use_cases.repeat_run import Continuation, follow_up_of, rerun_of, task_of
from outpost.wiring import Wiring

# These follow from what is followed up.
_INHERITED = ("repo", "branch", "workspaceMode", "workspaceId")


def rerun_reply(request: Request, wiring: Wiring) -> Reply:
    """A new run of the same work. Raises RunNotFound, WorkNotKept, InputInvalid, and what a dispatch does."""
    changes = request.fields()
    earlier = rerun_of(request.caller.tenant_id, request.id, runs=wiring.runs)
    if {"repo", "branch", "workspaceId"} & changes.keys():
        # Another place has another history: nothing of the earlier run's can be found in it.
        earlier = replace(earlier, origin=replace(earlier.origin, commit=None, patch=None))
    asked = {**_asked_before(earlier.parent, changes), **_task(earlier.parent, changes, wiring), **changes}
    return _reply(request, earlier, asked, wiring)


def follow_up_reply(request: Request, wiring: Wiring) -> Reply:
    """A new run on what the other left. Raises RunNotFound, RunNotEnded, WorkNotKept, and what a dispatch does."""
    changes = request.fields()
    wrong = [FieldError(name, "is that of the run that is followed up") for name in _INHERITED if name in changes]
    if wrong:
        raise InputInvalid(tuple(wrong))
    earlier = follow_up_of(
        request.caller.tenant_id, request.id, runs=wiring.runs, workspaces=wiring.workspaces, clock=wiring.clock
    )
    asked = {**_asked_before(earlier.parent, changes), **changes}
    if earlier.workspace_id is not None:
        asked = {name: value for name, value in asked.items() if name not in _INHERITED}
        asked["workspaceId"] = earlier.workspace_id
    return _reply(request, earlier, asked, wiring)


def _reply(request: Request, earlier: Continuation, asked: dict[str, object], wiring: Wiring) -> Reply:
    body = parse_json(DispatchBody, json.dumps(asked))
    dispatch = replace(
        read_dispatch(request, body, wiring.settings.git_base_url),
        origin=earlier.origin,
        body_sha256=body.sha256(parent=earlier.parent.run_id, kind=earlier.origin.kind),
    )
    return dispatched_reply(dispatch_with(request, dispatch, wiring), request.api_url, wiring)


def _task(parent: Run, changes: dict[str, object], wiring: Wiring) -> dict[str, object]:
    return {} if "task" in changes else {"task": task_of(parent, files=wiring.files, clock=wiring.clock)}


def _asked_before(run: Run, changes: dict[str, object]) -> dict[str, object]:
    """The run's own fields as a dispatch names them; what hangs on its agent or model goes with these."""
    agent = str(changes.get("agent", run.agent))
    asked: dict[str, object] = {
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
        most = run.budget.max_cost_microusd
        asked["context"] = str(run.context)
        asked["budget"] = {"maxCostUsd": None if most is None else usd(most), "maxTokens": run.budget.max_tokens}
    return asked
