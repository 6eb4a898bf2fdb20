"""Git in the hands of nobody in particular."""

import os
import subprocess
from pathlib import Path


def git(*arguments: str, folder: Path) -> str:
    """Run git as nobody in particular."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        **{f"GIT_{role}_{what}": "dev@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *arguments],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()
