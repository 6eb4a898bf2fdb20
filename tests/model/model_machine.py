"""The state machine of a run, as run_agent.asl.yaml has it, and what happens to its executions from outside."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from model_effects import Step, apply_effects, end_execution, fault, stop_task
from model_world import NOBODY, Execution, Task, World

if TYPE_CHECKING:
    from model_actions import Actions

REFUSED, AMBIGUOUS, TIMED_OUT = "ECS.AmazonECSException", "ECS.SdkClientException", "States.Timeout"
FAILED = "Lambda.Unknown"
MIRRORED = {"COMPLETED": "SUCCEEDED", "FAILED": "FAILED", "TIMEOUT": "FAILED", "CANCELLED": "FAILED"}


def machine_steps(actions: "Actions", world: World) -> Iterator[Step]:
    """What Step Functions can do next."""
    execution = world.execution
    if execution.status == "RUNNING":
        yield from _IN_STATE[execution.at](actions, world)
        if world.faults_left:
            yield "the console aborts the execution", end_execution(fault(world), "ABORTED"), ()
            yield "the execution times out", end_execution(fault(world), "TIMED_OUT"), ()
    elif execution.ended_at and world.faults_left:
        yield "redrive", fault(world).living(execution=_redriven(execution)), ()
        if execution.ended_at == "launch" and len(world.tasks) < actions.launches:
            yield "launch: a task appears after the execution's end", _launched(fault(world), watch=False), ()
    number = world.life.stop_under_way
    if number != NOBODY:
        yield f"Step Functions stops task {number}", stop_task(world.living(stop_under_way=NOBODY), number), ()


def mirror(world: World, answer: Any) -> World:
    """The state after the machine's own call of finish was answered; waiting for the stop is staying before finish."""
    status, attempt, has_token = answer if isinstance(answer, tuple) else ("", 0, False)
    if status in MIRRORED:
        return told_end(world, MIRRORED[status])
    if status == "PENDING" and has_token:
        return world.living(execution=Execution("RUNNING", "launch", attempt))
    return _asking_again(world) if status == "QUEUED" else world


def heard(world: World, answer: Any) -> World:
    """The state after the machine's own asking for a slot was answered, unless the slot was there before the answer."""
    execution = world.execution
    if execution.at != "ask":
        return world
    if answer == "noted":
        return world.living(execution=execution._replace(at="wait"))
    return _to_finish(world, "RunAlreadyEnded") if answer == "ended" else _asking_again(world)


def told_end(world: World, status: str) -> World:
    """The state after the execution ended by itself; only bad ends are told."""
    told = {*world.life.executions_told, *(() if status == "SUCCEEDED" else (status,))}
    ended = Execution(status, "", world.execution.attempt)
    return world.living(execution=ended, executions_told=tuple(sorted(told)))


def _asking(actions: "Actions", world: World) -> Iterator[Step]:
    asked = world.execution.asked
    outcome = actions.use_cases.ask(world, ("ask", asked))
    noted, wrongs = apply_effects(world, outcome)
    yield "ask for the slot", heard(noted, outcome.answer), wrongs
    yield from actions.torn(world, "ask for the slot", ("ask", asked), machine=True)
    if world.faults_left:
        yield "ask for the slot: not heard, once more", _asking_again(fault(world)), ()
        yield "ask for the slot: fails for good", _to_finish(fault(world), FAILED), ()
        if noted.execution.at == "ask":
            yield "ask for the slot: its answer is lost, once more", _asking_again(fault(noted)), wrongs


def _waiting(actions: "Actions", world: World) -> Iterator[Step]:
    yield "the wait times out", _to_finish(world, TIMED_OUT), ()


def _launching(actions: "Actions", world: World) -> Iterator[Step]:
    may_launch = len(world.tasks) < actions.launches
    if may_launch:
        yield "launch", _launched(world, watch=True), ()
    if world.faults_left or not may_launch:
        paid = fault(world) if may_launch else world
        yield "launch: refused", _to_finish(paid, REFUSED), ()
        yield "launch: its answer is lost for good", _to_finish(paid, AMBIGUOUS), ()
    if world.faults_left:
        yield "launch: the state times out", _to_finish(fault(world), TIMED_OUT), ()
    if world.faults_left and may_launch:
        yield "launch: its answer is lost, it is tried again", _launched(fault(world), watch=False), ()


def _watching(actions: "Actions", world: World) -> Iterator[Step]:
    number = world.execution.watched
    task = world.tasks[number]
    if not task.is_live:
        yield "the machine sees the stop", _to_finish(world, "", number), ()
        if world.faults_left and task.exit_code != 0:
            yield "the machine sees the stop, its cause cut", _to_finish(fault(world), "cut", number), ()
    is_well = task.life == "running" and task.runner not in ("", "up")
    if world.faults_left or not is_well:
        paid = fault(world) if is_well else world
        yield "the state times out", _to_finish(paid, TIMED_OUT).living(stop_under_way=number), ()


def _finishing(actions: "Actions", world: World) -> Iterator[Step]:
    payload = finish_payload(world)
    outcome = actions.use_cases.ask(world, ("hear", payload))
    settled, wrongs = apply_effects(world, outcome)
    after = mirror(settled, outcome.answer)
    yield "finish", after, wrongs
    if after == settled:
        yield "finish: the checks run out", told_end(settled, "FAILED"), wrongs
    if world.faults_left:
        yield "finish: its answer is lost", fault(settled), wrongs
        yield "finish: fails for good", told_end(fault(world), "FAILED"), ()
    yield from actions.torn(world, "finish", ("hear", payload), machine=True)


def finish_payload(world: World) -> tuple[Any, ...]:
    """What the machine tells the finish function."""
    execution = world.execution
    task = world.tasks[execution.watched] if execution.watched != NOBODY else None
    seen = task.seen._replace(life="stopped") if task else None
    return "machine", execution.attempt, execution.error, execution.watched, seen, execution.is_waiting


def _to_finish(world: World, error: str, number: int = NOBODY) -> World:
    return world.living(execution=world.execution._replace(at="finish", watched=number, error=error))


def _asking_again(world: World) -> World:
    execution = world.execution
    return world.living(
        execution=Execution("RUNNING", "ask", execution.attempt, asked=execution.asked + 1, is_waiting=True)
    )


def _launched(world: World, *, watch: bool) -> World:
    number = len(world.tasks)
    world = world.living(tasks=(*world.tasks, Task(world.execution.attempt)))
    if not watch:
        return world
    return world.living(execution=world.execution._replace(at="watch", watched=number))


def _redriven(execution: Execution) -> Execution:
    """A redrive begins its state anew, so that a wait is asked for with a token of its own."""
    at = {"watch": "launch", "wait": "ask"}.get(execution.ended_at, execution.ended_at)
    return execution._replace(status="RUNNING", at=at, ended_at="", asked=execution.asked + (at == "ask"))


_IN_STATE = {"ask": _asking, "wait": _waiting, "launch": _launching, "watch": _watching, "finish": _finishing}
