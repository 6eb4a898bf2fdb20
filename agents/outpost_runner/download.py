"""Brings a stored file of an earlier run to disk, whole and unchanged or not at all."""

import hashlib
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import IO

from outpost_runner.claim import StoredFile
from outpost_runner.http_request import Unreachable, fetch
from outpost_runner.patience import Patience, PatienceEnded
from outpost_runner.retries import Backoff

STORE_TIMEOUT_SECONDS = 30.0
ATTEMPTS = 5
GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


class DownloadFailed(Exception):
    """The file could not be had, and may be whole all the same; the message says why and names no address."""


class StoredFileLost(DownloadFailed):
    """The file is proved to be gone, or not to be what was stored: nobody will ever have it."""


def download_file(file: StoredFile, path: Path, patience: Patience, backoff: Backoff) -> None:
    """Write the file to `path`, never more of it than its size; what passes is tried again. Raises DownloadFailed."""
    for attempt in count(1):
        try:
            patience.wait_for(lambda: _download(file, path, patience))
        except (Unreachable, PatienceEnded) as error:
            if attempt == ATTEMPTS or patience.remaining() <= 0:
                raise DownloadFailed(f"it could not be downloaded: {error}") from error
            patience.pause(backoff.delay(attempt))
        else:
            return


def _download(file: StoredFile, path: Path, patience: Patience) -> None:
    with path.open("wb") as target:
        sink = _Sink(file, target, patience)
        status = fetch(file.url, sink.take, timeout_seconds=STORE_TIMEOUT_SECONDS)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unreachable(f"the store answered {status}")
    if status in GONE:
        raise StoredFileLost(f"the store answered {status}")
    if status != HTTPStatus.OK:
        raise DownloadFailed(f"the store answered {status}")
    sink.finish()


class _Sink:
    """Takes the blocks, and breaks off when patience ends: a slow store cannot use up the run's time."""

    def __init__(self, file: StoredFile, target: IO[bytes], patience: Patience) -> None:
        self._file = file
        self._target = target
        self._patience = patience
        self._size = 0
        self._digest = hashlib.sha256()

    def take(self, block: bytes) -> None:
        if self._patience.remaining() <= 0:
            raise TimeoutError("no time is left")
        self._size += len(block)
        if self._size > self._file.size_bytes:
            raise StoredFileLost(f"it is larger than its {self._file.size_bytes} bytes")
        self._digest.update(block)
        try:
            self._target.write(block)
        except OSError as error:
            raise DownloadFailed(f"it could not be written: {error.strerror}") from error

    def finish(self) -> None:
        if self._size < self._file.size_bytes:
            raise Unreachable(f"it broke off after {self._size} of {self._file.size_bytes} bytes")
        if self._digest.hexdigest() != self._file.sha256:
            raise StoredFileLost("its content is not what was stored")
