"""A run that goes on from an earlier one's patch finds it in its tree, and its own patch holds both."""

import os

import pytest
from werkzeug.wrappers import Response

from .repository import apply_to_fresh_checkout, git
from .scripted_platform import failure

MORE = b"""diff --git a/README.md b/README.md
--- a/README.md
+++ b/README.md
@@ -1 +1,2 @@
 Hello
+more
"""


@pytest.fixture
def go_on(platform, run, cloned):
    """Run a script on the repository with this patch on it."""

    def run_it(patch, task="cat README.md", **changes):
        platform.claim["run"]["patch"] = platform.offer(patch) | changes
        return run(task)

    return run_it


def test_it_lies_uncommitted_on_the_base(platform, go_on, repository):
    assert go_on(MORE, "cat README.md; git status --porcelain").lines("stdout") == ["Hello", "more", " M README.md"]
    assert platform.completion["result"]["baseSha"] == git(repository, "rev-parse", "main")


def test_the_runs_own_patch_holds_both(platform, go_on, repository, tmp_path):
    go_on(MORE, "echo mine >> README.md; echo new > new.txt")
    fresh = apply_to_fresh_checkout(repository, platform.objects["changes.patch"], tmp_path / "fresh")
    assert (fresh / "README.md").read_text() == "Hello\nmore\nmine\n"
    assert (fresh / "new.txt").read_text() == "new\n"


def test_it_is_applied_while_the_workspace_is_prepared(platform, go_on):
    platform.delay_seconds["/runner/uploads"] = 0.5  # long enough to be told of
    go_on(MORE)
    assert platform.phases[-1] == "uploading"
    assert "running" not in platform.phases[: platform.phases.index("cloning")]


WORKS = {
    "binary files": "head -c 3000 /dev/urandom > new.bin; printf '\\0' | dd of=data.bin bs=1 seek=7 conv=notrunc",
    "renames": "git mv src/main.py lib.py; mv data.bin moved.bin; echo x >> moved.bin",
    "modes": "chmod +x README.md; echo x > run.sh; chmod +x run.sh",
    "links": "ln -s README.md link; ln -s /etc/passwd out; ln -s nowhere dangling; rm data.bin; ln -s src data.bin",
    "folders for files": "rm README.md; mkdir README.md; echo x > README.md/x; rm -r src; echo y > src",
    "odd names": "echo x > 'with space'; echo y > $'tab\\there'; echo z > 'ünï'; echo q > '\"quoted\"'",
    "empty files": ": > empty; : > README.md",
    "line ends": "printf 'a\\r\\nb' > dos.txt; printf 'Hello\\r\\n' > README.md; printf 'trailing  \\n\\n\\n' > blank",
    "deletions": "rm -r src README.md",
    "attributes": "echo '*.md -diff' > .gitattributes; echo '*.bin binary' >> .gitattributes; echo x >> README.md",
}


@pytest.mark.parametrize("script", WORKS.values(), ids=WORKS.keys())
def test_whatever_a_patch_holds_is_in_the_next_one_too(platform, run, go_on, script, tmp_path):
    run(f"{{ {script}; }} 2>/dev/null")
    patch = platform.objects.pop("changes.patch")
    platform.claim["run"]["patch"] = platform.offer(patch)
    assert run("true", {"OUTPOST_TASK_ROOT": str(tmp_path / "again")}).process.returncode == 0
    assert platform.objects["changes.patch"] == patch


def test_a_patch_that_does_not_fit_starts_no_agent(platform, go_on, task_root):
    assert go_on(MORE.replace(b"Hello", b"Other"), "touch started").process.returncode == 12
    assert platform.completion["outcome"] == "failed"
    assert platform.completion["error"]["code"] == "CLONE_FAILED"
    message = "The earlier run's patch could not be applied: patch failed: README.md:1"
    assert platform.completion["error"]["message"].startswith(message)
    assert not (task_root / "workspace" / "started").exists()


def add_file(path):
    quoted = path.encode()
    return b"diff --git a/%b b/%b\nnew file mode 100644\n--- /dev/null\n+++ b/%b\n@@ -0,0 +1 @@\n+evil\n" % (
        (quoted,) * 3
    )


LINK = b"""diff --git a/link b/link
new file mode 120000
--- /dev/null
+++ b/link
@@ -0,0 +1 @@
+%b
\\ No newline at end of file
"""
HOSTILE = (
    "../evil",
    "../../evil",
    "a/../../evil",
    ".git/evil",
    ".git/hooks/post-checkout",
    "src/.git/evil",
    ".GIT/evil",
)


@pytest.mark.parametrize("path", HOSTILE)
def test_a_patch_that_leads_out_of_the_tree_is_refused_whole(platform, go_on, task_root, path):
    assert go_on(MORE + add_file(path)).process.returncode == 12
    assert platform.completion["error"]["code"] == "CLONE_FAILED"
    assert (task_root / "workspace" / "README.md").read_text() == "Hello\n"
    assert not os.path.lexists(task_root / "workspace" / path)


def test_a_patch_does_not_write_to_an_absolute_path(platform, go_on, tmp_path):
    go_on(MORE + add_file(f"{tmp_path}/evil"))
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("target", ["..", "../private", "/tmp", ".git"])
def test_a_patch_does_not_write_through_a_link_that_it_makes(platform, go_on, task_root, target):
    assert go_on(LINK % target.encode() + add_file("link/evil")).process.returncode == 12
    assert platform.completion["error"]["code"] == "CLONE_FAILED"
    assert not (task_root / "workspace" / target / "evil").exists()


SPOILT = {
    "of another content": ({"sha256": "0" * 64}, "its content is not what was stored"),
    "larger than told": ({"sizeBytes": len(MORE) - 1}, f"it is larger than its {len(MORE) - 1} bytes"),
    "smaller than told": ({"sizeBytes": len(MORE) + 1}, f"it broke off after {len(MORE)} of {len(MORE) + 1} bytes"),
}


@pytest.mark.parametrize(("changes", "reason"), SPOILT.values(), ids=SPOILT.keys())
def test_a_file_that_is_not_what_the_claim_says_is_refused(platform, go_on, changes, reason):
    assert go_on(MORE, **changes).process.returncode == 12
    assert platform.completion["error"]["code"] == "CLONE_FAILED"
    assert reason in platform.completion["error"]["message"]


@pytest.mark.parametrize("status", [403, 404])
def test_a_store_that_refuses_is_asked_once(platform, go_on, status):
    platform.always["/earlier/earlier"] = Response("No.", status)
    assert go_on(MORE).process.returncode == 12
    assert f"the store answered {status}" in platform.completion["error"]["message"]


def test_it_is_fetched_before_the_clone(platform, run):
    platform.claim["run"]["repo"] = {"url": "http://127.0.0.1:9/nowhere.git", "branch": None}
    platform.claim["run"]["patch"] = platform.offer(MORE)
    run("true")
    assert platform.fetched == ["earlier"]


def test_a_store_that_fails_in_passing_is_asked_again(platform, go_on):
    platform.script["/earlier/earlier"].extend([failure(503), failure(500)])
    assert go_on(MORE).lines("stdout") == ["Hello", "more"]


def test_a_stop_ends_the_download(platform, start, cloned):
    platform.delay_seconds["/earlier/earlier"] = 10
    platform.claim["run"]["patch"] = platform.offer(MORE)
    runner = start("true")
    runner.wait_until_it_shows("Fetching the earlier run's patch.")
    runner.terminate()
    assert runner.wait() == 143
    assert runner.seconds < 8
    assert platform.completion["outcome"] == "cancelled"


def test_the_deadline_ends_the_download(platform, run, cloned):
    platform.delay_seconds["/earlier/earlier"] = 10
    platform.claim["run"]["patch"] = platform.offer(MORE)
    assert run("true", timeoutSeconds=1).process.returncode == 11
    assert platform.completion["error"]["code"] == "RUN_TIMEOUT"


def test_its_address_is_in_no_log_and_no_report(platform, go_on):
    runner = go_on(MORE, sha256="0" * 64)
    assert "signature" not in runner.raw.decode() + str(platform.completion)


def test_a_large_patch_is_in_nobodys_memory(platform, run, cloned, tmp_path):
    limits = platform.claim["limits"] | {"patchBytes": 200_000_000}
    run("head -c 40M /dev/urandom > big", limits=limits)
    platform.claim["run"]["patch"] = platform.offer(platform.objects["changes.patch"])
    runner = run("stat -c %s big", {"OUTPOST_TASK_ROOT": str(tmp_path / "again")})
    assert runner.lines("stdout") == [str(40 * 1024**2)]
    assert runner.peak_memory_mb < 100


def test_without_a_repository_it_lies_on_the_empty_beginning(platform, run):
    platform.claim["run"]["patch"] = platform.offer(add_file("new.txt"))
    assert run("cat new.txt; git status --porcelain").lines("stdout") == ["evil", "?? new.txt"]
    assert platform.completion["result"]["filesChanged"] == 1
