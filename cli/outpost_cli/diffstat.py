"""Counts the changed lines of each file in a git diff."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

FILE_HEADER = b"diff --git "
TWO_NAMES = re.compile(rb'.* (?P<new>"b/.*"|b/.*)')
ESCAPE = re.compile(rb"\\(?:(?P<octal>[0-7]{3})|(?P<character>.))")
ESCAPED_CHARACTERS = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
HUNK_HEADER = re.compile(rb"@@ -\d+(?:,(?P<old>\d+))? \+\d+(?:,(?P<new>\d+))? @@")
BINARY_MARKS = (b"GIT binary patch", b"Binary files ")


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a diff, by its new name as git writes it."""

    name: str
    insertions: int = 0
    deletions: int = 0
    is_binary: bool = False


def read_changes(diff: bytes) -> list[FileChange]:
    """The files of a diff in its order.

    Lines inside a hunk are never taken for headers: the hunk's own header says how many there are.
    """
    return [count_file(lines) for lines in split_files(diff)]


def split_files(diff: bytes) -> Iterator[list[bytes]]:
    """The lines of each file's part of the diff."""
    lines: list[bytes] = []
    left_in_hunk = 0
    for line in diff.split(b"\n"):
        if left_in_hunk == 0 and line.startswith(FILE_HEADER):
            if lines:
                yield lines
            lines = []
        left_in_hunk = follow_hunk(line, left_in_hunk)
        lines.append(line)
    if lines and lines[0].startswith(FILE_HEADER):
        yield lines


def follow_hunk(line: bytes, left: int) -> int:
    """How many old and new lines the hunk still has after this line; a context line is one of each."""
    if left == 0:
        header = HUNK_HEADER.match(line)
        return sum(int(count) if count is not None else 1 for count in header.group("old", "new")) if header else 0
    if line.startswith(b"\\"):
        return left
    return left - (1 if line[:1] in {b"+", b"-"} else 2)


def count_file(lines: list[bytes]) -> FileChange:
    change = FileChange(name=read_new_name(lines[0].removeprefix(FILE_HEADER)))
    left = 0
    for line in lines[1:]:
        if left == 0 and line.startswith(BINARY_MARKS):
            return replace(change, is_binary=True)
        if left and line.startswith(b"+"):
            change = replace(change, insertions=change.insertions + 1)
        elif left and line.startswith(b"-"):
            change = replace(change, deletions=change.deletions + 1)
        left = follow_hunk(line, left)
    return change


def read_new_name(names: bytes) -> str:
    """The new name of `a/old b/new`. Names may hold blanks; unless the file was renamed both halves are alike."""
    middle = len(names) // 2
    old, new = names[:middle], names[middle + 1 :]
    if old.replace(b"a/", b"b/", 1) != new:
        match = TWO_NAMES.fullmatch(names)
        new = match.group("new") if match else names
    if new.startswith(b'"'):
        new = ESCAPE.sub(unescape, new.strip(b'"'))
    return new.removeprefix(b"b/").decode(errors="replace")


def unescape(match: re.Match[bytes]) -> bytes:
    """One escape of git's quoted names, which are those of C."""
    if match.group("octal"):
        return bytes([int(match.group("octal"), 8) & 0xFF])
    escaped: bytes = match.group("character")
    return ESCAPED_CHARACTERS.get(escaped, escaped)
