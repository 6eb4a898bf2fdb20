"""The promotion's one commit, which says by a trailer whose work it is."""

import re
from collections.abc import Mapping
from dataclasses import replace

from outpost_runner.git import Git
from outpost_runner.promotion.claim import Person, PromotionClaim
from outpost_runner.promotion.errors import NothingToPromote

RUN_TRAILER = "Outpost-Run"
ULID = re.compile("[0-7][0-9A-HJKMNP-TV-Z]{25}")
ULID_TIME_CHARACTERS = 10
# The digits of a ULID, and those that Python reads in base 32.
DIGITS = str.maketrans("0123456789ABCDEFGHJKMNPQRSTVWXYZ", "0123456789ABCDEFGHIJKLMNOPQRSTUV")
IN_AN_ADDRESS = str.maketrans("", "", "<>")


def commit_tree(git: Git, claim: PromotionClaim, tree: str, parent: str) -> str:
    """Commit the tree on the parent; the same tree on the same parent gives the same commit at any time.

    Raises NothingToPromote when the tree is the parent's own.
    """
    if tree == git.run("rev-parse", "--verify", f"{parent}^{{tree}}"):
        raise NothingToPromote("The base branch holds this work already.")
    message = git.scratch / "message"
    message.write_text(make_message(claim), encoding="utf-8", errors="replace")
    committing = as_author(git, claim.author, choose_date(git, claim.run_id, parent))
    return committing.run("commit-tree", "--no-gpg-sign", "-p", parent, "-F", str(message), tree)


def is_of_run(git: Git, commit: str, run_id: str) -> bool:
    """Whether the commit is an earlier promotion's of this run."""
    return git.run("log", "-1", f"--format=%(trailers:key={RUN_TRAILER},valueonly)", commit, "--") == run_id


def make_message(claim: PromotionClaim) -> str:
    """The title, and the trailers; each is one line, so that no title can bring trailers of its own."""
    trailers = {**claim.trailers, RUN_TRAILER: claim.run_id}
    lines = [f"{_join(name)}: {_join(value)}" for name, value in trailers.items()]
    if claim.co_author is not None:
        lines.append(f"Co-authored-by: {_name(claim.co_author)} <{_address(claim.co_author)}>")
    title = _join(claim.title) or f"Promote the run {claim.run_id}"
    return "\n".join([title, "", *lines, ""])


def as_author(git: Git, author: Person, seconds: int) -> Git:
    """Git that commits in this name, at this Unix time."""
    names = {"NAME": _name(author), "EMAIL": _address(author), "DATE": f"@{seconds} +0000"}
    environment: Mapping[str, str] = {
        f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER") for field, value in names.items()
    }
    return replace(git, environment={**git.environment, **environment})


def choose_date(git: Git, run_id: str, parent: str) -> int:
    """When the run was dispatched, which its id tells, but never before the parent was committed."""
    committed = git.run("log", "-1", "--format=%ct", parent, "--")
    dispatched = run_id[:ULID_TIME_CHARACTERS].translate(DIGITS) if ULID.fullmatch(run_id) else "0"
    return max(int(dispatched, 32) // 1000, int(committed) if committed.isdecimal() else 0)


def _name(person: Person) -> str:
    return _join(person.name).translate(IN_AN_ADDRESS)


def _address(person: Person) -> str:
    return _join(person.email).translate(IN_AN_ADDRESS)


def _join(text: str) -> str:
    """On one line, without control characters."""
    return "".join(each for each in " ".join(text.split()) if each.isprintable())
