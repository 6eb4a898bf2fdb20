"""Finds the files that an agent left for the caller, within the limits and within bounded time and memory."""

import heapq
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from outpost_runner.claim import Limits
from outpost_runner.redaction import Redactor
from outpost_runner.uploads import Upload, UploadKind, describe_file

MAX_NAME_CHARACTERS = 255
# An object's key may have 1,024 bytes, and the run's own part of it comes before the name.
MAX_NAME_BYTES = 700
# Entries that are no artifact: folders, links, files that are refused.
MAX_PASSED_OVER = 10_000
FIRST_PRINTABLE = " "
FORBIDDEN = frozenset("\\\x7f")
TOO_MANY = "There are too many artifacts to look at: it and what follows are left out."
TOO_LATE = "No time was left to look at it and at what follows."
UNREADABLE = "It cannot be read."
TELLTALE_NAME = "Its name holds a secret."
CHANGED = "It is not the file that was found."
ALL_ARTIFACTS = "."
BAD_NAME = "Its name is longer than 255 characters or 700 bytes, or holds characters that a name must not have."
UNPRINTABLE = "\ufffd"


@dataclass(frozen=True)
class Omission:
    name: str
    reason: str


@dataclass
class Artifacts:
    uploads: list[Upload] = field(default_factory=list)
    omitted: list[Omission] = field(default_factory=list)


def collect_artifacts(folder: Path, limits: Limits, is_time_left: Callable[[], bool], redactor: Redactor) -> Artifacts:
    """Regular files below `folder`, by name; links are neither followed nor kept, and no name holds a secret."""
    search = _Search(folder, limits, is_time_left, redactor)
    if folder.is_dir() and not folder.is_symlink():
        search.go_through()
    return search.found


class _Search:
    """Goes through the tree by name, folder by folder; no more entries wait than may still be looked at."""

    def __init__(self, folder: Path, limits: Limits, is_time_left: Callable[[], bool], redactor: Redactor) -> None:
        self.found = Artifacts()
        self._folder = folder
        self._limits = limits
        self._is_time_left = is_time_left
        self._redact = redactor.redact
        self._left = limits.artifact_count + MAX_PASSED_OVER
        self._total_bytes = 0

    def go_through(self) -> None:
        try:
            waiting = self._list(str(self._folder))
        except OSError:
            waiting = []
            self.found.omitted.append(Omission(ALL_ARTIFACTS, UNREADABLE))
        while waiting:
            entry = waiting.pop()
            name = entry.path.removeprefix(f"{self._folder}/")
            if not (self._left and self._is_time_left()):
                # The first, since not all omissions are told.
                self.found.omitted.insert(0, Omission(self._show(name), TOO_LATE if self._left else TOO_MANY))
                return
            self._left -= 1
            waiting += self._look_at(entry, name)
            del waiting[: -self._left - 1]

    def _look_at(self, entry: os.DirEntry[str], name: str) -> list[os.DirEntry[str]]:
        """Keep a file or say why not; what is in a folder is for the search to go on with."""
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            if not (is_folder or entry.is_file(follow_symlinks=False)):
                return []
            reason = self._find_fault(name)
            if reason is None and is_folder:
                return self._list(entry.path)
            reason = reason or self._keep(name, entry)
        except OSError:
            reason = UNREADABLE
        if reason is not None:
            self.found.omitted.append(Omission(self._show(name), reason))
        return []

    def _find_fault(self, name: str) -> str | None:
        """Why nothing of this name is kept, if so."""
        if self._redact(name) != name:
            return TELLTALE_NAME
        return None if _is_acceptable(name) else BAD_NAME

    def _keep(self, name: str, entry: os.DirEntry[str]) -> str | None:
        """None when it is kept, else the reason why it is not."""
        limits, size = self._limits, entry.stat(follow_symlinks=False).st_size
        if size > limits.artifact_bytes:
            return f"It is larger than {limits.artifact_bytes} bytes."
        if len(self.found.uploads) >= limits.artifact_count:
            return f"There are more than {limits.artifact_count} artifacts."
        if self._total_bytes + size > limits.artifacts_total_bytes:
            return f"All artifacts together are larger than {limits.artifacts_total_bytes} bytes."
        upload = describe_file(name, UploadKind.ARTIFACT, Path(entry.path))
        if (upload.file_id.inode, upload.size_bytes) != (entry.inode(), size):
            return CHANGED
        self.found.uploads.append(upload)
        self._total_bytes += size
        return None

    def _list(self, folder: str) -> list[os.DirEntry[str]]:
        """The first entries by name, the very first last; one more than may be looked at, so that the rest is told."""
        with os.scandir(folder) as entries:
            return heapq.nsmallest(self._left + 1, self._in_time(entries), key=lambda entry: entry.name)[::-1]

    def _in_time(self, entries: Iterable[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
        """At least one, by which it is told that the others were not looked at."""
        for entry in entries:
            yield entry
            if not self._is_time_left():
                return

    def _show(self, name: str) -> str:
        """Without secrets, short, printable, and Unicode."""
        shown = self._redact(name)[:MAX_NAME_CHARACTERS]
        return "".join(each if each.isprintable() else UNPRINTABLE for each in shown)


def _is_acceptable(name: str) -> bool:
    """What the broker takes: Unicode (surrogates stand for bytes that are none) without backslashes and controls."""
    if len(name) > MAX_NAME_CHARACTERS or any(each < FIRST_PRINTABLE or each in FORBIDDEN for each in name):
        return False
    try:
        return len(name.encode()) <= MAX_NAME_BYTES
    except UnicodeEncodeError:
        return False
