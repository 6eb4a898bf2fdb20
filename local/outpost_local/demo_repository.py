"""The repository that the demo works on: a bare clone of this very checkout, or a small one when there is none."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

REPOSITORY_NAME = "demo/outpost"
BRANCH = "demo"
README = "# A small repository\n\nThe demo of Outpost works on it.\n"
AUTHOR = ["-c", "user.name=Outpost demo", "-c", "user.email=demo@example.com"]


@dataclass(frozen=True, slots=True)
class DemoRepository:
    """A bare repository below `folder`: of the checkout, or a small one made up."""

    folder: Path
    is_checkout: bool
    commit: str

    @property
    def origin(self) -> str:
        return "this checkout" if self.is_checkout else "a small repository made for the demo"


def make_repository(folder: Path, *, checkout: Path) -> DemoRepository:
    """Makes `demo/outpost.git` below the folder, with one default branch at the checkout's commit."""
    bare = folder / f"{REPOSITORY_NAME}.git"
    bare.parent.mkdir(parents=True)
    is_checkout = has_commit(checkout)
    if is_checkout:
        run_git("clone", "--quiet", "--bare", str(checkout), str(bare))
    else:
        make_small_repository(folder / "small", bare)
    commit = run_git("rev-parse", "HEAD", folder=bare).strip()
    # The checkout may be on no branch, as in many CI systems; a clone of such a repository would have none either.
    run_git("update-ref", f"refs/heads/{BRANCH}", commit, folder=bare)
    run_git("symbolic-ref", "HEAD", f"refs/heads/{BRANCH}", folder=bare)
    return DemoRepository(folder=folder, is_checkout=is_checkout, commit=commit)


def has_commit(checkout: Path) -> bool:
    """Whether the folder is the top of a repository that git is willing to read and that has a commit."""
    try:
        top = run_git("rev-parse", "--show-toplevel", folder=checkout).strip()
        run_git("rev-parse", "--verify", "--quiet", "HEAD^{commit}", folder=checkout)
    except subprocess.CalledProcessError:
        return False
    return Path(top).resolve() == checkout.resolve()


def make_small_repository(work: Path, bare: Path) -> None:
    work.mkdir()
    run_git("init", "--quiet", folder=work)
    (work / "README.md").write_text(README, encoding="utf-8")
    run_git("add", "README.md", folder=work)
    run_git(*AUTHOR, "commit", "--quiet", "--no-gpg-sign", "--message", "Begin", folder=work)
    run_git("clone", "--quiet", "--bare", str(work), str(bare))


def check_patch_applies(patch: bytes, *, clone_url: str, folder: Path) -> str | None:
    """None when `git apply --check` accepts the patch on a fresh clone, else git's own words."""
    run_git("clone", "--quiet", "--depth", "1", clone_url, str(folder))
    check = subprocess.run(
        ["git", "apply", "--check", "--index", "-"],
        cwd=folder,
        input=patch,
        env=make_environment(),
        capture_output=True,
        check=False,
    )
    return None if check.returncode == 0 else check.stderr.decode(errors="replace").strip()


def run_git(*arguments: str, folder: Path | None = None) -> str:
    """The output of one git command. Raises CalledProcessError."""
    completed = subprocess.run(
        ["git", *arguments], cwd=folder, env=make_environment(), capture_output=True, text=True, check=True
    )
    return completed.stdout


def make_environment() -> dict[str, str]:
    """Our environment without git's own variables, which a hook may have set, and without a proxy to loopback."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_TERMINAL_PROMPT": "0", "no_proxy": "127.0.0.1,localhost"}
