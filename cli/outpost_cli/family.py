"""The runs that belong together because one came after the other."""

from outpost_cli.client import OutpostClient, RunFilter
from outpost_cli.errors import NotFound
from outpost_cli.models.run import Run


def read_chain(client: OutpostClient, run_id: str) -> list[Run]:
    """The parents of a run from the first one on, the run, and all that came after it.

    Each is before those that came from it, and these, one with its own after the other, are the oldest first.
    """
    run = client.get_run(run_id)
    return [*reversed(read_ancestors(client, run)), *read_descendants(client, run)]


def read_ancestors(client: OutpostClient, run: Run) -> list[Run]:
    """The parents, the nearest first; they end where one is not kept any more."""
    ancestors: list[Run] = []
    known = {run.run_id}
    while run.parent_run_id is not None and run.parent_run_id not in known:
        try:
            run = client.get_run(run.parent_run_id)
        except NotFound:
            break
        known.add(run.run_id)
        ancestors.append(run)
    return ancestors


def read_descendants(client: OutpostClient, run: Run) -> list[Run]:
    """The run, and its reruns and follow-ups, each with its own behind it."""
    found: list[Run] = []
    known = {run.run_id}
    waiting = [run]
    while waiting:
        parent = waiting.pop()
        found.append(parent)
        listed = client.iterate_runs(RunFilter(parent=parent.run_id), limit=None)
        # They are listed newest first: the last one, which is the oldest, is taken next.
        children = [child for child in listed if child.run_id not in known]
        known.update(child.run_id for child in children)
        waiting += children
    return found
