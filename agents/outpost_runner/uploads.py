"""Uploads files to the addresses that the broker signs for them."""

import hashlib
import mimetypes
import os
import stat
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from io import BufferedReader
from itertools import count
from pathlib import Path, PurePosixPath
from typing import IO

from outpost_runner.broker import Broker, BrokerError, BrokerRefused, BrokerUnreachable
from outpost_runner.http_request import Answer, Unreachable, send
from outpost_runner.json_fields import JsonObject, MalformedJson
from outpost_runner.patience import Patience, PatienceEnded

# As long as a claim is tried: what may pass, such as a network that is away, passes within a minute.
ROUNDS_SECONDS = 60.0
STORE_TIMEOUT_SECONDS = 30.0
CONTENT_TYPES = {
    "changes.patch": "text/x-diff; charset=utf-8",
    "output.log": "text/plain; charset=utf-8",
    "workspace.tar.zst": "application/zstd",
}
ENCODED_TYPES = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
UNKNOWN_TYPE = "application/octet-stream"


class UploadKind(StrEnum):
    PATCH = "patch"
    LOG = "log"
    ARTIFACT = "artifact"
    WORKSPACE = "workspace"


class NotThatFile(OSError):
    """What lies there is no file, or another than the one that was found."""


@dataclass(frozen=True)
class FileId:
    device: int
    inode: int


@dataclass(frozen=True)
class Upload:
    name: str
    kind: UploadKind
    path: Path
    file_id: FileId
    size_bytes: int
    sha256: str
    content_type: str

    def to_json(self) -> dict[str, str | int]:
        return {
            "name": self.name,
            "type": self.kind.value,
            "sizeBytes": self.size_bytes,
            "sha256": self.sha256,
            "contentType": self.content_type,
        }


@dataclass(frozen=True)
class _Grant:
    upload: Upload
    url: str
    headers: dict[str, str]


@dataclass(frozen=True)
class _PatientFile:
    """A file whose reading breaks off when patience ends, so that a slow store cannot use up a stop's grace."""

    file: IO[bytes]
    patience: Patience

    def read(self, length: int = -1, /) -> bytes:
        if self.patience.remaining() <= 0:
            raise TimeoutError("no time is left")
        return self.file.read(length)


def describe_file(name: str, kind: UploadKind, path: Path) -> Upload:
    """Size, hash and type of a file that nobody changes any more; raises OSError."""
    file_id = identify(path.lstat())
    with open_file(path, file_id) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    content_type = _guess_type(name) if kind is UploadKind.ARTIFACT else CONTENT_TYPES[name]
    return Upload(name, kind, path, file_id, size, digest, content_type)


def identify(status: os.stat_result) -> FileId:
    return FileId(status.st_dev, status.st_ino)


def open_file(path: Path, file_id: FileId) -> BufferedReader:
    """The regular file that was found, whatever lies in its place or leads there by now; raises OSError."""
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode) or identify(status) != file_id:
        file.close()
        raise NotThatFile(f"{path.name} is not the file that was found")
    return file


@dataclass
class Delivery:
    """`refused`: files that the broker gives no address for, now or later."""

    delivered: list[Upload] = field(default_factory=list)
    refused: list[Upload] = field(default_factory=list)


def upload_files(broker: Broker, files: Sequence[Upload], patience: Patience, say: Callable[[str], None]) -> Delivery:
    """Upload what can be. An address may run out or break off: each round asks for new ones for the rest."""
    delivery = Delivery()
    remaining = list(files)
    gives_up_at = time.monotonic() + ROUNDS_SECONDS
    for attempt in count():
        if attempt:
            patience.pause(broker.backoff.delay(attempt))
        if not remaining or patience.remaining() <= 0 or time.monotonic() > gives_up_at:
            break
        try:
            grants, refused = _ask_for_grants(broker, remaining, patience)
        except BrokerError as error:
            say(f"No addresses to upload to: {error}")
            break
        delivery.refused += refused
        remaining = [grant.upload for grant in grants if not _put(grant, patience, say)]
        delivery.delivered += [grant.upload for grant in grants if grant.upload not in remaining]
    return delivery


def _ask_for_grants(
    broker: Broker, files: Sequence[Upload], patience: Patience
) -> tuple[list[_Grant], Sequence[Upload]]:
    """Grants, and the files that the broker refuses: it refuses all for one, so then each is asked for by itself."""
    try:
        return _ask(broker, files, patience), []
    except BrokerRefused as refusal:
        if not refusal.is_invalid():
            raise
    if len(files) == 1:
        return [], files
    grants: list[_Grant] = []
    refused: list[Upload] = []
    for file in files:
        granted, not_granted = _ask_for_grants(broker, [file], patience)
        grants += granted
        refused += not_granted
    return grants, refused


def _ask(broker: Broker, files: Sequence[Upload], patience: Patience) -> list[_Grant]:
    answer = broker.call("/runner/uploads", {"uploads": [file.to_json() for file in files]}, patience)
    try:
        places = answer.objects("uploads")
        return [_read_grant(file, place) for file, place in zip(files, places, strict=True)]
    except (MalformedJson, ValueError) as error:
        raise BrokerUnreachable(f"The addresses cannot be read: {error}") from error


def _read_grant(file: Upload, place: JsonObject) -> _Grant:
    return _Grant(file, place.text("url"), place.object("headers").texts())


def _put(grant: _Grant, patience: Patience, say: Callable[[str], None]) -> bool:
    try:
        answer = patience.wait_for(lambda: _send_file(grant, patience))
    except (Unreachable, PatienceEnded) as error:
        say(f"{grant.upload.name} was not uploaded: {error}")
        return False
    if answer.status not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
        say(f"{grant.upload.name} was not uploaded: the store answered {answer.status}.")
        return False
    return True


def _send_file(grant: _Grant, patience: Patience) -> Answer:
    try:
        opened = open_file(grant.upload.path, grant.upload.file_id)
    except OSError as error:
        raise Unreachable(f"it cannot be read: {error}") from error
    with opened as file:
        body = _PatientFile(file, patience)
        return send("PUT", grant.url, headers=grant.headers, body=body, timeout_seconds=STORE_TIMEOUT_SECONDS)


def _guess_type(name: str) -> str:
    """By the suffix alone, with Python's own table: a whole name may be read as a URL that states its type itself."""
    kind, encoding = mimetypes.MimeTypes().guess_type(f"file{PurePosixPath(name).suffix}")
    if encoding is not None:
        return ENCODED_TYPES.get(encoding, UNKNOWN_TYPE)
    return kind or UNKNOWN_TYPE
