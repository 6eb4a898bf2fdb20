"""Finds the files that an agent left for the caller, within the limits."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from outpost_runner.claim import Limits
from outpost_runner.uploads import Upload, UploadKind, describe_file

MAX_NAME_CHARACTERS = 255
FIRST_PRINTABLE = " "
DELETE = "\x7f"


@dataclass(frozen=True)
class Omission:
    name: str
    reason: str


@dataclass
class Artifacts:
    uploads: list[Upload] = field(default_factory=list)
    omitted: list[Omission] = field(default_factory=list)
    total_bytes: int = 0


def collect_artifacts(folder: Path, limits: Limits) -> Artifacts:
    """Regular files below `folder`, by name; links are neither followed nor kept."""
    found = Artifacts()
    for path in sorted(_walk(folder)):
        name = str(path.relative_to(folder))
        reason = _refuse(name, path, found, limits)
        if reason is not None:
            shown = name.encode(errors="replace").decode()[:MAX_NAME_CHARACTERS]
            found.omitted.append(Omission("".join(character for character in shown if character.isprintable()), reason))
            continue
        upload = describe_file(name, UploadKind.ARTIFACT, path)
        found.uploads.append(upload)
        found.total_bytes += upload.size_bytes
    return found


def _walk(folder: Path) -> Iterator[Path]:
    if folder.is_symlink():
        return
    waiting = [folder]
    while waiting:
        try:
            entries = list(waiting.pop().iterdir())
        except OSError:
            continue  # gone, or too deep for a name that could be kept
        for entry in entries:
            mode = entry.lstat().st_mode
            if stat.S_ISDIR(mode):
                waiting.append(entry)
            elif stat.S_ISREG(mode):
                yield entry


def _refuse(name: str, path: Path, found: Artifacts, limits: Limits) -> str | None:
    size = path.lstat().st_size
    if len(name) > MAX_NAME_CHARACTERS or not _is_plain(name):
        return "Its name is longer than 255 characters or holds characters that a name must not have."
    if not os.access(path, os.R_OK):
        return "It cannot be read."
    if size > limits.artifact_bytes:
        return f"It is larger than {limits.artifact_bytes} bytes."
    if len(found.uploads) >= limits.artifact_count:
        return f"There are more than {limits.artifact_count} artifacts."
    if found.total_bytes + size > limits.artifacts_total_bytes:
        return f"All artifacts together are larger than {limits.artifacts_total_bytes} bytes."
    return None


def _is_plain(name: str) -> bool:
    """Unicode without control characters; surrogates stand for bytes that are not UTF-8."""
    return all(FIRST_PRINTABLE <= character != DELETE and not "\ud800" <= character <= "\udfff" for character in name)
