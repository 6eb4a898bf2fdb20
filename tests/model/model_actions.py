"""Everything that can happen next in a state of the model. Events need no queue: what has happened can be told at any
later time, never, more than once and in any order, so every event of the past can be delivered in every state."""

from collections.abc import Iterator

from model_effects import Step, apply_effects, fault
from model_machine import machine_steps, mirror
from model_runners import task_steps
from model_use_cases import UseCases, run_of
from model_world import Task, Torn, World


class Actions:
    """The steps of one search: what can happen next in a state, and what is wrong with how it happens."""

    def __init__(self, use_cases: UseCases, launches: int, *, claims_without_arn: bool = False) -> None:
        self.use_cases = use_cases
        self.launches = launches
        self.claims_without_arn = claims_without_arn

    def after(self, world: World) -> Iterator[Step]:
        """(what happens, the state after it, what was wrong with it)."""
        yield from self._callers(world)
        yield from machine_steps(self, world)
        for number, task in enumerate(world.tasks):
            yield from task_steps(self, world, number, task)
        yield from self._events(world)
        yield from self._sweeps(world)
        if world.torn:
            yield from self._torn_goes_on(world, world.torn)

    def ask(self, label: str, world: World, operation: tuple[object, ...]) -> Step:
        """A use case from its beginning to its end."""
        outcome = self.use_cases.ask(world, operation)
        changed, wrongs = apply_effects(world, outcome)
        return label, changed, wrongs

    def _callers(self, world: World) -> Iterator[Step]:
        status = self.use_cases.status(world)
        yield self.ask("create again" if status else "create", world, ("create", ""))
        if world.faults_left and not status:
            yield self.ask("create: StartExecution fails", fault(world), ("create", "start"))
        if not status:
            yield from self.torn(world, "create", ("create", ""))
        if status:
            yield self.ask("cancel", world, ("cancel", ""))
        if status in ("PENDING", "RUNNING", "CANCELLING"):
            yield from self.torn(world, "cancel", ("cancel", ""))
        if status in ("PENDING", "RUNNING") and world.faults_left:
            yield self.ask("cancel: StopExecution fails", fault(world), ("cancel", "stop_execution"))

    def _events(self, world: World) -> Iterator[Step]:
        for number, task in enumerate(world.tasks):
            launched = Task(task.attempt, "running")
            yield from self._hear(world, f"event: task {number} is being launched", ("task", number, launched))
            if not task.is_live:
                stopped = task.seen._replace(life="stopped")
                yield from self._hear(world, f"event: task {number} has stopped", ("task", number, stopped))
        for status in world.executions_told:
            yield from self._hear(world, f"event: the execution is {status}", ("execution", status))

    def _hear(self, world: World, label: str, payload: tuple[object, ...]) -> Iterator[Step]:
        yield self.ask(label, world, ("hear", payload))
        yield from self.torn(world, label, ("hear", payload))

    def _sweeps(self, world: World) -> Iterator[Step]:
        run = run_of(self.use_cases, world)
        if run is None:
            return
        if world.torn and world.torn.begun != self.use_cases.place(world):
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
        torn = Torn(operation, self.use_cases.place(world), (), machine)
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
            is_awaited = torn.is_machine and done.execution.status == "RUNNING" and done.execution.at == "finish"
            yield f"{label} (done)", mirror(done, outcome.answer) if is_awaited else done, wrongs
        else:
            yield label, changed._replace(torn=torn._replace(journal=outcome.journal)), wrongs
