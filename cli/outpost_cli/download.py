"""Downloads a run's files: whole, checked against their SHA-256, and never outside of the chosen folder."""

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from outpost_cli.client import OutpostClient
from outpost_cli.errors import DownloadFailed, UsageRefused
from outpost_cli.models.result import StoredFile
from outpost_cli.output import CONTROL_CHARACTER
from outpost_cli.retrying import retry

CHUNK_BYTES = 256 * 1024
# An agent chose the name: what it writes here must not become somebody's repository settings.
FORBIDDEN_PARTS = frozenset({"", ".", "..", ".git"})
# Separators elsewhere, drive letters, and what would break a line of output.
STRANGE_CHARACTER = re.compile(r"[\\:\t\n]")
OnProgress = Callable[[int], None]


def choose_target(folder: Path, name: str) -> Path:
    """Where a file of this name goes below the folder. Raises DownloadFailed for a name that would leave it."""
    parts = name.split("/")
    is_strange = STRANGE_CHARACTER.search(name) is not None or CONTROL_CHARACTER.search(name) is not None
    if is_strange or any(part.lower() in FORBIDDEN_PARTS for part in parts):
        raise DownloadFailed(
            f"The file name {name!r} is not safe to write.", remedy="Fetch that file by its URL: --json lists it."
        )
    target = folder.joinpath(*parts)
    # A link that lies in the folder already could lead out of it.
    if not target.resolve().is_relative_to(folder.resolve()):
        raise DownloadFailed(f"{target} leads out of {folder}.", remedy="Choose a folder without links in it.")
    return target


@dataclass(frozen=True, slots=True)
class Download:
    """One file on its way to disk. It appears under its name only when it is whole."""

    client: OutpostClient
    file: StoredFile
    target: Path
    may_overwrite: bool

    def run(self, on_progress: OnProgress) -> None:
        """Fetches the file; `on_progress` gets the bytes so far. Nothing is left behind on failure."""
        if self.target.is_symlink() or (self.target.exists() and not self.target.is_file()):
            # It would be replaced itself, as /dev/stdout and /dev/null would by who may do that.
            raise UsageRefused(f"{self.target} is not a regular file.", remedy="Choose another place.")
        if self.target.exists() and not self.may_overwrite:
            raise UsageRefused(f"{self.target} exists.", remedy="Choose another place, or add --overwrite.")
        try:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            part = self.target.with_name(f".{secrets.token_hex(8)}.part")
            try:
                retry(lambda: self._fetch(part, on_progress))
                part.replace(self.target)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise UsageRefused(f"{self.target} cannot be written: {error}.", remedy="Choose another place.") from error

    def _fetch(self, part: Path, on_progress: OnProgress) -> None:
        with self.client.stream_presigned(self.file.url) as response, part.open("wb") as target:
            digest, size_bytes = self._copy(response, target.write, on_progress)
        if size_bytes != self.file.size_bytes or digest != self.file.sha256.lower():
            raise DownloadFailed(
                f"{self.file.name} arrived with {size_bytes} bytes and SHA-256 {digest}; expected were "
                f"{self.file.size_bytes} bytes and {self.file.sha256}.",
                remedy="Download it again; if it happens twice, tell whoever runs the service.",
            )

    def _copy(
        self, response: httpx.Response, write: Callable[[bytes], int], on_progress: OnProgress
    ) -> tuple[str, int]:
        """SHA-256 and size of what came. Stops once it is more than was announced."""
        digest = hashlib.sha256()
        size_bytes = 0
        for chunk in response.iter_bytes(CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += len(chunk)
            if size_bytes > self.file.size_bytes:
                break
            write(chunk)
            on_progress(size_bytes)
        return digest.hexdigest(), size_bytes
