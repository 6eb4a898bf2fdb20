"""Makes and reads archives as a kept workspace has them."""

import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

ARCHIVE = "workspace.tar.zst"
needs_zstd = pytest.mark.skipif(shutil.which("zstd") is None, reason="a workspace is packed with zstd")


def read_archive(packed: bytes) -> dict[str, tarfile.TarInfo]:
    with open_archive(packed) as archive:
        return {member.name: member for member in archive}


@contextmanager
def open_archive(packed: bytes) -> Iterator[tarfile.TarFile]:
    content = subprocess.run(["zstd", "-dc"], input=packed, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        yield archive


def add_to_archive(packed: bytes, *members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """The archive with these members after its own."""
    content = io.BytesIO()
    with open_archive(packed) as before, tarfile.open(fileobj=content, mode="w") as after:
        for member in before:
            after.addfile(member, before.extractfile(member) if member.isreg() else None)
        for member, text in members:
            member.size = len(text)
            after.addfile(member, io.BytesIO(text))
    return compress(content.getvalue())


def compress(content: bytes) -> bytes:
    return subprocess.run(["zstd", "-q", "-c"], input=content, capture_output=True, check=True).stdout


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode = kind, target, mode
    return made
