"""What the finish function hears, from the state machine and from events, and what it answers."""

import logging
from typing import Any

from outpost.adapters.testimony import read_promotion_end, read_slot_request, read_testimony
from outpost.domain.errors import OutpostError
from outpost.domain.outcome import Testimony
from outpost.domain.run import Run, RunStatus
from outpost.ports import SigningKey
from outpost.use_cases.delete_workspace import forget_previous
from outpost.use_cases.hand_out_slots import SlotGiver, hand_out_slots
from outpost.use_cases.hear_testimony import hear_testimony
from outpost.use_cases.promote_run import begin_promotion
from outpost.use_cases.settle_promotion import settle_promotion
from outpost.use_cases.start_execution import bootstrap_token
from outpost.use_cases.wait_for_slot import wait_for_slot
from outpost.wiring import Wiring

logger = logging.getLogger(__name__)


def hear(event: dict[str, Any], wiring: Wiring) -> dict[str, object]:
    """The run's status after the event; a run that has ended leaves its slot to who waits for one."""
    if event.get("source") == "queue":
        return _note_waiting(event, wiring)
    if event.get("source") == "promotion":
        return _settle_promotion(event, wiring)
    testimony = read_testimony(event)
    if testimony is None:
        return {"runId": None, "status": "NO_RUN", "error": None}
    run = hear_testimony(
        testimony,
        runs=wiring.runs,
        tasks=wiring.tasks,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
    if run.status.is_terminal:
        _hand_on(run, wiring)
        _go_on(run, wiring)
    return finished_view(run, testimony, wiring.signing_key)


def finished_view(run: Run, testimony: Testimony, signing_key: SigningKey) -> dict[str, object]:
    """The status of the run and its error; where the machine goes on to a launch, the token that it needs for it."""
    error = {"code": run.error.code, "message": run.error.message} if run.error else None
    view: dict[str, object] = {"runId": run.run_id, "status": run.status, "attempt": run.attempt, "error": error}
    is_next = testimony.is_waiting or run.attempt > testimony.evidence.attempt
    if run.status is RunStatus.PENDING and is_next:
        view["bootstrapToken"] = bootstrap_token(run, signing_key=signing_key)
    return view


def _hand_on(run: Run, wiring: Wiring) -> None:
    try:
        hand_out_slots(_giver(wiring), freed_by=run.tenant_id)
    except OutpostError:
        logger.warning("the slot was not handed on; the sweep will hand it on", extra={"runId": run.run_id})


def _go_on(run: Run, wiring: Wiring) -> None:
    """What was recorded with the run's end: the promotion begins, and a snapshot that was replaced goes."""
    try:
        if run.promote is not None and run.is_worth_promoting:
            begin_promotion(
                run.tenant_id,
                run.run_id,
                promotions=wiring.promotions,
                executions=wiring.promotion_executions,
                signing_key=wiring.signing_key,
            )
        if run.workspace is not None and run.report is not None and run.report.snapshot is not None:
            forget_previous(run.tenant_id, run.workspace.workspace_id, workspaces=wiring.workspaces, files=wiring.files)
    except OutpostError:
        # The sweep begins the promotion; the bucket's lifecycle removes the snapshot.
        logger.warning("what follows from the run was not all done", extra={"runId": run.run_id})


def _settle_promotion(event: dict[str, Any], wiring: Wiring) -> dict[str, object]:
    ended = read_promotion_end(event)
    promotion = settle_promotion(
        ended.tenant_id,
        ended.run_id,
        ended.attempt,
        ran_out_of_time=ended.ran_out_of_time,
        detail=ended.detail,
        task_arn=ended.task_arn,
        promotions=wiring.promotions,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
    error = promotion.report.error if promotion.report else None
    return {
        "runId": promotion.run_id,
        "status": promotion.status,
        "error": {"code": error.code, "message": error.message} if error else None,
    }


def _note_waiting(event: dict[str, Any], wiring: Wiring) -> dict[str, object]:
    tenant_id, run_id, wait_token = read_slot_request(event)
    run = wait_for_slot(
        tenant_id,
        run_id,
        wait_token,
        runs=wiring.runs,
        executions=wiring.executions,
        signing_key=wiring.signing_key,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
    return {"runId": run.run_id, "status": run.status, "error": None}


def _giver(wiring: Wiring) -> SlotGiver:
    return SlotGiver(
        runs=wiring.runs,
        queue=wiring.queue,
        accounts=wiring.accounts,
        executions=wiring.executions,
        signing_key=wiring.signing_key,
        clock=wiring.clock,
        identifiers=wiring.identifiers,
    )
