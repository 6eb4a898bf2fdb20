"""What the tour found: each run against what should have become of it."""

from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table
from rich.text import Text

from outpost_cli.json_fields import JsonObject
from outpost_cli.models.run import Run, RunStatus
from outpost_cli.output import make_safe, style_status
from outpost_cli.views import NOTHING, make_cell, make_table


@dataclass(slots=True)
class DemoReport:
    """Grows during the tour: its runs in order, and what was not as it should be."""

    console: Console
    runs: list[tuple[str, RunStatus, Run]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def check(self, *, promise: str, is_kept: bool) -> None:
        """Notes whether something is as it should be, and says so."""
        if is_kept:
            self.console.print(Text.assemble("  ", ("ok", "green"), f"  {make_safe(promise)}"), soft_wrap=True)
            return
        self.complaints.append(promise)
        self.console.print(Text.assemble("  ", ("NOT OK", "bold red"), f"  {make_safe(promise)}"), soft_wrap=True)

    def add_run(self, title: str, expected: RunStatus, run: Run) -> None:
        self.runs.append((title, expected, run))
        self.check(promise=f"the run ended {expected}", is_kept=run.status == expected)

    def render(self) -> Table:
        table = make_table("RUN", "WHAT", "STATUS", "ERROR", "CHANGES")
        for title, expected, run in self.runs:
            is_kept = run.status == expected
            status = style_status(run.status) if is_kept else Text(f"{run.status}, not {expected}", style="bold red")
            code = run.error.code if run.error else NOTHING
            cells: list[str | Text] = [run.run_id, title, status, code, format_changes(run)]
            table.add_row(*(make_cell(cell) for cell in cells))
        return table

    def to_document(self) -> JsonObject:
        return {
            "runs": [
                {"title": title, "expected": str(expected), "run": run.document} for title, expected, run in self.runs
            ],
            "complaints": [*self.complaints],
        }


def format_changes(run: Run) -> str:
    result = run.result
    if result is None:
        return NOTHING
    files = "1 file" if result.files_changed == 1 else f"{result.files_changed} files"
    return f"{files}, +{result.insertions} -{result.deletions}"
