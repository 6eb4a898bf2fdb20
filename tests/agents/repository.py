"""A bare repository to serve, and the check that a patch fits its base."""

import os
import subprocess
from pathlib import Path


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Test",
        "GIT_AUTHOR_EMAIL": "test@example.com",
        "GIT_COMMITTER_NAME": "Test",
        "GIT_COMMITTER_EMAIL": "test@example.com",
    }
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, input=stdin, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode(errors="replace").strip()


def make_bare_repository(folder: Path, name: str, files: dict[str, bytes]) -> Path:
    """A repository with one commit of `files` on main, and a branch `feature` with one file more."""
    source = folder / f"{name}-source"
    source.mkdir(parents=True)
    git(source, "init", "--quiet", "--initial-branch=main")
    write_files(source, files)
    git(source, "add", "--all")
    git(source, "commit", "--quiet", "--allow-empty", "--message=Base")
    git(source, "checkout", "--quiet", "-b", "feature")
    write_files(source, {"feature.txt": b"feature\n"})
    git(source, "add", "--all")
    git(source, "commit", "--quiet", "--message=Feature")
    git(source, "checkout", "--quiet", "main")
    served = folder / "served" / f"{name}.git"
    git(folder, "clone", "--quiet", "--bare", str(source), str(served))
    return served


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def apply_to_fresh_checkout(bare: Path, patch: bytes, target: Path) -> Path:
    """Clone, check the patch, apply it; gives the checkout."""
    git(target.parent, "clone", "--quiet", str(bare), str(target))
    git(target, "apply", "--check", "-", stdin=patch)
    git(target, "apply", "-", stdin=patch)
    return target
