"""Brings an earlier run's work into the working tree, for the agent to go on from."""

from collections.abc import Callable
from pathlib import Path

from outpost_runner.git import Git, GitFailed
from outpost_runner.workspace import CloneFailed, find_reason


def apply_earlier_patch(git: Git, patch: Path, scrub: Callable[[str], str]) -> None:
    """Apply it to the tree, and leave it uncommitted; raises CloneFailed, with the tree as it was, or GitInterrupted.

    An agent made the patch. Git lets none reach out of the tree or into its repository, and runs as the agent's user.
    """
    try:
        with patch.open("rb") as file:
            git.run("apply", "--binary", "--whitespace=nowarn", "-", stdin=file)
    except GitFailed as failure:
        reason = find_reason(scrub(str(failure)))
        raise CloneFailed(f"The earlier run's patch could not be applied: {reason}") from None
