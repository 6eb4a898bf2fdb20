"""The repository that is promoted to, and a run's work on it."""

import os
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..repository import git, write_files

LINES = [f"line {number}\n" for number in range(1, 21)]
FILES = {
    "README.md": b"Hello\n",
    "src/main.py": "".join(LINES).encode(),
    "src/old.py": "".join(f"old {line}" for line in LINES).encode(),
    "data.bin": bytes(range(256)) * 8,
    "run.sh": b"#!/bin/sh\n",
}
DIFF = ("diff", "--cached", "--no-ext-diff", "--no-textconv", "--no-color", "--find-renames", "--binary")


def change_line(number: int, text: str) -> bytes:
    """The content of src/main.py with one line of it changed."""
    return "".join([*LINES[: number - 1], f"{text}\n", *LINES[number:]]).encode()


@dataclass(frozen=True)
class Upstream:
    """`bare` is what is served; `source` is somebody's clone of it."""

    bare: Path
    source: Path
    base: str

    def copy_to(self, folder: Path) -> "Upstream":
        """The same again, for one test."""
        bare, source = folder / "served" / self.bare.name, folder / self.source.name
        shutil.copytree(self.bare, bare)
        shutil.copytree(self.source, source, symlinks=True)
        return Upstream(bare, source, self.base)

    @classmethod
    def make(cls, folder: Path, object_format: str = "sha1") -> "Upstream":
        bare, source = folder / "served" / "project.git", folder / "source"
        bare.parent.mkdir(parents=True)
        options = ("--quiet", "--template=", "--initial-branch=main", f"--object-format={object_format}")
        git(folder, "init", *options, "--bare", str(bare))
        git(folder, "init", *options, str(source))
        write_files(source, FILES)
        (source / "link").symlink_to("README.md")
        git(source, "add", "--all")
        git(source, "commit", "--quiet", "--message=Earlier")
        git(source, "commit", "--quiet", "--allow-empty", "--message=Base")
        git(source, "push", "--quiet", str(bare), "main")
        return cls(bare, source, git(source, "rev-parse", "HEAD"))

    def find(self, branch: str) -> str | None:
        """The commit that the branch is at."""
        return git(self.bare, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}") or None

    def branches(self) -> list[str]:
        return git(self.bare, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()

    def commit(self, files: dict[str, bytes], *, removed: tuple[str, ...] = (), branch: str = "main") -> str:
        """Somebody else's commit on the branch, which begins at the base when it is new."""
        git(self.source, "checkout", "--quiet", "--detach", self.find(branch) or self.base)
        write_files(self.source, files)
        for name in removed:
            (self.source / name).unlink()
        git(self.source, "add", "--all")
        git(self.source, "commit", "--quiet", "--allow-empty", "--message=Somebody else's")
        git(self.source, "push", "--quiet", str(self.bare), f"HEAD:refs/heads/{branch}")
        return git(self.source, "rev-parse", "HEAD")

    def make_patch(self, change: Callable[[Path], object]) -> bytes:
        """What a run that changes the base like this leaves, made as the runner makes it."""
        git(self.source, "checkout", "--quiet", "--detach", self.base)
        change(self.source)
        git(self.source, "add", "--all")
        target = self.source.parent / "changes.patch"
        git(self.source, *DIFF, "--full-index", f"--output={target}", self.base)
        git(self.source, "reset", "--quiet", "--hard")
        return target.read_bytes()

    def read(self, revision: str, path: str) -> str:
        return git(self.bare, "show", f"{revision}:{path}")

    def hook(self, name: str, script: str) -> None:
        path = self.bare / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


def git_that_first(folder: Path, subcommand: str, script: str) -> dict[str, str]:
    """An environment whose git does something before this subcommand of its; in the script, git is the real one."""
    program = folder / "bin" / "git"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\nPATH={shlex.quote(os.environ['PATH'])}\n"
        f'[ "$1" != {subcommand} ] || {{ {script}; }}\nexec {shutil.which("git")} "$@"\n'
    )
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}"}
