"""Several runs of two tenants at once around the handlers, for a test that draws what happens to them."""

import json
from typing import Any

from builders import NOON, an_api_event

from .fargate import Fargate, Task
from .history import History
from .injection import Injector
from .platform import FunctionFailed, Platform
from .runner import Answer, Behaviour, BrokerUnreachable, Runner
from .step_functions import Doors, FinishFailed, StepFunctions, TaskRefused
from .timeline import Process, Timeline, VirtualClock, Waiting

# Of a tenant at the same time: few, so that runs wait.
SLOTS = 2
SPOT = ("SpotInterruption", "Your Spot Task was interrupted.")


class Estate:
    """The functions, a cluster, a machine and a clock; `history` holds what every write leaves to the properties."""

    def __init__(self, platform: Platform, tenants: tuple[str, ...]) -> None:
        self.platform = platform
        self.clock = VirtualClock(NOON)
        self.timeline = Timeline(self.clock)
        self.fargate = Fargate(self.timeline, self._live, self._tell)
        doors = Doors(self._run_task, self.fargate.stop_task, self._finish, self._tell)
        self.machine = StepFunctions(self.timeline, doors, notice_seconds=2)
        services = {"stepfunctions": self.machine.answer, "ecs": self.fargate.answer}
        platform.begin(Injector(), self.clock, services)
        self.keys = {tenant: platform.make_tenant(tenant, concurrentRuns=SLOTS) for tenant in tenants}
        self.behaviours: dict[str, Behaviour] = {}
        self.events: list[dict[str, Any]] = []
        self.launches_to_refuse = 0
        self.history = History(platform, self.fargate)
        platform.on_write = self.history.observe
        Process(self.timeline, self._sweep(), delay=60)

    def call(self, tenant: str, method: str, route: str, body: dict[str, Any], **request: Any) -> Answer:
        """One request of a tenant's caller."""
        headers = {"Authorization": f"Bearer {self.keys[tenant]}"}
        event = an_api_event(method, route, headers=headers, body=json.dumps(body), **request)
        answer = self.platform.invoke("dispatch", event)
        return Answer(answer["statusCode"], json.loads(answer["body"]))

    def advance(self, seconds: float) -> None:
        """Let that time pass, and everything that is due in it."""
        until = self.clock.now().timestamp() + seconds
        while self.timeline.next_at().timestamp() <= until:
            self.timeline.do_next()
        self.clock.sleep(max(0.0, until - self.clock.now().timestamp()))

    def alive(self) -> list[Task]:
        """The tasks whose containers run."""
        return [task for task in self.fargate.tasks.values() if task.is_alive]

    def hear_again(self, number: int) -> None:
        """An event that was delivered once is delivered once more."""
        if self.events:
            self._invoke_finish(self.events[number % len(self.events)])

    def _sweep(self) -> Waiting:
        while True:
            self.platform.invoke("sweep", {})
            yield 60

    def _live(self, task: Task) -> Waiting:
        behaviour = self.behaviours.get(task.environment["RUN_ID"], Behaviour())
        yield from Runner(task, self.timeline, self._ask_broker, self.fargate, behaviour).live()

    def _ask_broker(self, route: str, token: str, body: dict[str, Any]) -> Answer:
        event = an_api_event("POST", route, headers={"Authorization": f"Bearer {token}"}, body=json.dumps(body))
        answer = self.platform.invoke("broker", event)
        if answer["statusCode"] >= 500:
            raise BrokerUnreachable
        return Answer(answer["statusCode"], json.loads(answer["body"]))

    def _run_task(self, environment: dict[str, str]) -> Task:
        if self.launches_to_refuse:
            self.launches_to_refuse -= 1
            raise TaskRefused("ECS.AmazonECSException", "Capacity is unavailable at this time.")
        return self.fargate.launch(environment)

    def _finish(self, payload: dict[str, Any]) -> dict[str, Any]:
        try:
            return self.platform.invoke("finish", payload)
        except FunctionFailed as failure:
            raise FinishFailed(failure.name) from failure

    def _tell(self, detail_type: str, detail: dict[str, Any]) -> None:
        event = {"detail-type": detail_type, "detail": json.loads(json.dumps(detail))}
        self.events.append(event)
        self.timeline.after(1, lambda: self._invoke_finish(event))

    def _invoke_finish(self, event: dict[str, Any]) -> None:
        self.platform.invoke("finish", event)
