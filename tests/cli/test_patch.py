"""`outpost patch` and the counting of a diff's lines."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from outpost_cli.diffstat import FileChange, read_changes

DIFF = b"diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1,2 @@\n-old\r\n+new\xff\r\n+more\n"
LINK = {
    "url": "https://store.example.com/p",
    "sizeBytes": 9,
    "sha256": "0",
    "filesChanged": 1,
    "insertions": 2,
    "deletions": 1,
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "with blank b").mkdir()
    (folder / "with blank b" / "file.txt").write_text("one\ntwo\nthree\n")
    (folder / "gone.txt").write_text("-- dashes\n++ pluses\n")
    (folder / "moved.txt").write_text("same\n" * 20)
    git(folder, "add", ".")
    git(folder, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "base")
    return folder


def git(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True).stdout


def change_files(folder: Path) -> bytes:
    (folder / "with blank b" / "file.txt").write_text("one\ndiff --git a/x b/x\nthree\nfour")
    (folder / "gone.txt").unlink()
    (folder / "moved.txt").rename(folder / "arrived.txt")
    (folder / "bin").write_bytes(bytes(range(256)) * 4)
    (folder / "\xe4\t.txt").write_text("")
    git(folder, "add", "--all")
    return git(folder, "diff", "--cached", "--binary", "--full-index", "-M")


def test_the_diff_arrives_byte_for_byte(outpost, service):
    service.on("GET", f"/runs/{service.run_id}/patch", service.raw(200, DIFF, {"Content-Type": "text/x-diff"}))
    result = outpost("patch", service.run_id)
    assert result.stdout_bytes == DIFF
    assert service.seen[0].headers["accept"] == "text/x-diff"


def test_a_large_diff_is_fetched_from_its_store_without_the_key(outpost, service):
    elsewhere = service.raw(303, b"", {"Location": service.file_url("patch")})
    service.on("GET", f"/runs/{service.run_id}/patch", elsewhere)
    service.on("GET", "/files/patch", service.raw(200, DIFF))
    assert outpost("patch", service.run_id).stdout_bytes == DIFF
    assert "authorization" not in service.seen[1].headers


def test_an_expired_link_of_the_store_is_not_taken_for_the_diff(outpost, service):
    service.on("GET", f"/runs/{service.run_id}/patch", service.raw(303, b"", {"Location": service.file_url("patch")}))
    service.on("GET", "/files/patch", service.raw(403, b"<Error>AccessDenied</Error>"))
    result = outpost("patch", service.run_id)
    assert result.stdout_bytes == b""
    assert result.exit_code == 3


def test_a_run_without_patch_is_not_found(outpost, service):
    assert outpost("patch", service.run_id).exit_code == 4


@pytest.fixture
def leave_patch(service):
    """Makes the service tell of a patch, and serve it."""

    def leave(diff: bytes, **told: object) -> dict[str, object]:
        sha256 = hashlib.sha256(diff).hexdigest()
        link = {**LINK, "url": service.file_url("patch"), "sizeBytes": len(diff), "sha256": sha256, **told}
        service.on("GET", f"/runs/{service.run_id}/patch", service.data(link))
        service.on("GET", "/files/patch", service.raw(200, diff))
        return link

    return leave


def test_output_writes_a_file_that_git_applies(outpost, service, leave_patch, repository, tmp_path):
    leave_patch(change_files(repository))
    result = outpost("patch", service.run_id, "--output", str(tmp_path / "fix.patch"))
    git(repository, "reset", "--quiet", "--hard")
    git(repository, "apply", "--check", str(tmp_path / "fix.patch"))
    assert result.stdout == ""


@pytest.mark.parametrize("told", [{"sha256": "0" * 64}, {"sizeBytes": len(DIFF) + 1}, {"sizeBytes": len(DIFF) - 1}])
def test_a_patch_that_does_not_arrive_as_it_was_is_not_saved(outpost, service, leave_patch, tmp_path, told):
    leave_patch(DIFF, **told)
    result = outpost("patch", service.run_id, "--output", str(tmp_path / "fix.patch"))
    assert (result.exit_code, [*tmp_path.iterdir()]) == (1, [])
    assert "The patch arrived with" in result.stderr


@pytest.mark.parametrize(("options", "kept", "exit_code"), [([], b"mine", 2), (["--overwrite"], DIFF, 0)])
def test_a_file_that_exists_is_replaced_where_that_is_said(
    outpost, service, leave_patch, tmp_path, options, kept, exit_code
):
    leave_patch(DIFF)
    file = tmp_path / "fix.patch"
    file.write_bytes(b"mine")
    result = outpost("patch", service.run_id, "--output", str(file), *options)
    assert (result.exit_code, file.read_bytes()) == (exit_code, kept)


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to(__file__)])
def test_what_is_not_a_regular_file_is_never_replaced(outpost, service, leave_patch, tmp_path, make):
    leave_patch(DIFF)
    make(tmp_path / "other")
    before = (tmp_path / "other").lstat().st_ino
    result = outpost("patch", service.run_id, "--output", str(tmp_path / "other"), "--overwrite")
    assert (result.exit_code, (tmp_path / "other").lstat().st_ino) == (2, before)
    assert "is not a regular file" in result.stderr


def test_output_with_json_saves_it_and_tells_where_it_lies(outpost, service, leave_patch, tmp_path):
    link = leave_patch(DIFF)
    result = outpost("patch", service.run_id, "--output", str(tmp_path / "fix.patch"), "--json")
    assert json.loads(result.stdout) == link
    assert (tmp_path / "fix.patch").read_bytes() == DIFF


def test_json_tells_where_the_patch_lies(outpost, service):
    service.on("GET", f"/runs/{service.run_id}/patch", service.data(LINK))
    assert json.loads(outpost("patch", service.run_id, "--json").stdout) == LINK


def test_stat_counts_what_git_itself_counts(repository):
    changes = {change.name: change for change in read_changes(change_files(repository))}
    assert changes == {
        "with blank b/file.txt": FileChange("with blank b/file.txt", insertions=2, deletions=1),
        "gone.txt": FileChange("gone.txt", deletions=2),
        "arrived.txt": FileChange("arrived.txt"),
        "bin": FileChange("bin", is_binary=True),
        "\xe4\t.txt": FileChange("\xe4\t.txt"),
    }
    assert b"2 insertions(+), 3 deletions(-)" in git(repository, "diff", "--cached", "--shortstat", "-M")


def test_stat_prints_a_line_for_each_file_and_the_total(outpost, service):
    service.on("GET", f"/runs/{service.run_id}/patch", service.raw(200, DIFF))
    heading, row, total = outpost("patch", service.run_id, "--stat").stdout.splitlines()
    assert heading.split() == ["FILE", "+", "-"]
    assert row.split() == ["a.txt", "+2", "-1"]
    assert total == "1 file changed, 2 insertions(+), 1 deletion(-)"
