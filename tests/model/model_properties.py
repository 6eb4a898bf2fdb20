"""What has to hold in every state of the model."""

from collections.abc import Iterator

from model_use_cases import UseCases, run_of
from model_world import NO_RUN, World
from model_writes import AT_WORK, TERMINAL

from outpost.domain.run import Run

MOST_ATTEMPTS = 3


def wrongs_of_state(world: World, use_cases: UseCases) -> Iterator[str]:
    """What is wrong with a state."""
    yield from _wrongs_of_counters(world, use_cases)
    for place in range(len(world.lives)):
        yield from _wrongs_of_run(world._replace(at=place), use_cases)


def _wrongs_of_counters(world: World, use_cases: UseCases) -> Iterator[str]:
    ledger, bounds = world.ledger, use_cases.bounds
    statuses = [use_cases.records[number].status.value for number in ledger.runs if number != NO_RUN]
    at_work = sum(status in AT_WORK for status in statuses) + world.others_at_work
    if (ledger.active, ledger.deployment_active) != (at_work, at_work):
        yield f"I3: {ledger.active} slots, of the deployment {ledger.deployment_active}, for {at_work} runs at work"
    if ledger.queued != statuses.count("QUEUED"):
        yield f"I3: {ledger.queued} places for {statuses.count('QUEUED')} runs that wait"
    if at_work > min(bounds.slots, bounds.deployment_slots):
        yield f"limit: {at_work} runs at work"


def _wrongs_of_run(world: World, use_cases: UseCases) -> Iterator[str]:
    run = run_of(use_cases, world)
    if run is None:
        return
    is_terminal = run.status.value in TERMINAL
    holders = [number for number, task in enumerate(world.tasks) if task.accepted and task.is_live]
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
