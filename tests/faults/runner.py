"""What a runner would do: claim, beat, work, upload, report; with the patience and the exit codes of the real one."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .fargate import Fargate, Task
from .timeline import Timeline, Waiting

CLAIM_PATIENCE_SECONDS = 60
DELIVERY_PATIENCE_SECONDS = 90
EXIT = {"succeeded": 0, "failed": 10, "timeout": 11, "cancelled": 143}
NOT_DELIVERED, CLAIM_REFUSED, UNREACHABLE, KILLED = 13, 20, 21, 137
LOG = b"hello\n"


class BrokerUnreachable(Exception):
    """No usable answer: a broken connection, or a 5xx."""


@dataclass(frozen=True)
class Answer:
    """The broker's answer, below 500."""

    status: int
    body: dict[str, Any]


# Route, token, body -> answer. Raises BrokerUnreachable.
Broker = Callable[[str, str, dict[str, Any]], Answer]


@dataclass(frozen=True)
class Behaviour:
    """How the agent and its runner fare."""

    works_seconds: float = 60
    killed_after_seconds: float | None = None
    falls_silent: bool = False


class Runner:
    """The runner of one task."""

    def __init__(self, task: Task, timeline: Timeline, broker: Broker, fargate: Fargate, behaviour: Behaviour) -> None:
        self._task, self._timeline, self._broker, self._fargate = task, timeline, broker, fargate
        self._behaviour = behaviour
        self._session = ""
        self._must_stop = False

    def live(self) -> Waiting:
        if self._behaviour.killed_after_seconds is not None:
            seconds = self._behaviour.killed_after_seconds
            self._timeline.after(seconds, lambda: self._fargate.exit_task(self._task, KILLED))
        exit_code = yield from self._work()
        self._task.holds_claim = False
        self._fargate.exit_task(self._task, exit_code)

    def _work(self) -> Waiting:
        claim = {"claimId": hashlib.md5(self._task.task_arn.encode()).hexdigest()}  # noqa: S324 a name, no secret
        claim |= {"taskArn": self._task.task_arn, "runnerVersion": "1.0.0"}
        answer = yield from self._insist(
            "/runner/claim", self._task.environment["BOOTSTRAP_TOKEN"], claim, CLAIM_PATIENCE_SECONDS
        )
        if answer is None:
            return UNREACHABLE
        if answer.status != 200:
            return CLAIM_REFUSED
        data = answer.body["data"]
        self._session = data["sessionToken"]
        self._task.holds_claim = True
        outcome = yield from self._run_agent(data["timeoutSeconds"], data["heartbeatSeconds"])
        return (yield from self._deliver(outcome))

    def _run_agent(self, timeout_seconds: float, heartbeat_seconds: float) -> Waiting:
        self._beat("claimed")
        self._beat("running")
        since = self._timeline.clock.now()
        ends_after = min(self._behaviour.works_seconds, timeout_seconds)
        while not self._is_stopping():
            if self._behaviour.falls_silent:
                yield None
                continue
            remaining = ends_after - (self._timeline.clock.now() - since).total_seconds()
            if remaining <= 0:
                return "succeeded" if ends_after < timeout_seconds else "timeout"
            yield min(remaining, heartbeat_seconds)
            self._beat("running")
        if self._behaviour.falls_silent:
            yield None
        return "cancelled"

    def _deliver(self, outcome: str) -> Waiting:
        self._beat("uploading")
        if self._is_stopping():
            outcome = "cancelled"
        file = {"name": "output.log", "type": "log", "sizeBytes": len(LOG), "sha256": hashlib.sha256(LOG).hexdigest()}
        file |= {"contentType": "text/plain"}
        granted = yield from self._insist(
            "/runner/uploads", self._session, {"uploads": [file]}, DELIVERY_PATIENCE_SECONDS
        )
        uploaded = [file] if granted is not None and granted.status == 200 else []
        errors = {"timeout": "RUN_TIMEOUT", "cancelled": "CANCELLED_BY_USER"}
        report = {
            "outcome": outcome,
            "exitCode": 0 if outcome == "succeeded" else None,
            "error": {"code": errors[outcome], "message": "It ended early."} if outcome in errors else None,
            "result": {"summary": "done", "filesChanged": 1, "insertions": 1, "deletions": 0},
            "uploads": uploaded,
            "omitted": [],
        }
        answer = yield from self._insist("/runner/complete", self._session, report, DELIVERY_PATIENCE_SECONDS)
        if answer is None or answer.status not in (200, 409):
            return NOT_DELIVERED
        return EXIT[outcome] if answer.status == 200 else EXIT["cancelled"]

    def _insist(self, route: str, token: str, body: dict[str, Any], patience_seconds: float) -> Waiting:
        """The broker's first usable answer, or None once patience has ended."""
        since = self._timeline.clock.now()
        while (self._timeline.clock.now() - since).total_seconds() < patience_seconds:
            try:
                return self._broker(route, token, body)
            except BrokerUnreachable:
                yield 1
        return None

    def _beat(self, phase: str) -> None:
        """A heartbeat that is lost is not repeated: the next one is near."""
        try:
            answer = self._broker("/runner/heartbeat", self._session, {"phase": phase, "message": None})
        except BrokerUnreachable:
            return
        self._must_stop = self._must_stop or answer.status == 409

    def _is_stopping(self) -> bool:
        return self._must_stop or self._task.is_told_to_stop
