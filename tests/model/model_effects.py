"""What steps do to a state of the model."""

from collections.abc import Callable

from model_use_cases import Outcome
from model_world import LIVE, NOBODY, Execution, Task, World

Step = tuple[str, World, tuple[str, ...]]


def fault(world: World) -> World:
    """The state after one more thing has gone wrong."""
    return world._replace(faults_left=world.faults_left - 1)


def apply_effects(world: World, outcome: Outcome) -> tuple[World, tuple[str, ...]]:
    """The state after what a use case did, and what was wrong with it."""
    at, world = world.at, world._replace(ledger=outcome.ledger)
    wrongs: list[str] = []
    for name, *rest in outcome.effects:
        if name == "wrong":
            wrongs.append(str(rest[0]))
        elif name == "stop_task":
            world = stop_task(world, rest[0])
        else:
            world = _ON_EXECUTIONS[name](world._replace(at=rest[0]), *rest[1:])._replace(at=at)
    return world, tuple(wrongs)


def start_execution(world: World, attempt: int, is_queued: bool) -> World:
    """The state after StartExecution: a second one changes nothing."""
    if world.execution.status:
        return world
    return world.living(execution=Execution("RUNNING", "ask" if is_queued else "launch", attempt, is_waiting=is_queued))


def release_execution(world: World, asked: int) -> World:
    """The state after a token was answered; nothing happens if the execution waits no longer, or with another."""
    execution = world.execution
    if execution.status != "RUNNING" or execution.at not in ("ask", "wait") or execution.asked != asked:
        return world
    return world.living(execution=Execution("RUNNING", "launch", execution.attempt))


def end_execution(world: World, status: str) -> World:
    """The state after the execution was ended from outside; Step Functions may stop its task, or fail to."""
    execution = world.execution
    if execution.status != "RUNNING":
        return world
    told = tuple(sorted({*world.life.executions_told, status}))
    watched = execution.watched if execution.at == "watch" else world.life.stop_under_way
    ended = execution._replace(status=status, at="", ended_at=execution.at)
    if execution.at != "finish":
        ended = ended._replace(watched=NOBODY)
    return world.living(execution=ended, executions_told=told, stop_under_way=watched)


def stop_task(world: World, number: int) -> World:
    """The state after StopTask: SIGTERM now, the end later."""
    task = world.tasks[number]
    if task.life not in LIVE or task.life == "stopping":
        return world
    return set_task(world, number, task._replace(life="stopping", stop_code="UserInitiated"))


def set_task(world: World, number: int, task: Task) -> World:
    """The state with another state of one task."""
    return world.living(tasks=(*world.tasks[:number], task, *world.tasks[number + 1 :]))


_ON_EXECUTIONS: dict[object, Callable[..., World]] = {
    "start": start_execution,
    "release": release_execution,
    "stop_execution": lambda world: end_execution(world, "ABORTED"),
}
