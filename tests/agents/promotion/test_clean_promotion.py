"""A run's patch becomes a commit, a branch and a pull request, and nothing of it is lost or added."""

import random
from pathlib import Path

from ..repository import git
from .promotion_platform import BRANCH, RUN_ID
from .upstream import change_line


def describe(upstream, template, revision=BRANCH):
    return git(upstream.bare, "log", "-1", f"--format={template}", revision)


def test_the_end_tells_commit_and_pull_request(platform, run, upstream, git_url):
    runner = run()
    assert runner.process.returncode == 0, runner.raw.decode()
    assert platform.completion == {
        "outcome": "promoted",
        "branch": BRANCH,
        "baseBranch": "main",
        "commit": upstream.find(BRANCH),
        "pullRequest": {"number": 1, "url": "https://github.com/acme/project/pull/1", "draft": False},
        "compareUrl": f"{git_url.removesuffix('.git')}/compare/main...{BRANCH}",
        "error": None,
        "conflicts": [],
    }


def test_the_commit_is_the_patch_on_the_base(run, upstream):
    run()
    assert upstream.read(BRANCH, "src/main.py").encode() == change_line(10, "changed").strip()
    assert git(upstream.bare, "diff", "--name-only", "main", BRANCH) == "src/main.py"
    assert describe(upstream, "%P") == upstream.base


def test_the_other_branches_stay_as_they_are(run, upstream):
    run()
    assert upstream.branches() == ["main", BRANCH]
    assert upstream.find("main") == upstream.base


def test_the_message_is_the_title_and_the_trailers(run, upstream):
    run(trailers={"Outpost-Run": RUN_ID, "Outpost-Agent": "claude"})
    assert describe(upstream, "%B") == f"Change a line\n\nOutpost-Run: {RUN_ID}\nOutpost-Agent: claude"


def test_the_commit_is_the_authors(run, upstream):
    run(author={"name": "Ada Lovelace", "email": "ada@example.com"})
    assert (
        describe(upstream, "%an <%ae>, %cn <%ce>") == "Ada Lovelace <ada@example.com>, Ada Lovelace <ada@example.com>"
    )


def test_who_asked_for_the_run_is_its_co_author(run, upstream):
    run(coAuthor={"name": "Grace Hopper", "email": "grace@example.com"})
    assert describe(upstream, "%(trailers:key=Co-authored-by,valueonly)") == "Grace Hopper <grace@example.com>"


def test_no_title_and_no_name_brings_trailers_of_its_own(run, upstream):
    forged = "Co-authored-by: Mallory <mallory@example.com>"
    run(title=f"Title\n\n{forged}", coAuthor={"name": f"Grace\n{forged}", "email": "grace@example.com>\n"})
    keys = describe(upstream, "%(trailers:keyonly)").splitlines()
    assert keys == ["Outpost-Run", "Co-authored-by"]


def test_the_commit_is_dated_when_the_run_was_dispatched_and_not_before_its_parent(run, upstream):
    run()
    assert describe(upstream, "%ct") == describe(upstream, "%ct", "main")


def test_the_pull_request_says_what_the_claim_says(github, run):
    run(draft=True)
    assert github.bodies == [
        {
            "title": "Change a line",
            "head": BRANCH,
            "base": "main",
            "body": "What was changed, and why.\n",
            "draft": True,
        }
    ]


def test_renames_modes_links_and_binary_files_arrive_as_they_are(platform, run, upstream):
    def change(tree: Path) -> None:
        (tree / "src/old.py").rename(tree / "src/new.py")
        (tree / "data.bin").write_bytes(bytes(range(255, -1, -1)) * 16)
        (tree / "run.sh").chmod(0o755)
        (tree / "link").unlink()
        (tree / "link").symlink_to("/etc/passwd")
        (tree / "README.md").unlink()
        (tree / "a name with ünïcode and\ttab").write_bytes(b"no line end")

    run(patch=platform.store(upstream.make_patch(change)))
    change(upstream.source)
    git(upstream.source, "add", "--all")
    assert git(upstream.bare, "rev-parse", f"{BRANCH}^{{tree}}") == git(upstream.source, "write-tree")


def test_a_large_change_is_pushed_whole(platform, run, upstream):
    noise = random.Random(1).randbytes(3_000_000)  # noqa: S311  # not for secrecy; more than git sends in one piece
    run(patch=platform.store(upstream.make_patch(lambda tree: (tree / "large.bin").write_bytes(noise))))
    assert git(upstream.bare, "cat-file", "-s", f"{BRANCH}:large.bin") == "3000000"


def test_line_ends_stay_as_the_run_left_them(platform, run, upstream):
    files = {".gitattributes": b"* text=auto eol=crlf\n", "dos.txt": b"one\r\ntwo\r\n"}
    upstream.commit({".gitattributes": files[".gitattributes"]})
    run(patch=platform.store(upstream.make_patch(lambda tree: (tree / "dos.txt").write_bytes(files["dos.txt"]))))
    assert git(upstream.bare, "cat-file", "-s", f"{BRANCH}:dos.txt") == "10"
