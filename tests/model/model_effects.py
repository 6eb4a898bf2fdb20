"""What steps do to a state of the model."""

from model_use_cases import Outcome
from model_world import LIVE, NOBODY, Execution, Task, World

Step = tuple[str, World, tuple[str, ...]]


def fault(world: World) -> World:
    """The state after one more thing has gone wrong."""
    return world._replace(faults_left=world.faults_left - 1)


def apply_effects(world: World, outcome: Outcome) -> tuple[World, tuple[str, ...]]:
    """The state after what a use case did, and what was wrong with it."""
    world = world._replace(run=outcome.run)
    wrongs: list[str] = []
    for name, *rest in outcome.effects:
        if name == "wrong":
            wrongs.append(str(rest[0]))
        elif name == "slot":
            world = world._replace(slots=world.slots + rest[0])
        elif name == "made":
            world = world._replace(runs_made=world.runs_made + 1)
        elif name == "start" and not world.execution.status:
            world = world._replace(execution=Execution("RUNNING", "launch", rest[0]))
        elif name == "stop_execution":
            world = end_execution(world, "ABORTED")
        elif name == "stop_task":
            world = stop_task(world, rest[0])
    return world, tuple(wrongs)


def end_execution(world: World, status: str) -> World:
    """The state after the execution was ended from outside; Step Functions may stop its task, or fail to."""
    execution = world.execution
    if execution.status != "RUNNING":
        return world
    told = tuple(sorted({*world.executions_told, status}))
    watched = execution.watched if execution.at == "watch" else world.stop_under_way
    ended = Execution(status, "", execution.attempt, NOBODY, execution.error, execution.at)
    if execution.at == "finish":
        ended = ended._replace(watched=execution.watched)
    return world._replace(execution=ended, executions_told=told, stop_under_way=watched)


def stop_task(world: World, number: int) -> World:
    """The state after StopTask: SIGTERM now, the end later."""
    task = world.tasks[number]
    if task.life not in LIVE or task.life == "stopping":
        return world
    return set_task(world, number, task._replace(life="stopping", stop_code="UserInitiated"))


def set_task(world: World, number: int, task: Task) -> World:
    """The state with another state of one task."""
    return world._replace(tasks=(*world.tasks[:number], task, *world.tasks[number + 1 :]))
