"""The title and the text of a promotion's pull request, made of its run where the caller has named none.

What comes from a task, an agent or a caller's own data stands in fences and code that it cannot end.
"""

import re
from itertools import chain

from outpost.domain.money import usd
from outpost.domain.promotion import PromotionWish
from outpost.domain.run import Run

TITLE_CHARACTERS = 72
QUOTED_CHARACTERS = 4_000
INLINE_CHARACTERS = 200
# Of a task whose lines have nothing to show.
UNTITLED = "The work of an agent"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_BACKTICKS = re.compile("`+")
_SHORTEST_FENCE = 3


def make_title(wish: PromotionWish, task: str) -> str:
    """The title that was asked for, else the task's first line, as far as a title goes."""
    if wish.title is not None and wish.title.strip():
        return wish.title.strip()
    line = next((line for line in map(_on_one_line, task.splitlines()) if line), UNTITLED)
    return line if len(line) <= TITLE_CHARACTERS else line[: TITLE_CHARACTERS - 1].rstrip() + "…"


def make_body(wish: PromotionWish, run: Run, task: str) -> str:
    """What a reviewer wants to know: what was asked, what came of it, at what price, and where to look."""
    if wish.body is not None:
        return f"{wish.body}\n\n{_origin(run)}"
    parts = ["### Task", _quote(task)]
    if run.result is not None and run.result.summary:
        parts += ["### What the agent says", _quote(run.result.summary)]
    return "\n\n".join([*parts, "### Run", _numbers(run), _origin(run)])


def _numbers(run: Run) -> str:
    result, cost = run.result, usd(run.cost_microusd(run.ended_at or run.created_at))
    changed = (0, 0, 0) if result is None else (result.files_changed, result.insertions, result.deletions)
    rows = [
        ("Agent", f"{run.agent}, {run.model_id}"),
        ("Changes", f"{changed[0]} files, +{changed[1]} -{changed[2]}"),
        ("Cost", f"${cost:.4f}"),
    ]
    if run.requested_by is not None:
        rows.append(("Requested by", _inline(run.requested_by)))
    if run.report is not None and run.report.check is not None:
        rows.append(("Check", f"{_inline(run.check or '')}: {'passed' if run.report.check.passed else 'failed'}"))
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _origin(run: Run) -> str:
    return f"Made by the run [`{run.run_id}`]({run.api_url}/runs/{run.run_id})."


def _quote(text: str) -> str:
    """In a fence that the text cannot end: nothing in it is a mention, a link or an image."""
    cut = text[:QUOTED_CHARACTERS]
    longest = max(chain([_SHORTEST_FENCE - 1], (len(found[0]) for found in _BACKTICKS.finditer(cut))))
    fence = "`" * (longest + 1)
    return f"{fence}text\n{cut}{'' if cut == text else ' …'}\n{fence}"


def _inline(text: str) -> str:
    """As code within a row of a table, which neither the code nor the row can be ended by."""
    shown = _on_one_line(text)[:INLINE_CHARACTERS].replace("`", "'").replace("|", "/")
    return f"`{shown or ' '}`"


def _on_one_line(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()
