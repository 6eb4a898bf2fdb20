"""What must be true of a scenario once it has come to rest."""

import base64
from collections import Counter

from deployment import SIGNING_KEY

from .counters import AUDIT, JOBS, KEYS, TENANTS, tenants_of
from .history import History, Step, expected_events
from .world import KEY, World

TABLES = (JOBS, TENANTS, AUDIT, KEYS)
# No scenario takes half of it without a fault; the machine's own timeouts take more, and are not to be waited for.
KNOWN_TIME_SECONDS = 600
BESIDE_STATUS = {"run.progress", "run.reported", "run.stopping"}


def violations(world: World) -> list[str]:
    """Every property that does not hold, each with what is against it; none is what is wanted."""
    found = list(world.history.violations)
    for check in (_one_run, _terminal, _outcome, _compute, _slots, _executions, _events, _secrets):
        found.extend(check(world))
    return sorted(set(found))


def _terminal(world: World) -> list[str]:
    late = [f"I9: at rest after {world.seconds:.0f} s only"] if world.seconds > KNOWN_TIME_SECONDS else []
    return late + [f"I9: {run.status} for ever" for run in world.history.runs() if not run.status.is_terminal]


def _outcome(world: World) -> list[str]:
    """One fault of the platform's own costs a caller time, and never the run."""
    found = {str(run.status) for run in world.history.runs() if run.status.is_terminal and not world.is_beside(run)}
    return [f"outcome: {status}" for status in sorted(found - set(world.scenario.expected.split(" or ")))]


def _compute(world: World) -> list[str]:
    alive = [task for task in world.fargate.tasks.values() if task.is_alive]
    return [f"I9: {len(alive)} tasks live without a live run"] if alive else []


def _slots(world: World) -> list[str]:
    (tenant,) = tenants_of(world.platform)
    left = tenant.active_runs + tenant.queued_runs
    found = [f"I3: {left} slots and places in use at the end"] if left else []
    return [*found, "I3: the sweep saw a drift"] if "had drifted" in world.platform.log.getvalue() else found


def _executions(world: World) -> list[str]:
    count, runs = len(world.machine.executions), len(world.history.runs())
    return [f"I4: {count} executions for {runs} runs"] if count > runs else []


def _one_run(world: World) -> list[str]:
    runs = [run for run in world.history.runs() if not world.is_beside(run)]
    locks = [lock for lock in world.history.locks() if lock["sk"]["S"] == f"IDEM#{KEY}"]
    found = [] if len(runs) == 1 else [f"I5: {len(runs)} runs for one idempotency key"]
    if [lock["run_id"]["S"] for lock in locks] != [run.run_id for run in runs]:
        found.append("I5: the lock is not the run's")
    if world.is_accepted and [run.run_id for run in runs] != [world.run_id]:
        found.append("I5: the caller was told of another run")
    return found


def _events(world: World) -> list[str]:
    return wrongs_of_events(world.history)


def wrongs_of_events(history: History) -> list[str]:
    """I6: one event for each transition that was seen, and each fact once."""
    written = history.event_types()
    return [wrong for run_id, steps in history.steps.items() for wrong in _wrong_events(steps, written[run_id])]


def _wrong_events(steps: list[Step], types: list[str]) -> list[str]:
    expected = Counter(expected_events(steps))
    written = Counter(kind for kind in types if kind not in BESIDE_STATUS)
    found = [] if written == expected else [f"I6: events {dict(written)} for the transitions {dict(expected)}"]
    attempts = max(step.attempt for step in steps)
    if types.count("run.reported") > attempts or types.count("run.stopping") > 1:
        found.append("I6: a fact was written twice")
    return found


def _secrets(world: World) -> list[str]:
    tables = "".join(str(world.platform.items(table)) for table in TABLES)
    secrets = {*world.secrets, SIGNING_KEY, base64.b64encode(SIGNING_KEY.encode()).decode()}
    places = {"a table": tables, "a log": world.platform.log.getvalue(), "an answer": "".join(world.answers)}
    # Of a dispatch's answers none holds a secret: what a runner is given is not among them.
    return [f"I8: a secret in {place}" for place, content in places.items() if any(s in content for s in secrets)]
