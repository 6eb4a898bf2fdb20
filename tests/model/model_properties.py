"""What has to hold in every state of the model."""

from collections.abc import Iterator

from model_use_cases import UseCases, run_of
from model_world import World
from model_writes import TERMINAL

from outpost.domain.run import Run

MOST_ATTEMPTS = 3


def wrongs_of_state(world: World, use_cases: UseCases) -> Iterator[str]:
    """What is wrong with a state."""
    run = run_of(use_cases, world)
    if world.runs_made > 1:
        yield f"I5: {world.runs_made} runs of one idempotency key"
    if run is None:
        return
    is_terminal = run.status.value in TERMINAL
    holders = [number for number, task in enumerate(world.tasks) if task.accepted and task.is_live]
    if world.slots != (0 if is_terminal else 1):
        yield f"I3: {world.slots} slots for a run that is {run.status.value}"
    if len(holders) > 1:
        yield f"I4: the tasks {holders} hold the run at once"
    if run.attempt > MOST_ATTEMPTS:
        yield f"attempts: {run.attempt}"
    if is_terminal:
        yield from _wrongs_of_end(world, use_cases, run, holders)


def _wrongs_of_end(world: World, use_cases: UseCases, run: Run, holders: list[int]) -> Iterator[str]:
    if holders:
        yield f"I2: {run.status.value} while the tasks {holders} hold the run"
    for number, task in enumerate(world.tasks):
        if task.is_live and use_cases.ask(world, ("claim", number, task.attempt, True)).answer == "accepted":
            yield f"I2: {run.status.value} and task {number} could still claim the run"
    if run.status.value == "COMPLETED" and not _is_success(world, run):
        yield "success: COMPLETED without a task of the attempt that reported success and exited with 0 by itself"


def _is_success(world: World, run: Run) -> bool:
    done = ("EssentialContainerExited", 0, True)
    mine = [t for t in world.tasks if (t.stop_code, t.exit_code, t.accepted) == done and t.attempt == run.attempt]
    return bool(mine) and run.report is not None and run.report.outcome.value == "succeeded"
