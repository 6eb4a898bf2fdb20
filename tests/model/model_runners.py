"""A task and the runner in it: how they start, claim, work, report and end, by themselves or not."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from model_effects import Step, fault, set_task
from model_world import Task, World

if TYPE_CHECKING:
    from model_actions import Actions

EXIT_CODES = {"succeeded": 0, "failed": 10, "timeout": 11, "cancelled": 143}
EXITED, NOT_STARTED, SPOT = "EssentialContainerExited", "TaskFailedToStart", "SpotInterruption"
REFUSED_EXIT_CODE = 20
KILLED_EXIT_CODE = 137


def task_steps(actions: "Actions", world: World, number: int, task: Task) -> Iterator[Step]:
    """What can happen to a task and its runner next."""
    if task.life == "provisioning":
        yield from _provisioning(world, number, task)
    if task.life in ("running", "stopping"):
        yield from _living(world, number, task)
    if task.runner and task.life != "forgotten":
        yield from _speaking(actions, world, number, task)
    if task.life == "stopped" and world.faults_left:
        yield f"ECS forgets task {number}", _with(fault(world), number, task, life="forgotten"), ()


def _provisioning(world: World, number: int, task: Task) -> Iterator[Step]:
    yield f"task {number} runs", _with(world, number, task, life="running", runner="up"), ()
    if world.faults_left:
        paid = fault(world)
        yield f"task {number} fails to start", _with(paid, number, task, life="stopped", stop_code=NOT_STARTED), ()
        yield f"task {number} loses its host", _with(paid, number, task, life="stopped", stop_code=SPOT), ()


def _living(world: World, number: int, task: Task) -> Iterator[Step]:
    code = task.stop_code or EXITED
    own_exit = _own_exit(task)
    if own_exit is not None:
        ended = _with(world, number, task, life="stopped", stop_code=code, exit_code=own_exit)
        yield f"task {number} exits with {own_exit}", ended, ()
    if task.life == "stopping":
        exit_code = KILLED_EXIT_CODE if task.runner else None
        yield f"task {number} is killed", _with(world, number, task, life="stopped", exit_code=exit_code), ()
        if task.runner == "working":
            yield f"runner {number} is told to stop", _with(world, number, task, runner="ended:cancelled"), ()
    if not world.faults_left:
        return
    paid = fault(world)
    for what, exit_code in (("crashes", KILLED_EXIT_CODE), ("ends without exit code", None), ("exits with 0", 0)):
        lost = _with(paid, number, task, life="stopped", stop_code=code, exit_code=exit_code)
        yield f"task {number} {what}", lost, ()
    if task.life == "running":
        yield f"task {number} is reclaimed", _with(paid, number, task, life="stopping", stop_code=SPOT), ()


def _own_exit(task: Task) -> int | None:
    """The exit code with which the runner ends by itself now."""
    kind, _, rest = task.runner.partition(":")
    if kind == "reported":
        return EXIT_CODES[rest]
    if kind == "quitting":
        return int(rest)
    return EXIT_CODES["cancelled"] if task.life == "stopping" and task.runner == "up" else None


def _speaking(actions: "Actions", world: World, number: int, task: Task) -> Iterator[Step]:
    """What the runner tells the control plane; what a dead one said may still be under way."""
    if not task.is_live:
        if not world.faults_left:
            return
        world = fault(world)
    kind, _, rest = task.runner.partition(":")
    if kind == "up":
        yield from _claiming(actions, world, number, task)
    elif kind == "working":
        yield from _working(actions, world, number, task)
    elif kind == "ended":
        label, after, wrongs = actions.ask(
            f"runner {number} reports {rest}", world, ("report", number, task.attempt, rest)
        )
        answer = actions.use_cases.ask(world, ("report", number, task.attempt, rest)).answer
        runner = f"reported:{rest}" if answer == "accepted" else f"quitting:{EXIT_CODES['cancelled']}"
        yield label, _with(after, number, task, runner=runner), wrongs
        if world.faults_left:
            yield f"{label}, the answer is lost", fault(after), wrongs


def _claiming(actions: "Actions", world: World, number: int, task: Task) -> Iterator[Step]:
    for knows_its_arn in (True, False)[: 2 if world.faults_left and actions.claims_without_arn else 1]:
        paid = world if knows_its_arn else fault(world)
        operation = ("claim", number, task.attempt, knows_its_arn)
        label = f"runner {number} claims" + ("" if knows_its_arn else " without its ARN")
        _, after, wrongs = actions.ask("", paid, operation)
        is_accepted = actions.use_cases.ask(paid, operation).answer == "accepted"
        current = actions.use_cases.place(after)[1]
        if is_accepted and current != task.attempt:
            wrongs = (*wrongs, f"claim: the runner of attempt {task.attempt} holds attempt {current}")
        runner = "working" if is_accepted else f"quitting:{REFUSED_EXIT_CODE}"
        yield label, _with(after, number, task, runner=runner, accepted=task.accepted or is_accepted), wrongs
        yield from actions.torn(paid, label, operation)
        if is_accepted and world.faults_left and task.is_live:
            lost = _with(fault(after) if after.faults_left else after, number, task, accepted=True)
            yield f"{label}, the answer is lost", lost, wrongs


def _working(actions: "Actions", world: World, number: int, task: Task) -> Iterator[Step]:
    if not task.is_live:
        return
    for outcome in ("succeeded", "failed", "timeout"):
        yield f"agent {number} has {outcome}", _with(world, number, task, runner=f"ended:{outcome}"), ()
    operation = ("beat", number, task.attempt)
    label, after, wrongs = actions.ask(f"runner {number} beats", world, operation)
    if actions.use_cases.ask(world, operation).answer == "refused":
        after = _with(after, number, task, runner="ended:cancelled")
        label += " and is told to stop"
    yield label, after, wrongs


def _with(world: World, number: int, task: Task, **changes: object) -> World:
    return set_task(world, number, task._replace(**changes))
