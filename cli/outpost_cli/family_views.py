"""How runs that belong together look to a person: a tree."""

from collections import Counter
from collections.abc import Sequence

from rich.text import Text
from rich.tree import Tree

from outpost_cli.models.run import Run
from outpost_cli.output import make_safe
from outpost_cli.run_views import shorten
from outpost_cli.views import format_outcome, format_start


def render_chain(runs: Sequence[Run], *, run_id: str) -> Tree:
    """The tree from the first run down; the run that was asked for stands out.

    The only run that came from another stands below it, and only where there are several there are branches: a long
    chain would not fit otherwise.
    """
    siblings = Counter(run.parent_run_id for run in runs[1:])
    label = format_kin(runs[0], run_id=run_id)
    root = Tree(label, guide_style="dim"), label
    branches = {runs[0].run_id: root}
    for run in runs[1:]:
        tree, label = branches.get(run.parent_run_id or "", root)
        text = format_kin(run, run_id=run_id)
        if siblings[run.parent_run_id] == 1:
            label.append("\n").append_text(text)
            branches[run.run_id] = tree, label
        else:
            branches[run.run_id] = tree.add(text), text
    return root[0]


def format_kin(run: Run, *, run_id: str) -> Text:
    """What it is, how it stands or ended, and below that its task."""
    line = format_outcome(run) if run.is_terminal else format_start(run)
    line.append(f" [{make_safe(run.parent_kind)}]" if run.parent_kind else "", style="dim")
    line.append(f"\n{make_safe(shorten(run.task) or '')}", style="dim")
    if run.run_id == run_id:
        line.stylize("bold", 0, len(run.run_id))
    return line
