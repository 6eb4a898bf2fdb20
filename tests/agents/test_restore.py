"""A snapshot that cannot be restored costs a run its workspace and nothing else, and a hostile one reaches nothing."""

import os
import tarfile

import pytest
from werkzeug.wrappers import Response

from .repository import git
from .scripted_platform import failure
from .snapshot_archive import ARCHIVE, add_to_archive, compress, member, needs_zstd

pytestmark = needs_zstd
UNRESTORED = "The workspace could not be restored: "
KEPT_BACK = "The earlier tree could not be restored, and stays as it was."


@pytest.fixture
def packed(platform, run, cloned, tmp_path):
    """What a run left that has made `kept.txt`."""
    platform.claim["run"]["workspace"] = {"snapshot": None}
    run("echo kept > kept.txt", {"OUTPOST_TASK_ROOT": str(tmp_path / "first")})
    return platform.objects.pop(ARCHIVE)


@pytest.fixture
def restore(platform, run):
    """Run a script in what this archive holds."""

    def restore_it(archive, task="ls", environment=None, **changes):
        platform.claim["run"]["workspace"] = {"snapshot": platform.offer(archive) | changes}
        return run(task, environment)

    return restore_it


@pytest.fixture
def clones_instead(platform, repository):
    """Whether a run fell back to the clone, and said why."""

    def look(runner, reason, kept_back=None):
        (notice,) = platform.completion["notices"]
        assert notice.startswith(f"{UNRESTORED}{reason}")
        assert notice.endswith("; the repository was cloned instead.")
        assert runner.lines("stdout") == ["README.md", "data.bin", "src"]
        assert platform.completion["workspace"] == {"restored": False, "saved": not kept_back, "reason": kept_back}
        assert platform.completion["result"]["baseSha"] == git(repository, "rev-parse", "main")

    return look


SPOILT = {
    "of another content": ({"sha256": "0" * 64}, "its content is not what was stored"),
    "larger than told": ({"sizeBytes": 100}, "it is larger than its 100 bytes"),
}


@pytest.mark.parametrize(("changes", "reason"), SPOILT.values(), ids=SPOILT.keys())
def test_a_file_that_is_not_what_the_claim_says_is_not_restored(restore, packed, clones_instead, changes, reason):
    clones_instead(restore(packed, **changes), reason)


def test_a_snapshot_that_cannot_be_fetched_whole_is_not_replaced(restore, packed, clones_instead):
    runner = restore(packed, sizeBytes=10**9)
    clones_instead(runner, "it could not be downloaded: it broke off after", KEPT_BACK)


@pytest.mark.parametrize("status", [404, 410])
def test_a_snapshot_that_is_gone_is_not_restored(platform, restore, packed, clones_instead, status):
    platform.always["/earlier/earlier"] = Response("No.", status)
    clones_instead(restore(packed), f"the store answered {status}")


@pytest.mark.parametrize("status", [403, 400, 307])
def test_a_snapshot_that_the_store_refuses_is_not_replaced(platform, restore, packed, clones_instead, status):
    platform.always["/earlier/earlier"] = Response("No.", status)
    clones_instead(restore(packed), f"the store answered {status}", KEPT_BACK)


def test_a_store_that_fails_in_passing_is_asked_again(platform, restore, packed):
    platform.script["/earlier/earlier"].extend([failure(503), failure(500)])
    assert "kept.txt" in restore(packed).lines("stdout")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x28\xb5\x2f\xfd nonsense"])
def test_what_is_no_archive_is_not_restored(restore, packed, clones_instead, content):
    clones_instead(restore(content), "")


def test_an_archive_that_breaks_off_is_not_restored(restore, packed, clones_instead):
    clones_instead(restore(packed[: len(packed) // 2]), "")


def test_an_archive_without_a_base_or_a_tree_is_not_restored(restore, packed, clones_instead):
    clones_instead(restore(compress(b"\0" * 10240)), "it holds no base repository")


def test_without_zstd_it_is_not_restored_and_not_kept(platform, restore, packed, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("git", "bash", "ls", "tar", "rm", "sh"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    assert restore(packed, environment={"PATH": str(programs)}).lines("stdout") == ["README.md", "data.bin", "src"]
    assert platform.completion["notices"][0].startswith(f"{UNRESTORED}the program zstd is not installed")
    assert platform.completion["workspace"] == {"restored": False, "saved": False, "reason": KEPT_BACK}


def test_a_sound_archive_that_cannot_be_unpacked_here_is_not_replaced(restore, packed, clones_instead, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "tar").write_text(
        '#!/bin/sh\n[ "$2" = --list ] && exec /usr/bin/tar "$@"\necho "no room" >&2; exit 2\n'
    )
    (programs / "tar").chmod(0o755)
    runner = restore(packed, environment={"PATH": f"{programs}:{os.environ['PATH']}"})
    clones_instead(runner, "no room", KEPT_BACK)


def test_the_earlier_patch_counts_only_where_the_workspace_is_lost(platform, restore, packed):
    patch = platform.objects["changes.patch"].replace(b"+kept\n", b"+from the patch\n")
    platform.claim["run"]["patch"] = platform.offer(patch, "patch")
    assert restore(packed, "cat kept.txt").lines("stdout") == ["kept"]


def test_the_earlier_patch_goes_onto_the_clone_instead(platform, restore, packed):
    platform.claim["run"]["patch"] = platform.offer(platform.objects["changes.patch"], "patch")
    assert restore(packed[:1000], "cat kept.txt").lines("stdout") == ["kept"]
    assert platform.completion["workspace"]["restored"] is False


def test_the_earlier_patch_is_fetched_while_its_address_is_good(platform, restore, packed):
    platform.claim["run"]["patch"] = platform.offer(platform.objects["changes.patch"], "patch")
    restore(packed)
    assert platform.fetched == ["patch", "earlier"]


def test_an_earlier_patch_that_cannot_be_had_counts_only_where_the_workspace_is_lost(platform, restore, packed):
    platform.claim["run"]["patch"] = platform.offer(b"patch", "patch")
    platform.always["/earlier/patch"] = Response("No.", 403)
    assert restore(packed, "cat kept.txt").lines("stdout") == ["kept"]
    assert platform.completion["workspace"]["restored"] is True


def test_where_the_clone_fails_too_the_run_fails(platform, restore, packed):
    platform.claim["run"]["repo"] = {"url": "http://127.0.0.1:9/nowhere.git", "branch": None}
    assert restore(packed[:1000]).process.returncode == 12
    assert platform.completion["error"]["code"] == "CLONE_FAILED"
    reason = "There was no working tree to keep."
    assert platform.completion["workspace"] == {"restored": False, "saved": False, "reason": reason}


def test_without_a_repository_an_empty_tree_is_begun_instead(platform, restore):
    assert restore(b"nonsense", "ls -A").lines("stdout") == [".git"]
    assert platform.completion["notices"][0].endswith("; an empty one was begun instead.")


def test_a_stop_ends_the_restoring(platform, start, packed):
    platform.delay_seconds["/earlier/earlier"] = 10
    platform.claim["run"]["workspace"] = {"snapshot": platform.offer(packed)}
    runner = start("true")
    runner.wait_until_it_shows("Restoring the workspace.")
    runner.terminate()
    assert runner.wait() == 143
    assert runner.seconds < 8
    assert platform.completion["outcome"] == "cancelled"
    assert platform.completion["workspace"]["restored"] is False


def test_the_deadline_ends_the_unpacking(platform, run, packed, tmp_path):
    slow = tmp_path / "bin" / "tar"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    platform.claim["run"]["workspace"] = {"snapshot": platform.offer(packed)}
    runner = run("true", {"PATH": f"{slow.parent}:{os.environ['PATH']}"}, timeoutSeconds=2)
    assert runner.process.returncode == 11
    assert platform.completion["outcome"] == "timeout"


@pytest.fixture
def outside(tmp_path):
    """A folder beside the task's, which nothing may be written to."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "file").write_text("untouched")
    return folder


@pytest.fixture
def is_untouched(outside, task_root):
    def look():
        assert [path.name for path in outside.iterdir()] == ["file"]
        assert (outside / "file").read_text() == "untouched"
        assert {path.name for path in task_root.iterdir()} <= FOLDERS
        assert [path.name for path in (task_root / "home").iterdir()] == []

    return look


FOLDERS = {"workspace", "home", "artifacts", "tmp", "agent", "private"}
LINKS = ("{outside}", "../../../outside", "..", "../../private")


@pytest.mark.parametrize("name", ["{outside}/evil", "/{outside}/evil", "workspace/{outside}/evil"])
def test_an_absolute_name_leads_nowhere_else(restore, packed, outside, is_untouched, name):
    evil = (member(name.format(outside=outside)), b"evil")
    restore(add_to_archive(packed, evil))
    is_untouched()


@pytest.mark.parametrize("name", ["../evil", "workspace/../../home/evil", "workspace/../../../outside/evil"])
def test_a_name_that_leads_up_is_not_restored(restore, packed, is_untouched, clones_instead, name):
    runner = restore(add_to_archive(packed, (member(name), b"evil")))
    is_untouched()
    clones_instead(runner, "tar: ", KEPT_BACK)


@pytest.mark.parametrize("target", LINKS)
def test_nothing_is_written_through_a_link(restore, packed, outside, is_untouched, target):
    link = member("workspace/link", tarfile.SYMTYPE, target.format(outside=outside))
    restore(add_to_archive(packed, (link, b""), (member("workspace/link/evil"), b"evil")))
    is_untouched()


@pytest.mark.parametrize("target", LINKS)
def test_a_tree_that_is_a_link_is_not_restored(restore, packed, outside, is_untouched, target):
    link = member("workspace", tarfile.SYMTYPE, target.format(outside=outside))
    restore(compress_members((link, b""), (member("workspace/evil"), b"evil")))
    is_untouched()


@pytest.mark.parametrize("target", ["{outside}/file", "../../outside/file", "/etc/passwd"])
def test_a_hard_link_does_not_reach_a_file_outside(restore, packed, outside, is_untouched, target):
    link = member("workspace/link", tarfile.LNKTYPE, target.format(outside=outside))
    restore(add_to_archive(packed, (link, b"")), "echo evil > link; true")
    is_untouched()


BASES = {
    "a link": member("base.git/objects/evil", tarfile.SYMTYPE, "/etc"),
    "a file of the tree's": member("base.git/objects/evil", tarfile.LNKTYPE, "workspace/kept.txt"),
    "a pipe": member("base.git/objects/evil", tarfile.FIFOTYPE),
}


@pytest.mark.parametrize("evil", BASES.values(), ids=BASES.keys())
def test_a_base_with_what_is_no_file_of_its_own_is_not_restored(restore, packed, clones_instead, evil):
    clones_instead(restore(add_to_archive(packed, (evil, b""))), "its base repository holds what is no file of its own")


def test_a_file_of_the_base_that_the_tree_shares_is_not_restored(restore, packed, clones_instead):
    shared = member("workspace/shared", tarfile.LNKTYPE, "base.git/HEAD")
    clones_instead(restore(add_to_archive(packed, (shared, b""))), "its base repository holds")


def test_no_program_of_an_archive_has_its_owners_rights(restore, packed):
    program = member("workspace/program", mode=0o6755)
    assert restore(add_to_archive(packed, (program, b"x")), "stat -c %a program").lines("stdout") == ["755"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make the agent another user")
def test_a_device_is_not_restored(platform, restore, packed):
    device = member("workspace/device", tarfile.CHRTYPE)
    device.devmajor, device.devminor = 1, 3
    nobody = {"AGENT_USER": "nobody", "OUTPOST_TASK_ROOT": ""}
    assert "device" not in restore(add_to_archive(packed, (device, b"")), environment=nobody).lines("stdout")
    assert platform.completion["workspace"]["restored"] is False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make the agent another user")
def test_an_archives_owners_count_for_nothing(restore, packed):
    file = member("workspace/roots")
    file.uid = file.gid = 0
    nobody = {"AGENT_USER": "nobody", "OUTPOST_TASK_ROOT": ""}
    runner = restore(add_to_archive(packed, (file, b"")), "stat -c %U roots", nobody)
    assert runner.lines("stdout") == ["nobody"]


def compress_members(*members):
    return add_to_archive(compress(b"\0" * 10240), *members)
