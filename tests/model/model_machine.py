"""The state machine of a run, as run_agent.asl.yaml has it, and what happens to its executions from outside."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from model_effects import Step, end_execution, fault, stop_task
from model_world import NOBODY, Execution, Task, World

if TYPE_CHECKING:
    from model_actions import Actions

REFUSED, AMBIGUOUS, TIMED_OUT = "ECS.AmazonECSException", "ECS.SdkClientException", "States.Timeout"
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
        yield "redrive", fault(world)._replace(execution=_redriven(execution)), ()
        if execution.ended_at == "launch" and len(world.tasks) < actions.launches:
            yield "launch: a task appears after the execution's end", _launched(fault(world), watch=False), ()
    if world.stop_under_way != NOBODY:
        number = world.stop_under_way
        yield f"Step Functions stops task {number}", stop_task(world._replace(stop_under_way=NOBODY), number), ()


def mirror(world: World, answer: Any) -> World:
    """The state after the machine's own call of finish was answered; waiting for the stop is staying before finish."""
    status, attempt = answer if isinstance(answer, tuple) else ("", 0)
    execution = world.execution
    if status in MIRRORED:
        return told_end(world, MIRRORED[status])
    if status == "PENDING" and attempt > execution.attempt:
        return world._replace(execution=Execution("RUNNING", "launch", attempt))
    return world


def told_end(world: World, status: str) -> World:
    """The state after the execution ended by itself; only bad ends are told."""
    told = world.executions_told if status == "SUCCEEDED" else tuple(sorted({*world.executions_told, status}))
    return world._replace(execution=Execution(status, "", world.execution.attempt), executions_told=told)


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
        yield "the state times out", _to_finish(paid, TIMED_OUT)._replace(stop_under_way=number), ()


def _finishing(actions: "Actions", world: World) -> Iterator[Step]:
    payload = finish_payload(world)
    _, heard, wrongs = actions.ask("", world, ("hear", payload))
    answer = actions.use_cases.ask(world, ("hear", payload)).answer
    after = mirror(heard, answer)
    yield "finish", after, wrongs
    if after == heard:
        yield "finish: the checks run out", told_end(heard, "FAILED"), wrongs
    if world.faults_left:
        yield "finish: its answer is lost", fault(heard), wrongs
        yield "finish: fails for good", told_end(fault(world), "FAILED"), ()
    yield from actions.torn(world, "finish", ("hear", payload), machine=True)


def finish_payload(world: World) -> tuple[Any, ...]:
    """What the machine tells the finish function."""
    execution = world.execution
    task = world.tasks[execution.watched] if execution.watched != NOBODY else None
    seen = task.seen._replace(life="stopped") if task else None
    return "machine", execution.attempt, execution.error, execution.watched, seen


def _to_finish(world: World, error: str, number: int = NOBODY) -> World:
    return world._replace(execution=Execution("RUNNING", "finish", world.execution.attempt, number, error))


def _launched(world: World, *, watch: bool) -> World:
    number = len(world.tasks)
    world = world._replace(tasks=(*world.tasks, Task(world.execution.attempt)))
    if not watch:
        return world
    return world._replace(execution=world.execution._replace(at="watch", watched=number))


def _redriven(execution: Execution) -> Execution:
    at = "launch" if execution.ended_at == "watch" else execution.ended_at
    return execution._replace(status="RUNNING", at=at, ended_at="")


_IN_STATE = {"launch": _launching, "watch": _watching, "finish": _finishing}
