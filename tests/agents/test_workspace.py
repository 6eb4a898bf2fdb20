"""A kept workspace is for the next run what it was for the last, and its loss costs no run its results."""

import os

import pytest

from .repository import apply_to_fresh_checkout, git
from .scripted_platform import failure
from .snapshot_archive import ARCHIVE, needs_zstd, read_archive

pytestmark = needs_zstd
FIRST_TIME = {"snapshot": None}
KEPT = {"restored": None, "saved": True, "reason": None}
CALLERS_OWN = {"url": "http://127.0.0.1:9/nowhere.git", "branch": None}


@pytest.fixture
def keep(platform, run):
    """Run a script in a new workspace that is kept."""

    def keep_it(task, environment=None, **claim):
        platform.claim["run"]["workspace"] = FIRST_TIME
        return run(task, environment, **claim)

    return keep_it


@pytest.fixture
def again(platform, run, tmp_path):
    """Run a script in the workspace that the last run left, in a container of its own."""

    def run_again(task="true", environment=None, **claim):
        packed = platform.objects.pop(ARCHIVE)
        platform.claim["run"]["workspace"] = {"snapshot": platform.offer(packed)}
        root = tmp_path / f"again-{len(platform.calls)}"
        return run(task, {"OUTPOST_TASK_ROOT": str(root), **(environment or {})}, **claim)

    return run_again


def test_the_first_run_has_nothing_to_restore_and_leaves_its_tree(platform, keep, cloned):
    keep("echo new > new.txt")
    assert platform.completion["workspace"] == KEPT
    members = read_archive(platform.objects[ARCHIVE])
    assert {"base.git/HEAD", "workspace/.git/HEAD", "workspace/new.txt", "workspace/README.md"} <= members.keys()
    assert {name.split("/")[0] for name in members} == {"base.git", "workspace"}


def test_a_run_without_a_workspace_leaves_none(platform, run, cloned):
    run("echo new > new.txt")
    assert platform.completion["workspace"] is None
    assert ARCHIVE not in platform.objects


def test_the_next_run_finds_everything_that_the_last_one_left(platform, keep, again, cloned):
    keep("""echo build > .gitignore; mkdir build; echo cached > build/cache; echo more >> README.md
      git commit -qam mine; echo staged > staged; git add staged; git stash list; rm src/main.py""")
    runner = again("cat build/cache README.md; git log -1 --format=%s; git status --porcelain; git config user.name")
    assert runner.lines("stdout") == [
        *("cached", "Hello", "more", "mine"),
        *(" D src/main.py", "A  staged", "?? .gitignore"),
        "Outpost agent",
    ]
    assert platform.completion["workspace"] == KEPT | {"restored": True}


def test_a_restore_needs_neither_the_repository_nor_its_credential(platform, keep, again, cloned):
    keep("echo new > new.txt")
    platform.claim["run"]["repo"] = CALLERS_OWN
    assert again("cat new.txt").lines("stdout") == ["new"]


def test_the_patch_of_the_next_run_holds_the_work_of_both(platform, keep, again, cloned, repository, tmp_path):
    keep("echo one > one.txt; git add one.txt; git commit -qm one")
    base = platform.completion["result"]["baseSha"]
    again("echo two > two.txt")
    assert platform.completion["result"]["baseSha"] == base == git(repository, "rev-parse", "main")
    fresh = apply_to_fresh_checkout(repository, platform.objects["changes.patch"], tmp_path / "fresh")
    assert [(fresh / name).read_text() for name in ("one.txt", "two.txt")] == ["one\n", "two\n"]


def test_it_lives_through_many_runs(platform, keep, again, cloned):
    keep("echo 1 >> count")
    again("echo 2 >> count")
    again("echo 3 >> count")
    assert again("cat count").lines("stdout") == ["1", "2", "3"]


def test_a_workspace_without_a_repository_is_kept_too(platform, keep, again):
    keep("echo first > first.txt; git add -A; git commit -qm mine")
    assert again("cat first.txt; git log -1 --format=%s").lines("stdout") == ["first", "mine"]
    assert platform.completion["result"]["filesChanged"] == 1


def test_an_agent_cannot_forge_the_base(platform, keep, again, cloned, repository, tmp_path):
    forge = "rm -rf .git; git init -q; echo forged > README.md; git add -A; git commit -qm forged; mkdir base.git"
    keep(forge)
    again("git rev-list --count HEAD")
    assert platform.completion["result"]["baseSha"] == git(repository, "rev-parse", "main")
    fresh = apply_to_fresh_checkout(repository, platform.objects["changes.patch"], tmp_path / "fresh")
    assert (fresh / "README.md").read_text() == "forged\n"


def test_what_one_runs_patch_needed_of_the_base_is_not_in_the_next(platform, keep, again, cloned):
    keep("echo '*.enc working-tree-encoding=UTF-16' > .gitattributes; printf 'odd' > x.enc; echo y > y")
    members = read_archive(platform.objects[ARCHIVE])
    assert [name for name in members if name.startswith("base.git/info")] == []
    before = [name for name in members if name.startswith("base.git/objects/")]
    again("true")
    after = [name for name in read_archive(platform.objects[ARCHIVE]) if name.startswith("base.git/objects/")]
    assert before == after


def test_a_repository_that_an_agent_broke_is_kept_as_it_is(platform, keep, again, cloned):
    keep("rm -rf .git; echo new > new.txt")
    assert again("ls -A").lines("stdout") == ["README.md", "data.bin", "new.txt", "src"]
    assert platform.completion["workspace"]["restored"] is True
    assert platform.completion["result"]["filesChanged"] == 1


def test_a_tree_with_odd_things_is_whole_again(keep, again, cloned):
    keep("""git init -q inner; echo f > inner/f; mkfifo pipe; ln README.md hard; ln -s /etc/passwd out; ln -s ../.. up
      mkdir closed; echo c > closed/c; chmod 500 closed; echo x > $'new\\nline'; chmod 4755 README.md
      echo sparse > .gitignore; truncate -s 5G sparse
      touch -d '2001-02-03 04:05:06.789' src/main.py""")
    runner = again("""test -d inner/.git && test -p pipe && echo whole; stat -c %h README.md; readlink out up
      stat -c %a closed README.md; cat closed/c; stat -c '%s' sparse; cat $'new\\nline'; stat -c %y src/main.py""")
    assert runner.lines("stdout") == [
        *("whole", "2", "/etc/passwd", "../..", "500", "755", "c", str(5 * 1024**3), "x"),
        runner.lines("stdout")[-1],
    ]
    assert runner.lines("stdout")[-1].startswith("2001-02-03 04:05:06.789")


def test_the_snapshot_is_made_before_the_check(platform, keep, again):
    platform.claim["run"]["check"] = "touch left"
    keep("touch mine")
    assert again("ls").lines("stdout") == ["mine"]


def test_it_is_uploaded_after_the_patch_and_the_log_and_before_the_artifacts(platform, keep):
    keep('echo said; echo new > new.txt; echo a > "$OUTPOST_ARTIFACTS_DIR/a.txt"')
    assert platform.stored == ["changes.patch", "output.log", ARCHIVE, "a.txt"]
    assert [upload["name"] for upload in platform.completion["uploads"]] == platform.stored


ENDS = {"a failure": ("exit 4", 30, "failed"), "the deadline": ("sleep 60", 2, "timeout")}


@pytest.mark.parametrize(("end", "seconds", "outcome"), ENDS.values(), ids=ENDS.keys())
def test_it_is_kept_after(platform, keep, again, end, seconds, outcome):
    keep(f"echo partial > partial.txt; {end}", timeoutSeconds=seconds)
    assert platform.completion["outcome"] == outcome
    assert platform.completion["workspace"] == KEPT
    assert again("cat partial.txt", timeoutSeconds=30).lines("stdout") == ["partial"]


def test_it_is_kept_after_a_cancel(platform, start, again):
    platform.claim["run"]["workspace"] = FIRST_TIME
    runner = start("echo partial > partial.txt; echo ready; sleep 60")
    runner.wait_until_it_shows('"ready"')
    runner.terminate()
    assert runner.wait() == 143
    assert platform.completion["workspace"] == KEPT
    assert again("cat partial.txt").lines("stdout") == ["partial"]


@pytest.mark.parametrize("limit", [0, 100_000])
def test_one_that_is_too_large_is_not_kept(platform, keep, cloned, limit):
    platform.claim["limits"]["workspaceBytes"] = limit
    runner = keep("head -c 20M /dev/urandom > ignored; echo ignored > .gitignore")
    assert runner.process.returncode == 0
    reason = f"It is larger than {limit} bytes when it is packed."
    assert platform.completion["workspace"] == {"restored": None, "saved": False, "reason": reason}
    assert ARCHIVE not in platform.stored


def test_a_claim_without_a_limit_for_it_keeps_none(platform, keep):
    del platform.claim["limits"]["workspaceBytes"]
    keep("true")
    assert platform.completion["workspace"]["saved"] is False


def test_one_that_is_gone_is_not_kept(platform, keep):
    keep("rm -rf ../workspace")
    assert platform.completion["workspace"] == {"restored": None, "saved": False, "reason": "The workspace is gone."}


def test_one_that_became_a_link_is_not_followed(platform, keep):
    keep("cd ..; rm -rf workspace; ln -s /etc workspace")
    assert platform.completion["workspace"]["reason"] == "The workspace is gone."


def test_without_a_working_tree_there_is_none_to_keep(platform, keep):
    platform.claim["run"]["repo"] = CALLERS_OWN
    keep("true")
    reason = "There was no working tree to keep."
    assert platform.completion["workspace"] == {"restored": None, "saved": False, "reason": reason}


def test_where_no_time_is_left_it_is_not_kept(platform, keep, tmp_path):
    slow = tmp_path / "bin" / "zstd"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    path = {"PATH": f"{slow.parent}:{os.environ['PATH']}"}
    runner = keep("true", path, timeoutSeconds=2, stopGraceSeconds=4)
    assert runner.seconds < 8
    reason = "No time was left for it."
    assert platform.completion["workspace"] == {"restored": None, "saved": False, "reason": reason}
    assert platform.completion["outcome"] == "succeeded"


def test_a_snapshot_that_the_broker_refuses_is_no_lost_result(platform, keep):
    platform.refused_uploads.add(ARCHIVE)
    assert keep("echo new > new.txt").process.returncode == 0
    reason = "It could not be uploaded."
    assert platform.completion["workspace"] == {"restored": None, "saved": False, "reason": reason}
    assert (platform.completion["outcome"], platform.completion["omitted"]) == ("succeeded", [])


def test_a_store_that_fails_for_it_costs_neither_the_patch_nor_the_artifacts(platform, keep):
    platform.always[f"/store/{ARCHIVE}"] = failure(503)
    runner = keep('echo n > n.txt; echo a > "$OUTPOST_ARTIFACTS_DIR/a.txt"', timeoutSeconds=3, stopGraceSeconds=6)
    assert runner.process.returncode == 0
    assert platform.completion["workspace"]["saved"] is False
    assert [upload["name"] for upload in platform.completion["uploads"]] == ["changes.patch", "a.txt"]


def test_a_report_that_the_broker_refuses_is_told_again_without_the_reason(platform, keep):
    platform.script["/runner/complete"].append(failure(400, "VALIDATION_ERROR"))
    keep("rm -rf ../workspace")
    assert platform.completion["workspace"] == {"restored": None, "saved": False, "reason": None}


def test_a_context_of_the_base_is_gathered_from_the_snapshot(platform, keep, again, cloned):
    keep("true")
    platform.claim["run"] |= {"repo": CALLERS_OWN, "context": "standard"}
    again()
    assert [source["path"] for source in platform.completion["contextSources"]] == ["README.md"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make the agent another user")
def test_an_agent_of_another_user_gets_a_tree_of_its_own_and_no_base(platform, keep, again, cloned):
    nobody = {"AGENT_USER": "nobody", "OUTPOST_TASK_ROOT": ""}
    keep("mkdir closed; echo c > closed/c; chmod 000 closed/c closed", nobody)
    runner = again(
        "id -un; stat -c '%U %a' . README.md .git; chmod 700 closed; ls ../private ../restoring 2>&1", nobody
    )
    shown = runner.lines("stdout")
    assert shown[:4] == ["nobody", "nobody 700", "nobody 644", "nobody 755"]
    assert "../restoring': No such file" in shown[4]
    assert "../private': Permission denied" in shown[5]
    assert platform.completion["workspace"] == KEPT | {"restored": True}


def test_a_tree_of_many_files_is_in_nobodys_memory(platform, keep, again):
    make = "import os; [open(f'made/{n}', 'wb').write(os.urandom(12_000)) for n in range(4_000)]"
    saved = keep(f'echo made > .gitignore; mkdir made; python3 -c "{make}"')
    assert platform.completion["workspace"] == KEPT
    assert len(platform.objects[ARCHIVE]) > 40_000_000
    restored = again("ls made | wc -l")
    assert restored.lines("stdout") == ["4000"]
    assert max(saved.peak_memory_mb, restored.peak_memory_mb) < 50


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_tree_that_cannot_be_read_is_not_kept(platform, keep):
    keep("echo c > closed; chmod 000 closed")
    assert "closed: Cannot open: Permission denied" in platform.completion["workspace"]["reason"]
