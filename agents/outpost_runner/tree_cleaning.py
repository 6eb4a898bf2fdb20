"""Makes an agent's working tree something that git can take in whole, for as long as git needs it."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

Moved = list[tuple[str, Path]]


@contextmanager
def cleaned_tree(workspace: Path, aside: Path) -> Iterator[list[str]]:
    """Gives the folders of the repositories inside the tree; in the end everything is where it was.

    Meanwhile each repository inside is in `aside`, while its files stay; and so are pipes, sockets and devices. Git
    would record a repository inside as a bare commit id, whose content nobody has, and would fail on one without a
    commit or on a pipe in a file's place.
    """
    moved: Moved = []
    try:
        _clean(str(workspace), aside, moved)
        top = f"{workspace}/"
        yield [path.removeprefix(top).removesuffix("/.git") for path, _ in moved if _is_inside(path, top)]
    finally:
        for path, place in reversed(moved):
            _move(str(place), path)


def _is_inside(path: str, top: str) -> bool:
    return path.endswith("/.git") and path != f"{top}.git"


def _clean(workspace: str, aside: Path, moved: Moved) -> None:
    aside.mkdir()
    names = count()
    waiting = [workspace]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                found = [(entry.path, entry.name, entry.stat(follow_symlinks=False).st_mode) for entry in entries]
        except OSError:
            continue  # unreadable, or a path longer than the system takes: git leaves it out as well
        for path, name, mode in found:
            if name == ".git" or not (stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode)):
                place = aside / str(next(names))
                if _move(path, str(place)):
                    moved.append((path, place))
            elif stat.S_ISDIR(mode):
                waiting.append(path)


def _move(path: str, target: str) -> bool:
    """False in a folder that may not be written: git says what it makes of what is there."""
    try:
        os.rename(path, target)  # noqa: PTH104  # a name of any bytes, as scandir gave it
    except OSError:
        return False
    return True
