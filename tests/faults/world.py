"""One scenario from its first request to its rest: callers, runners, machine, events and sweep around the handlers."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from builders import NOON, an_api_event

from outpost.domain.run import Run

from .fargate import Fargate, Task
from .history import History
from .injection import Injector, Point
from .platform import FunctionFailed, NoAnswer, Platform
from .runner import Answer, Behaviour, BrokerUnreachable, Runner
from .scenarios import Scenario
from .step_functions import Doors, FinishFailed, StepFunctions, TaskRefused
from .timeline import Process, Timeline, VirtualClock, Waiting

TENANT = "acme"
KEY = "the-one-key"
SWEEP_SECONDS = 60
LONGEST = timedelta(minutes=40)
REDELIVERIES = 20
NEVER_SENT = "Lambda.ServiceException"


@dataclass
class World:
    """A scenario under way."""

    platform: Platform
    scenario: Scenario
    point: Point | None = None
    secrets: set[str] = field(default_factory=set)
    answers: list[str] = field(default_factory=list)
    is_accepted: bool = False
    is_cancelled: bool = False
    blocker_id: str = ""
    _under_way: int = 0

    def __post_init__(self) -> None:
        self.clock = VirtualClock(NOON)
        self.timeline = Timeline(self.clock)
        self.injector = Injector(self.point)
        self.fargate = Fargate(self.timeline, self._live, self._tell)
        self.fargate.lose_hosts = list(self.scenario.hosts_lost_after)
        doors = Doors(self._run_task, self._stop_task, self._finish, self._tell)
        self.machine = StepFunctions(self.timeline, doors, self.scenario.notice_seconds)
        services = {"stepfunctions": self.machine.answer, "ecs": self.fargate.answer}
        self.platform.begin(self.injector, self.clock, services)
        self._launches_to_refuse = 5 * self.scenario.refused_launches
        self.history = History(self.platform, self.fargate)
        self.api_key = self.platform.make_tenant(TENANT, concurrentRuns=1)
        self.secrets.add(self.api_key)
        self.platform.on_write = self.history.observe
        self.injector.situation = self._situation

    def play(self) -> None:
        """Until nothing moves any more, or for 40 minutes; then one sweep more."""
        if self.scenario.blocked_seconds is not None:
            self._block()
        Process(self.timeline, self._call())
        Process(self.timeline, self._sweep(), delay=self.scenario.first_sweep_seconds)
        while not self._is_at_rest() and self.clock.now() < NOON + LONGEST:
            self.timeline.do_next()
        self.history.observe()
        self.seconds = (self.clock.now() - NOON).total_seconds()
        with self.injector.closed():
            self.clock.sleep(2 * SWEEP_SECONDS)
            self._sweep_once()
        self.history.observe()

    def is_beside(self, run: Run) -> bool:
        """Whether it is not the scenario's own run, but the one that holds the slot at first."""
        return run.run_id == self.blocker_id

    def _block(self) -> None:
        """Let another run begin, and work, before the scenario begins."""
        with self.injector.closed():
            body = {"agent": "shell", "task": "sleep", "timeoutSeconds": 600}
            self.blocker_id = self._request("caller", "POST", "/dispatch", self.api_key, body).body["data"]["runId"]
            while self.history.steps[self.blocker_id][-1].status != "RUNNING":
                self.timeline.do_next()

    def _is_at_rest(self) -> bool:
        executions = self.machine.executions.values()
        return (
            self.is_accepted
            and (self.is_cancelled or self.scenario.cancel_after_seconds is None)
            and self._under_way == 0
            and self.history.is_terminal
            and not any(task.is_alive for task in self.fargate.tasks.values())
            and not any(execution.status == "RUNNING" for execution in executions)
            and (self.point is None or self.injector.has_struck())
        )

    def _situation(self) -> str:
        """How run, execution and tasks stand: whatever of them may make a difference to a fault."""
        runs = self.history.situation(self.blocker_id)
        executions = [execution.status for execution in self.machine.executions.values()]
        tasks = [(task.last_status, task.desired_status) for task in self.fargate.tasks.values()]
        return str((runs, executions, tasks))

    # What passes the injector beside the functions' own calls.

    def _invoke(self, caller: str, name: str, function: str, event: dict[str, Any]) -> dict[str, Any]:
        """Raises NoAnswer."""

        def effect() -> dict[str, Any]:
            try:
                return self.platform.invoke(function, event)
            except FunctionFailed as failure:
                raise NoAnswer(failure.name) from failure

        return self.injector.make(caller, name, effect, refused=NoAnswer(NEVER_SENT), lost=NoAnswer())

    def _request(self, caller: str, method: str, route: str, token: str, body: Any, **request: Any) -> Answer:
        event = an_api_event(
            method, route, headers={"Authorization": f"Bearer {token}"}, body=json.dumps(body), **request
        )
        function = "broker" if route.startswith("/runner/") else "dispatch"
        answer = self._invoke(caller, f"{method} {route}", function, event)
        if answer["statusCode"] >= 500:
            raise NoAnswer
        if route != "/runner/claim":
            self.answers.append(answer["body"])
        return Answer(answer["statusCode"], json.loads(answer["body"]))

    # The caller.

    def _call(self) -> Waiting:
        body = {"agent": "shell", "task": self.scenario.task, "timeoutSeconds": self.scenario.timeout_seconds}
        body |= {"queueTimeoutSeconds": self.scenario.queue_timeout_seconds}
        answer = yield from self._repeat("POST", "/dispatch", body | {"idempotencyKey": KEY})
        self.run_id = answer.body["data"]["runId"]
        self.is_accepted = True
        if self.scenario.cancel_after_seconds is not None:
            yield self.scenario.cancel_after_seconds
            yield from self._repeat("POST", "/runs/{id}/cancel", {"reason": "no longer needed"}, path_id=self.run_id)
            self.is_cancelled = True

    def _repeat(self, method: str, route: str, body: Any, **request: Any) -> Waiting:
        while True:
            try:
                return self._request("caller", method, route, self.api_key, body, **request)
            except NoAnswer:
                yield 1

    # The runner.

    def _live(self, task: Task) -> Waiting:
        is_beside = task.environment["RUN_ID"] == self.blocker_id
        behaviour = Behaviour(self.scenario.blocked_seconds or 0) if is_beside else self.scenario.behaviour
        ask = self._ask_broker if self.scenario.blocked_seconds is None else self._ask_beside
        yield from Runner(task, self.timeline, ask, self.fargate, behaviour).live()

    def _ask_beside(self, route: str, token: str, body: dict[str, Any]) -> Answer:
        """What runners ask is no part of a scenario that is about the queue: others are about that."""
        with self.injector.closed():
            return self._ask_broker(route, token, body)

    def _ask_broker(self, route: str, token: str, body: dict[str, Any]) -> Answer:
        try:
            answer = self._request("runner", "POST", route, token, body)
        except NoAnswer as failure:
            raise BrokerUnreachable from failure
        if route == "/runner/claim" and answer.status == 200:
            self.secrets.add(answer.body["data"]["sessionToken"])
            self.history.note_claim(body["claimId"], body["taskArn"])
        return answer

    # The machine.

    def _run_task(self, environment: dict[str, str]) -> Task:
        def effect() -> Task:
            if self._launches_to_refuse > 0:
                self._launches_to_refuse -= 1
                raise TaskRefused("ECS.AmazonECSException", "Capacity is unavailable at this time.")
            return self.fargate.launch(environment)

        self.secrets.add(environment["BOOTSTRAP_TOKEN"])
        broken = TaskRefused("ECS.SdkClientException", "The connection was reset.")
        throttled = TaskRefused("ECS.ThrottlingException", "Rate exceeded.")
        return self.injector.make("machine", "ecs.RunTask", effect, refused=throttled, lost=broken)

    def _stop_task(self, task: Task, reason: str) -> None:
        """Best effort, as AWS documents it: a failure is nobody's to see."""
        try:
            self.injector.make(
                "machine",
                "ecs.StopTask",
                lambda: self.fargate.stop_task(task, reason),
                refused=NoAnswer(),
                lost=NoAnswer(),
            )
        except NoAnswer:
            return

    def _finish(self, payload: dict[str, Any]) -> dict[str, Any]:
        name = "invoke finish for a slot" if payload["source"] == "queue" else "invoke finish"
        try:
            return self._invoke("machine", name, "finish", payload)
        except NoAnswer as failure:
            raise FinishFailed(failure.name) from failure

    # EventBridge.

    def _tell(self, detail_type: str, detail: dict[str, Any]) -> None:
        status = detail.get("lastStatus") or detail["status"]
        event = {"detail-type": detail_type, "detail": json.loads(json.dumps(detail))}
        self._under_way += 1
        Process(self.timeline, self._deliver(f"{detail_type} {status}", event), delay=self.scenario.event_seconds)

    def _deliver(self, name: str, event: dict[str, Any]) -> Waiting:
        for _ in range(REDELIVERIES):
            try:
                self._invoke("events", name, "finish", event)
                break
            except NoAnswer as failure:
                # ECS delivers its events at least once; Step Functions promises its best effort only.
                if failure.name == NEVER_SENT and event["detail-type"].startswith("Step Functions"):
                    break
                yield 30
        self._under_way -= 1

    # The schedule.

    def _sweep(self) -> Waiting:
        while True:
            self._sweep_once()
            yield SWEEP_SECONDS

    def _sweep_once(self) -> None:
        """A sweep that fails is not repeated: the next one is a minute away."""
        try:
            self._invoke("schedule", "invoke sweep", "sweep", {})
        except NoAnswer:
            return


def play(platform: Platform, scenario: Scenario, point: Point | None = None) -> World:
    """The world after the scenario, with the fault of the point in it."""
    world = World(platform, scenario, point)
    world.play()
    return world
