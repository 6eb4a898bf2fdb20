"""The runs that belong together because one came after the other."""

from dataclasses import dataclass

from outpost_cli.client import OutpostClient, RunFilter
from outpost_cli.errors import NotFound
from outpost_cli.models.run import Run


@dataclass(frozen=True, slots=True)
class Kin:
    """A run with those that came after it."""

    run: Run
    children: tuple["Kin", ...]

    def list_runs(self) -> list[Run]:
        """This run and all below it, each before those that came after it."""
        return [self.run, *(run for child in self.children for run in child.list_runs())]


def read_chain(client: OutpostClient, run_id: str) -> Kin:
    """The parents of a run up to the first, the run, and all that came after it, as one tree."""
    run = client.get_run(run_id)
    kin = read_descendants(client, run, known={run_id})
    for parent in read_ancestors(client, run):
        kin = Kin(parent, (kin,))
    return kin


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


def read_descendants(client: OutpostClient, run: Run, *, known: set[str]) -> Kin:
    """The run with its reruns and follow-ups, the oldest first."""
    found = [
        child for child in client.iterate_runs(RunFilter(parent=run.run_id), limit=None) if child.run_id not in known
    ]
    known.update(child.run_id for child in found)
    return Kin(run, tuple(read_descendants(client, child, known=known) for child in reversed(found)))
