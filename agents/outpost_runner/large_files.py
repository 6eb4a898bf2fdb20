"""Keeps files out of a patch whose difference takes git more memory than a container may have."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO

from outpost_runner.git import Git

BLOCK_BYTES = 1024 * 1024
MAX_NAMED = 3


@dataclass(frozen=True)
class _Change:
    """Of the commit's content at a path, which is none where the mode is zero."""

    path: bytes
    mode: bytes
    before: bytes
    after: bytes


def leave_out_large_files(git: Git, commit: str, limit_bytes: int) -> str | None:
    """Let the index have what the commit has of each changed file that is or was larger; gives the paths of some.

    A file that only moved or got another mode has none of its content in the patch, and stays in it.
    """
    scratch = git.scratch
    with tempfile.TemporaryFile(dir=scratch) as listing, tempfile.TemporaryFile(dir=scratch) as unchanged:
        git.run("diff-index", "--cached", "--raw", "-z", "--no-abbrev", "--find-renames=100%", commit, stdout=listing)
        large = _find_large(git, listing, limit_bytes)
        names = [_write_entry(change, unchanged) for change in large]
        if not names:
            return None
        unchanged.seek(0)
        git.run("update-index", "--replace", "-z", "--index-info", stdin=unchanged)
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def _find_large(git: Git, listing: IO[bytes], limit_bytes: int) -> Iterator[_Change]:
    with tempfile.TemporaryFile(dir=git.scratch) as objects, tempfile.TemporaryFile(dir=git.scratch) as sizes:
        for change in _read_changes(listing):
            objects.write(b"%b\n%b\n" % (change.before, change.after))
        objects.seek(0)
        git.run("cat-file", "--batch-check=%(objectsize)", stdin=objects, stdout=sizes)
        sizes.seek(0)
        for change in _read_changes(listing):
            if max(_read_size(line) for line in islice(sizes, 2)) > limit_bytes:
                yield change


def _read_changes(listing: IO[bytes]) -> Iterator[_Change]:
    """The changes of content."""
    listing.seek(0)
    fields = _read_fields(listing)
    for field in fields:
        mode, _, before, after, status = field.removeprefix(b":").split(b" ")
        path = next(fields)
        if status.startswith(b"R"):
            path = next(fields)
        if before != after:
            yield _Change(path, mode, before, after)


def _read_fields(listing: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while block := listing.read(BLOCK_BYTES):
        *fields, rest = (rest + block).split(b"\0")
        yield from fields


def _read_size(line: bytes) -> int:
    """Zero of what is no object here: of nothing, and of a submodule's commit."""
    return int(line) if line.strip().isdigit() else 0


def _write_entry(change: _Change, entries: IO[bytes]) -> str:
    entries.write(b"%b %b\t%b\0" % (change.mode, change.before, change.path))
    return change.path.decode(errors="replace")
