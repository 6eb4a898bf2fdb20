"""Runs the real use cases on a state of the model, whole or call by call, and remembers what each led to."""

import logging
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple

from builders import SMALL, a_caller, a_plan
from fake_runs import InMemoryRuns
from fake_secrets import InMemoryTenantSecrets, InMemoryVault
from fake_workspaces import InMemoryWorkspaces
from fakes import FixedSigningKey, InMemoryApiKeys, InMemoryFiles
from model_payloads import PAYLOADS
from model_ports import OneIdentifier, Ports, StillClock, Suspended, task_arn
from model_shared import Accounts, Deployments, Queue
from model_tables import BODY, RUN_IDS, Raised, Tables
from model_world import EPOCH, NO_RUN, TENANT, Bounds, Ledger, Records, Torn, World

from outpost.api.finish import hear
from outpost.domain.admission import Form
from outpost.domain.errors import ClaimRefused, Refusal, RunAlreadyEnded, Unavailable
from outpost.domain.report import Phase, Report, ReportedOutcome
from outpost.domain.run import Run, TransitionForbidden
from outpost.domain.run_error import RunError, RunErrorCode
from outpost.ports import SlotRefused, Terms, WorkForbidden
from outpost.use_cases.cancel_run import cancel_run
from outpost.use_cases.claim_run import RunnerIdentity, claim_run
from outpost.use_cases.complete_run import complete_run
from outpost.use_cases.dispatch_run import Dispatch, dispatch_run
from outpost.use_cases.hand_out_slots import SlotGiver, hand_out_slots
from outpost.use_cases.look_after_run import Deed, Sweeper
from outpost.use_cases.record_heartbeat import record_heartbeat
from outpost.use_cases.sweep_runs import sweep_runs

ALL_CALLS = 1_000
GIT_BASE_URL = "https://git.example.com"
DISPATCH = Dispatch("shell", "none", "echo", 600, BODY, "https://api.example.com/dev", GIT_BASE_URL, SMALL)
CODES = {
    "failed": RunErrorCode.AGENT_FAILED,
    "timeout": RunErrorCode.RUN_TIMEOUT,
    "cancelled": RunErrorCode.CANCELLED_BY_USER,
}
Operation = tuple[Any, ...]


class Outcome(NamedTuple):
    """What a use case did: the tables after it, its effects in order, its answer; `journal` where it is not done."""

    ledger: Ledger
    effects: tuple[tuple[Any, ...], ...]
    answer: Any
    journal: tuple[object, ...] | None


class UseCases:
    """The use cases of one search; equal questions are asked once."""

    def __init__(self, bounds: Bounds) -> None:
        self.records = Records()
        self.bounds = bounds
        self._tables = Tables(self.records, bounds)
        self._known: dict[tuple[Any, ...], Outcome] = {}
        logging.getLogger("outpost").setLevel(logging.CRITICAL + 1)

    def status(self, world: World) -> str:
        """The status of the record, or nothing."""
        return "" if world.run == NO_RUN else self.records[world.run].status.value

    def place(self, world: World) -> tuple[str, int]:
        """The status and attempt of the record."""
        return ("", 0) if world.run == NO_RUN else (self.status(world), self.records[world.run].attempt)

    def ask(
        self, world: World, operation: Operation, torn: Torn | None = None, *, calls: int = ALL_CALLS, fail: str = ""
    ) -> Outcome:
        """Ask a use case; with `torn`, go on with one. `fail` lets its next call fail before or after its effect."""
        begun = torn.begun if torn else self.place(world)
        journal = torn.journal if torn else ()
        seen = tuple(task.seen for task in world.tasks)
        key = (operation, world.at, world.ledger, world.execution.status, seen, begun, journal, calls, fail)
        if key not in self._known:
            ports = Ports(self._tables, world.ledger, world.at, world.execution.status, seen, begun)
            ports.journal, ports.calls_left = list(journal), calls
            self._known[key] = self._run(operation, ports, fail)
        return self._known[key]

    def _run(self, operation: Operation, ports: Ports, fail: str) -> Outcome:
        ports.fail_next = fail
        name, *rest = operation
        try:
            answer = _ASK[name](ports, *rest)
        except Suspended:
            return Outcome(ports.ledger, tuple(ports.effects), None, tuple(ports.journal))
        except ClaimRefused:
            answer = "refused"
        except RunAlreadyEnded:
            answer = "ended"
        except Refusal:
            answer = "not granted"
        except Unavailable:
            answer = "unavailable"
        except TransitionForbidden as error:
            ports.effects.append(("wrong", f"the product forbids its own transition: {error}"))
            answer = "forbidden"
        except (SlotRefused, WorkForbidden) as error:
            ports.effects.append(("wrong", f"nobody expected {type(error).__name__}"))
            answer = "forbidden"
        return Outcome(ports.ledger, tuple(ports.effects), answer, None)


def _create(ports: Ports, failing: str, remembered: str = "") -> str:
    """`remembered` is the form in which the process believes that the tenant's runs are admitted."""
    ports.failing = frozenset({failing} - {""})
    run_id, wiring = RUN_IDS[ports.place], _wiring(ports)
    dispatch_run(
        a_caller(),
        replace(DISPATCH, priority=ports.priority, idempotency_key=f"key {run_id}"),
        Terms(a_plan(), 1),
        accounts=wiring.accounts,
        secrets=InMemoryTenantSecrets(),
        workspaces=InMemoryWorkspaces(InMemoryRuns()),
        api_keys=InMemoryApiKeys(InMemoryRuns()),
        full_tenants={TENANT: Form(remembered)} if remembered else {},
        files=InMemoryFiles(),
        executions=ports,
        signing_key=wiring.signing_key,
        **_common(ports),
    )
    return "created"


def _cancel(ports: Ports, failing: str) -> str:
    ports.failing = frozenset({failing} - {""})
    return cancel_run(TENANT, RUN_IDS[ports.place], "enough", executions=ports, **_common(ports)).status.value


def _claim(ports: Ports, number: int, attempt: int, knows_its_arn: bool) -> str:
    claim_run(
        _runner(ports, number, attempt),
        claim_id=f"claim of {number}",
        task_arn=task_arn(ports.place, number) if knows_its_arn else None,
        files=InMemoryFiles(),
        secrets=InMemoryTenantSecrets(),
        workspaces=InMemoryWorkspaces(InMemoryRuns()),
        vault=InMemoryVault(),
        git_base_url=GIT_BASE_URL,
        signing_key=FixedSigningKey(),
        **_common(ports),
    )
    return "accepted"


def _beat(ports: Ports, number: int, attempt: int) -> str:
    record_heartbeat(_runner(ports, number, attempt), phase=Phase.CLAIMED, message=None, usage=None, **_common(ports))
    return "accepted"


def _report(ports: Ports, number: int, attempt: int, outcome: str) -> str:
    error = RunError.of(CODES[outcome], "It ended so.") if outcome in CODES else None
    exit_code = {"succeeded": 0, "failed": 1}.get(outcome)
    report = Report(attempt, ReportedOutcome(outcome), exit_code, error, None, EPOCH)
    complete_run(_runner(ports, number, attempt), report, (), **_common(ports))
    return "accepted"


def _hear(ports: Ports, payload: tuple[Any, ...]) -> tuple[str, int, bool]:
    kind, *rest = payload
    view = hear(PAYLOADS[kind](ports.place, *rest), _wiring(ports))
    return str(view["status"]), int(str(view.get("attempt", 0))), "bootstrapToken" in view


def _ask_for_slot(ports: Ports, asked: int) -> str:
    hear(PAYLOADS["queue"](ports.place, asked), _wiring(ports))
    return "noted"


def _hand_out(ports: Ports) -> str:
    """What another run's end is followed by."""
    wiring = _wiring(ports)
    ports_of_giver = {name: getattr(wiring, name) for name in SlotGiver.__dataclass_fields__}
    hand_out_slots(SlotGiver(**ports_of_giver), freed_by=TENANT)
    return "handed out"


def _sweep(ports: Ports, age: str) -> str:
    ports.age = age
    wiring = _wiring(ports)
    deeds = sweep_runs(Sweeper(**{name: getattr(wiring, name) for name in Sweeper.__dataclass_fields__}))
    if Deed.FAILED in deeds and Raised("unavailable") not in ports.journal:
        ports.effects.append(("wrong", "the sweep failed by itself"))
    return "swept"


def _wiring(ports: Ports) -> Any:
    shared = {"queue": Queue(ports), "accounts": Accounts(ports), "slots": Accounts(ports)}
    own = {"tasks": ports, "executions": ports, "signing_key": FixedSigningKey(), "deployments": Deployments(ports)}
    return SimpleNamespace(**shared, **own, **_common(ports))


def _common(ports: Ports) -> dict[str, Any]:
    return {"runs": ports, "clock": StillClock(), "identifiers": OneIdentifier(RUN_IDS[ports.place])}


def _runner(ports: Ports, number: int, attempt: int) -> RunnerIdentity:
    return RunnerIdentity(TENANT, RUN_IDS[ports.place], attempt, f"claim of {number}")


_ASK: dict[str, Callable[..., Any]] = {
    "create": _create,
    "cancel": _cancel,
    "claim": _claim,
    "beat": _beat,
    "report": _report,
    "hear": _hear,
    "ask": _ask_for_slot,
    "hand-out": _hand_out,
    "sweep": _sweep,
}


def run_of(use_cases: UseCases, world: World) -> Run | None:
    """The record of a state."""
    return None if world.run == NO_RUN else use_cases.records[world.run]
