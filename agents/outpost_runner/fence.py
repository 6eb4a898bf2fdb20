"""Fences off the words of others in what a model reads."""

from collections.abc import Sequence
from itertools import count


def choose_fence(name: str, texts: Sequence[str]) -> str:
    """A tag that none of the texts contains, so that none can end its part or begin another."""
    lowered = "\n".join(texts).lower()
    return next(fence for fence in (f"{name}-{number}" for number in count(1)) if fence not in lowered)
