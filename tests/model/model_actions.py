"""Everything that can happen next in a state of the model. Events need no queue: what has happened can be told at any
later time, never, more than once and in any order, so every event of the past can be delivered in every state."""

from collections.abc import Iterator

from model_effects import Step, apply_effects, fault
from model_machine import heard, machine_steps, mirror
from model_runners import task_steps
from model_tables import SWITCHES
from model_use_cases import UseCases, run_of
from model_world import Task, Torn, World

from outpost.domain.admission import Form


class Actions:
    """The steps of one search: what can happen next in a state, and what is wrong with how it happens."""

    def __init__(self, use_cases: UseCases, launches: int, *, claims_without_arn: bool = False) -> None:
        self.use_cases = use_cases
        self.launches = launches
        self.claims_without_arn = claims_without_arn

    def after(self, world: World) -> Iterator[Step]:
        """(what happens, the state after it, what was wrong with it)."""
        yield from self._others(world)
        if world.torn:
            yield from self._torn_goes_on(world._replace(at=world.torn.of), world.torn)
        for place in range(len(world.lives)):
            yield from self._of_one(world._replace(at=place))

    def _of_one(self, world: World) -> Iterator[Step]:
        """What happens to one run."""
        yield from self._callers(world)
        yield from machine_steps(self, world)
        for number, task in enumerate(world.tasks):
            yield from task_steps(self, world, number, task)
        yield from self._events(world)
        yield from self._sweeps(world)

    def _others(self, world: World) -> Iterator[Step]:
        """What happens beside the runs: others end, and switches are put on and lifted."""
        if world.others_at_work:
            ledger = world.ledger
            freed = ledger._replace(active=ledger.active - 1, deployment_active=ledger.deployment_active - 1)
            ended = world._replace(others_at_work=world.others_at_work - 1, ledger=freed)
            yield self.ask("another run ends", ended, ("hand-out",))
            yield from self.torn(ended, "another run ends", ("hand-out",))
            if world.faults_left:
                yield "another run ends, its slot is not handed on", fault(ended), ()
        for switch in ("", *SWITCHES) if world.switches_left else ():
            if switch != world.ledger.switch:
                switched = world._replace(ledger=world.ledger._replace(switch=switch))
                yield f"switch: {switch or 'off'}", switched._replace(switches_left=world.switches_left - 1), ()

    def ask(self, label: str, world: World, operation: tuple[object, ...]) -> Step:
        """A use case from its beginning to its end."""
        outcome = self.use_cases.ask(world, operation)
        changed, wrongs = apply_effects(world, outcome)
        return label, changed, wrongs

    def _callers(self, world: World) -> Iterator[Step]:
        status = self.use_cases.status(world)
        if not status and not self._may_be_created(world):
            return
        yield self.ask("create again" if status else "create", world, ("create", ""))
        if world.faults_left and not status:
            yield self.ask("create: StartExecution fails", fault(world), ("create", "start"))
        for form in (Form.BEHIND_OWN, Form.BEHIND_OTHERS) if not status else ():
            yield self.ask(f"create by a process that remembers {form}", world, ("create", "", form))
        if not status:
            yield from self.torn(world, "create", ("create", ""))
        if status:
            yield self.ask("cancel", world, ("cancel", ""))
        if status in ("QUEUED", "PENDING", "RUNNING", "CANCELLING"):
            yield from self.torn(world, "cancel", ("cancel", ""))
        if status in ("QUEUED", "PENDING", "RUNNING") and world.faults_left:
            yield self.ask("cancel: StopExecution fails", fault(world), ("cancel", "stop_execution"))

    def _may_be_created(self, world: World) -> bool:
        """Ids grow with time: a run is dispatched once the one before it was, or is being."""
        before = world._replace(at=world.at - 1)
        is_begun = world.torn is not None and (world.torn.operation[0], world.torn.of) == ("create", before.at)
        return world.at == 0 or is_begun or bool(self.use_cases.status(before))

    def _events(self, world: World) -> Iterator[Step]:
        for number, task in enumerate(world.tasks):
            launched = Task(task.attempt, "running")
            yield from self._hear(world, f"event: task {number} is being launched", ("task", number, launched))
            if not task.is_live:
                stopped = task.seen._replace(life="stopped")
                yield from self._hear(world, f"event: task {number} has stopped", ("task", number, stopped))
        for status in world.life.executions_told:
            yield from self._hear(world, f"event: the execution is {status}", ("execution", status))

    def _hear(self, world: World, label: str, payload: tuple[object, ...]) -> Iterator[Step]:
        yield self.ask(label, world, ("hear", payload))
        yield from self.torn(world, label, ("hear", payload))

    def _sweeps(self, world: World) -> Iterator[Step]:
        run = run_of(self.use_cases, world)
        if run is None:
            return
        if world.torn and world.torn.of == world.at and world.torn.begun != self.use_cases.place(world):
            world = world._replace(torn=None)  # no function lives as long as a status has to last for a look
        for age, is_fault in self.ages(world):
            if is_fault and not world.faults_left:
                continue
            paid = fault(world) if is_fault else world
            yield self.ask(f"sweep: {age}", paid, ("sweep", age))
            yield from self.torn(paid, f"sweep: {age}", ("sweep", age))

    def ages(self, world: World) -> Iterator[tuple[str, bool]]:
        """The clocks that can have run out, and whether something has to have gone wrong for it."""
        run = run_of(self.use_cases, world)
        status = self.use_cases.status(world)
        yield "settled", False
        if status == "QUEUED":
            yield "queue-overdue", False
        if status == "PENDING":
            yield "start-overdue", False
        if status == "RUNNING":
            is_well = any(t.life == "running" and t.accepted and t.runner != "up" for t in world.tasks)
            yield "silent", is_well
            yield "run-overdue", is_well
        if run and run.task_arn and any(task.life == "forgotten" for task in world.tasks):
            yield "forgotten", False

    def torn(self, world: World, label: str, operation: tuple[object, ...], *, machine: bool = False) -> Iterator[Step]:
        if world.torn or not world.torn_left:
            return
        paid = world._replace(torn_left=world.torn_left - 1)
        torn = Torn(operation, world.at, self.use_cases.place(world), (), machine)
        yield from self._one_call(paid, f"{label}: begins", torn)

    def _torn_goes_on(self, world: World, torn: Torn) -> Iterator[Step]:
        yield from self._one_call(world, f"{torn.operation[0]}: one call more", torn)
        if world.faults_left:
            yield from self._one_call(fault(world), f"{torn.operation[0]}: a call fails", torn, "before")
            yield from self._one_call(fault(world), f"{torn.operation[0]}: an answer is lost", torn, "after")

    def _one_call(self, world: World, label: str, torn: Torn, fail: str = "") -> Iterator[Step]:
        outcome = self.use_cases.ask(world, torn.operation, torn, calls=1, fail=fail)
        changed, wrongs = apply_effects(world, outcome)
        if outcome.journal is None:
            done = changed._replace(torn=None)
            yield f"{label} (done)", _answered(done, torn, outcome.answer), wrongs
        else:
            yield label, changed._replace(torn=torn._replace(journal=outcome.journal)), wrongs


def _answered(world: World, torn: Torn, answer: object) -> World:
    """The state after the machine, if it still waits for it, has heard the answer of a use case."""
    execution = world.execution
    if not torn.is_machine or execution.status != "RUNNING":
        return world
    if torn.operation == ("ask", execution.asked):
        return heard(world, answer)
    return mirror(world, answer) if torn.operation[0] == "hear" and execution.at == "finish" else world
