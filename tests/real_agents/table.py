"""The table that the suite prints: what each agent was shown to do."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import pytest

COLUMNS = ("version", "edit", "usage exact", "budget", "outage", "cancel", "canary", "task text", "context")


class Table:
    """A cell is well when all its tests passed; a test may give it a text of its own instead."""

    def __init__(self) -> None:
        self._passed: dict[tuple[str, str], bool] = defaultdict(lambda: True)
        self._texts: dict[tuple[str, str], str] = {}

    def note(self, report: pytest.TestReport) -> None:
        known = dict(report.user_properties)
        if "column" in known and (report.when == "call" or report.failed):
            cell = (str(known["agent"]), str(known["column"]))
            self._passed[cell] &= not report.failed
            if "text" in known:
                self._texts[cell] = str(known["text"])

    def lines(self, agents: Iterable[str]) -> Iterator[str]:
        rows = [("agent", *COLUMNS), *((agent, *(self._cell(agent, column) for column in COLUMNS)) for agent in agents)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()

    def _cell(self, agent: str, column: str) -> str:
        cell = (agent, column)
        if cell not in self._passed:
            return "not run"
        return self._texts.get(cell, "yes") if self._passed[cell] else "NO"
