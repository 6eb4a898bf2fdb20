"""Reads files out of a commit: ordinary ones of a moderate size, and nothing that leads elsewhere."""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from outpost_runner.git import Git
from outpost_runner.workspace import Base

MAX_LISTING_BYTES = 4 * 1024 * 1024
MAX_FILE_BYTES = 256 * 1024
MAX_PATH_CHARACTERS = 200
# Links and submodules have other modes and are not there.
ENTRY = re.compile(rb"100(?:644|755) blob ([0-9a-f]{40,64}) +(\d+)\t(.+)", re.DOTALL)
# A line end and a tab are the only control characters that text needs; an argument list could not hold a NUL.
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class RepositoryFile:
    path: str
    blob: str


def list_files(git: Git, base: Base, folder: str | None = None) -> Iterator[RepositoryFile]:
    """The ordinary files at the top of the base commit, or anywhere in a folder; in a huge tree only the first.

    Raises what Git.run raises. A name with control characters, or that is no text, is no name of a note.
    """
    places = [] if folder is None else ["-r"]
    paths = [] if folder is None else [f"{folder}/"]
    listing = _run(
        git, base, MAX_LISTING_BYTES, "ls-tree", "-z", "--long", "--full-tree", *places, base.commit, "--", *paths
    )
    for line in listing.split(b"\0")[:-1]:
        entry = ENTRY.fullmatch(line)
        if entry is None or int(entry[2]) > MAX_FILE_BYTES:
            continue
        path = entry[3].decode(errors="replace")
        if path.isprintable() and "\ufffd" not in path and len(path) <= MAX_PATH_CHARACTERS:
            yield RepositoryFile(path, entry[1].decode())


def read_text(git: Git, base: Base, file: RepositoryFile) -> str | None:
    """The file's text with plain line ends; None when it is no text."""
    content = _run(git, base, MAX_FILE_BYTES, "cat-file", "blob", file.blob)
    if b"\0" in content:
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return CONTROL_CHARACTERS.sub("", text)


def _run(git: Git, base: Base, limit_bytes: int, *arguments: str) -> bytes:
    with tempfile.TemporaryFile(dir=git.scratch) as answer:
        git.run(f"--git-dir={base.repository}", *arguments, stdout=answer)
        answer.seek(0)
        return answer.read(limit_bytes)
