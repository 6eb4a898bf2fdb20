"""Makes an agent's working tree something that git can take in whole."""

import os
import stat
from itertools import count
from pathlib import Path


def clean_tree(workspace: Path, aside: Path) -> None:
    """Move to `aside` each repository inside the tree, whose files stay; and pipes, sockets and devices.

    Git would record a repository inside as a bare commit id, whose content nobody has, and would fail on one without a
    commit or on a pipe in a file's place. The tree is thrown away afterwards, so nothing is lost.
    """
    aside.mkdir()
    names = count()
    waiting = [str(workspace)]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                found = [(entry.path, entry.name, entry.stat(follow_symlinks=False).st_mode) for entry in entries]
        except OSError:
            continue  # unreadable, or a path longer than the system takes: git leaves it out as well
        for path, name, mode in found:
            if name == ".git" or not (stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode)):
                _move(path, aside / str(next(names)))
            elif stat.S_ISDIR(mode):
                waiting.append(path)


def _move(path: str, target: Path) -> None:
    try:
        os.rename(path, target)  # noqa: PTH104  # a name of any bytes, as scandir gave it
    except OSError:
        return  # in a folder that may not be written: git says what it makes of it
