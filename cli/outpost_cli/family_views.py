"""How runs that belong together look to a person: a tree."""

from rich.text import Text
from rich.tree import Tree

from outpost_cli.family import Kin
from outpost_cli.models.run import Run
from outpost_cli.output import make_safe
from outpost_cli.run_views import shorten
from outpost_cli.views import format_outcome, format_start


def render_chain(kin: Kin, *, run_id: str) -> Tree:
    """The tree from the first run down; the run that was asked for stands out."""
    tree = Tree(format_kin(kin.run, run_id=run_id), guide_style="dim")
    add_children(tree, kin, run_id=run_id)
    return tree


def add_children(branch: Tree, kin: Kin, *, run_id: str) -> None:
    for child in kin.children:
        add_children(branch.add(format_kin(child.run, run_id=run_id)), child, run_id=run_id)


def format_kin(run: Run, *, run_id: str) -> Text:
    """What it is, how it stands or ended, and below that its task."""
    line = format_outcome(run) if run.is_terminal else format_start(run)
    line.append(f" [{make_safe(run.parent_kind)}]" if run.parent_kind else "", style="dim")
    line.append(f"\n{make_safe(shorten(run.task) or '')}", style="dim")
    if run.run_id == run_id:
        line.stylize("bold", 0, len(run.run_id))
    return line
