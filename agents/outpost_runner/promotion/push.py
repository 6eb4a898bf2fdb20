"""Makes the branch at the repository's host."""

import re
import tempfile
from typing import IO

from outpost_runner.git import Git, GitFailed
from outpost_runner.promotion.errors import PromotionFailed, PushRefused
from outpost_runner.promotion.remote import BRANCHES
from outpost_runner.workspace import find_reason

REMOTE_SAYS = re.compile(r"^remote: (.+)$", re.MULTILINE)
NOT_TAKEN = re.compile(r"^!\t[^\t]*\t(.+)$", re.MULTILINE)
FORBIDDEN = re.compile(r"returned error: 40[134]\b|Authentication failed|could not read Username", re.IGNORECASE)
MAX_SAYING_CHARACTERS = 600
MAX_ANSWER_BYTES = 64 * 1024


def push_branch(git: Git, url: str, branch: str, commit: str) -> None:
    """Create the branch at the commit; raises PushRefused, PromotionFailed or GitInterrupted.

    The lease on nothing makes git refuse a branch that exists, also where a plain push would move it forward.
    """
    reference = BRANCHES + branch
    options = ("--porcelain", "--no-follow-tags", "--recurse-submodules=no", f"--force-with-lease={reference}:")
    with tempfile.TemporaryFile(dir=git.scratch) as answer:
        try:
            git.run("push", *options, "--", url, f"{commit}:{reference}", stdout=answer)
        except GitFailed as failure:
            raise _judge(str(failure), _read(answer)) from failure


def _judge(complaint: str, answer: str) -> PromotionFailed:
    not_taken = NOT_TAKEN.findall(answer)
    if not_taken:
        saying = "; ".join([*not_taken, *REMOTE_SAYS.findall(complaint)])
        return PushRefused(f"The repository did not take the branch: {saying[:MAX_SAYING_CHARACTERS]}")
    if FORBIDDEN.search(complaint):
        return PushRefused(f"The repository's host refused the push: {find_reason(complaint)}")
    return PromotionFailed(f"The branch could not be pushed: {find_reason(complaint)}")


def _read(answer: IO[bytes]) -> str:
    answer.seek(0)
    return answer.read(MAX_ANSWER_BYTES).decode(errors="replace")
