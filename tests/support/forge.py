"""A git host with one repository, as a test sees it: what it serves, what was pushed, what was proposed."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gits import git

REPOSITORY = "acme/project"


@dataclass(frozen=True)
class Forge:
    """`upstream` is the repository itself; `github` keeps the pull requests."""

    url: str
    github: Any
    upstream: Any
    token: str = field(repr=False)

    def git(self, *arguments: str) -> str:
        """What git says of the repository itself."""
        return git(*arguments, folder=self.upstream.bare)

    def clone(self, folder: Path) -> Path:
        """A fresh clone, made over HTTP with the token."""
        parts = urlsplit(self.url)
        address = f"{parts.scheme}://x-access-token:{self.token}@{parts.netloc}/{REPOSITORY}.git"
        git("clone", "--quiet", address, "clone", folder=folder)
        return folder / "clone"

    def patched_tree(self, clone: Path, patch: bytes) -> str:
        """The tree that the clone's commit and the patch make; the clone has it in its files, too."""
        (clone.parent / "changes.patch").write_bytes(patch)
        git("apply", "--index", "../changes.patch", folder=clone)
        return git("write-tree", folder=clone)
