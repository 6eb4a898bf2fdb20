"""The patch holds the agent's work and fits a fresh checkout of the base, whatever the agent did."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from outpost_local.git_server import GitServer

from .repository import apply_to_fresh_checkout, git, make_bare_repository

LIMITS = {
    "outputBytes": 1_000_000,
    "patchBytes": 5_000_000,
    "artifactBytes": 1,
    "artifactCount": 1,
    "artifactsTotalBytes": 1,
}


@pytest.fixture
def work(platform, run, cloned, repository, tmp_path):
    """Run a script on the repository; gives a fresh checkout with the patch applied."""

    def work_on(script, **claim):
        assert run(script, **claim).process.returncode == 0
        return apply_to_fresh_checkout(repository, platform.objects["changes.patch"], tmp_path / "fresh")

    return work_on


def test_changed_new_and_deleted_files_are_in_the_patch(platform, work):
    fresh = work("echo more >> README.md; rm src/main.py; mkdir -p a/b; echo new > a/b/new.txt")
    assert (fresh / "README.md").read_text() == "Hello\nmore\n"
    assert (fresh / "a/b/new.txt").read_text() == "new\n"
    assert not (fresh / "src").exists()
    result = platform.completion["result"]
    assert (result["filesChanged"], result["insertions"], result["deletions"]) == (3, 2, 1)


def test_binary_files_are_in_the_patch(work):
    fresh = work("printf '\\0\\1\\2' > new.bin; printf '\\0' | dd of=data.bin bs=1 seek=7 conv=notrunc 2>/dev/null")
    assert (fresh / "new.bin").read_bytes() == b"\0\1\2"
    assert (fresh / "data.bin").read_bytes()[:9] == bytes([0, 1, 2, 3, 4, 5, 6, 0, 8])


@pytest.mark.parametrize("name", ["with space", "tab\there", "ünï", "new\nline", '"quoted"', "b\\s", "-dash", "a b/ c"])
def test_odd_names_are_in_the_patch(work, platform, name):
    fresh = work(f"mkdir -p 'a b'; cat > './{name}' <<< content")
    assert (fresh / name).read_text() == "content\n"


def test_a_name_that_is_no_unicode_is_in_the_patch(work):
    fresh = work("echo latin > $(printf 'caf\\xe9')")
    assert b"caf\xe9" in [os.fsencode(path.name) for path in fresh.iterdir()]


def test_line_ends_stay_as_they_are(work):
    fresh = work("printf 'a\\r\\nb\\r\\n' > dos.txt; printf 'no end' > noend.txt; printf 'Hello\\r\\n' > README.md")
    assert (fresh / "dos.txt").read_bytes() == b"a\r\nb\r\n"
    assert (fresh / "noend.txt").read_bytes() == b"no end"
    assert (fresh / "README.md").read_bytes() == b"Hello\r\n"


def test_links_modes_and_empty_files_are_in_the_patch(work):
    fresh = work("ln -s README.md link; ln -s /etc/passwd outside; chmod +x src/main.py; : > empty; mkdir nothing")
    assert (fresh / "link").readlink() == Path("README.md")
    assert (fresh / "outside").readlink() == Path("/etc/passwd")
    assert (fresh / "src/main.py").stat().st_mode & stat.S_IXUSR
    assert (fresh / "empty").read_bytes() == b""


def test_a_file_that_became_a_folder_or_a_link_is_in_the_patch(work):
    fresh = work("rm README.md; mkdir README.md; echo x > README.md/x; rm data.bin; ln -s src data.bin; mv src lib")
    assert (fresh / "README.md/x").read_text() == "x\n"
    assert (fresh / "data.bin").readlink() == Path("src")
    assert (fresh / "lib/main.py").read_text() == "print('hi')\n"


def test_commits_of_the_agent_are_in_the_patch_and_its_head_is_told(platform, work, repository):
    fresh = work(
        "echo c > c; git add c; git commit -qm one; git rm -q README.md; git commit -qm two; git rev-parse HEAD"
    )
    assert (fresh / "c").read_text() == "c\n"
    assert not (fresh / "README.md").exists()
    assert platform.completion["result"]["headSha"] == platform.completion["result"]["summary"]
    assert platform.completion["result"]["baseSha"] == git(repository, "rev-parse", "main")


def test_ignored_files_are_not_in_the_patch(platform, work):
    work("echo 'build/' > .gitignore; mkdir build; echo x > build/x; echo y > y")
    assert platform.completion["result"]["filesChanged"] == 2
    assert b"build/x" not in platform.objects["changes.patch"]


def test_no_change_makes_no_patch(platform, run, cloned):
    run("cat README.md; touch README.md")
    assert "changes.patch" not in platform.objects
    assert platform.completion["result"]["filesChanged"] == 0


BROKEN_REPOSITORIES = {
    "deleted": "rm -rf .git",
    "a file": "rm -rf .git; echo nonsense > .git",
    "a link": "mv .git ../tmp/elsewhere; ln -s ../tmp/elsewhere .git",
    "corrupt": "rm -rf .git/objects .git/refs; echo x > .git/index; echo x > .git/HEAD",
    "another": "rm -rf .git; git init -q; git add -A; git commit -qm mine",
    "excluding": "echo '*' > .git/info/exclude 2>/dev/null || { mkdir .git/info; echo '*' > .git/info/exclude; }",
    "flags": "git update-index --assume-unchanged README.md; git update-index --skip-worktree src/main.py",
    "sparse": "git sparse-checkout set --no-cone /README.md; mkdir -p src; printf \"print('hi')\\n\" > src/main.py; "
    "git ls-tree HEAD data.bin >/dev/null; git show HEAD:data.bin > data.bin",
}


@pytest.mark.parametrize("spoil", BROKEN_REPOSITORIES.values(), ids=BROKEN_REPOSITORIES.keys())
def test_what_the_agent_does_to_its_git_directory_changes_nothing(work, platform, spoil):
    fresh = work(f"{spoil}; echo more >> README.md; echo new > new.txt")
    assert (fresh / "README.md").read_text() == "Hello\nmore\n"
    assert (fresh / "new.txt").read_text() == "new\n"
    assert platform.completion["result"]["filesChanged"] == 2


def test_programs_that_the_agent_names_in_its_configuration_are_not_run_for_the_patch(work, task_root):
    evil = task_root.parent / "evil"
    script = f"""E=$HOME/evil.sh; printf '#!/bin/sh\\ntouch {evil}\\ncat\\n' > $E; chmod +x $E
      git config filter.x.clean $E; git config core.fsmonitor $E; git config diff.x.command $E
      git config --global core.fsmonitor $E; mkdir -p .git/hooks; cp $E .git/hooks/post-index-change
      rm -f {evil}; echo '* filter=x diff=x' > .gitattributes; echo more >> README.md"""
    fresh = work(script)
    assert not evil.exists()
    assert (fresh / "README.md").read_text() == "Hello\nmore\n"


def test_repositories_inside_the_workspace_give_their_files(work, platform):
    fresh = work("""git init -q empty; git init -q full; cd full; echo f > f; git add f
      git -c user.name=a -c user.email=a@example.com commit -qm f;
      cd ..; git init -q only; echo u > only/untracked; git worktree add -q ../workspace/tree 2>/dev/null; true""")
    assert (fresh / "full/f").read_text() == "f\n"
    assert (fresh / "only/untracked").read_text() == "u\n"
    assert (fresh / "tree/README.md").read_text() == "Hello\n"


def test_pipes_sockets_and_names_that_git_refuses_do_not_break_the_patch(work):
    fresh = work("""rm README.md; mkfifo README.md pipe; mkdir .GIT 'git~1'; echo x > .GIT/x; echo x > 'git~1/x'
      python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('sock')"; echo fine > fine""")
    assert (fresh / "fine").read_text() == "fine\n"
    assert not (fresh / "README.md").exists()
    assert not (fresh / "pipe").exists()


def test_files_that_git_cannot_take_in_are_told(platform, work):
    work("mkdir .GIT; echo x > .GIT/x; echo fine > fine")
    (omitted,) = platform.completion["omitted"]
    assert omitted["name"] == "changes.patch"
    assert omitted["reason"].startswith("Some files could not be taken in: ")
    assert ".GIT/x" in omitted["reason"]


def test_a_long_reason_is_cut_to_what_the_broker_takes(platform, work):
    work("mkdir .GIT; echo x > .GIT/$(head -c 250 /dev/zero | tr '\\0' n); echo fine > fine")
    (complete,) = platform.calls_to("/runner/complete")
    assert [len(omitted["reason"]) for omitted in complete.body["omitted"]] == [200]


def test_a_patch_that_git_has_no_room_for_fails_the_run(platform, run, cloned, task_root):
    objects = task_root / "private" / "objects"
    occupy = f"mkdir {objects}; for n in $(seq 0 255); do touch $(printf '{objects}/%02x' $n); done"
    runner = run(f"echo more >> README.md; {occupy}")
    assert runner.process.returncode == 13
    assert platform.completion["error"]["code"] == "OUTPUT_FAILED"
    assert "could not be taken in" in platform.completion["error"]["message"]


def test_a_git_that_the_system_kills_makes_no_patch(platform, run, tmp_path):
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\n[ "$1" != add ] || kill -9 $$\nexec {shutil.which("git")} "$@"\n')
    fake.chmod(0o755)
    runner = run("echo new > new", {"PATH": f"{fake.parent}:{os.environ['PATH']}"})
    assert runner.process.returncode == 13
    assert platform.completion["error"]["code"] == "OUTPUT_FAILED"


def test_attributes_that_git_cannot_obey_do_not_break_the_patch(work):
    fresh = work("echo '*.enc working-tree-encoding=UTF-16' > .gitattributes; printf 'odd' > x.enc; echo fine > fine")
    assert (fresh / "fine").read_text() == "fine\n"


def test_a_tree_deeper_than_a_path_can_be_does_not_break_the_patch(platform, run, cloned):
    deep = "import os\nfor _ in range(1500): os.mkdir('d' * 9); os.chdir('d' * 9)\n"
    runner = run(f'echo fine > fine; python3 -c "{deep}"', {"OUTPOST_TASK_ROOT": ""})
    assert runner.process.returncode == 0
    assert b"fine" in platform.objects["changes.patch"]


def test_a_file_of_fifty_megabytes_leaves_the_patch_out_and_the_statistics_in(platform, run, cloned):
    runner = run("head -c 50M /dev/urandom > big; echo more >> README.md", limits=LIMITS)
    assert runner.process.returncode == 0
    assert "changes.patch" not in platform.objects
    reason = {"name": "changes.patch", "reason": "The patch is larger than 5000000 bytes."}
    assert platform.completion["omitted"] == [reason]
    assert platform.completion["result"]["filesChanged"] == 2
    assert runner.peak_memory_mb < 100


LARGER = 65 * 1024**2


@pytest.fixture
def with_large_file(platform, tmp_path):
    """The repository of the run has a file that is larger than what git takes into memory for a patch."""
    files = {"large.bin": bytes(LARGER), "README.md": b"Hello\n"}
    bare = make_bare_repository(tmp_path, "large", files)
    with GitServer(bare.parent) as server:
        platform.claim["run"]["repo"] = {"url": f"{server.url}/large.git", "branch": None}
        yield bare


def test_a_file_that_is_too_large_for_git_leaves_itself_out_and_the_rest_in(platform, work):
    fresh = work(f"truncate -s {LARGER} big; echo more >> README.md; echo new > $'new\\nline'")
    assert not (fresh / "big").exists()
    assert (fresh / "README.md").read_text() == "Hello\nmore\n"
    assert (fresh / "new\nline").read_text() == "new\n"
    reason = "Files larger than 67108864 bytes are left out: big"
    assert platform.completion["omitted"] == [{"name": "changes.patch", "reason": reason}]
    assert platform.completion["result"]["filesChanged"] == 2


CHANGES = {
    "a change": "echo more >> large.bin",
    "a small one in its place": "echo small > large.bin",
    "its end": "rm large.bin",
    "a folder in its place": "rm large.bin; mkdir large.bin; echo x > large.bin/x",
    "a move with a change": "mv large.bin moved.bin; echo more >> moved.bin",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_of_a_large_file_the_patch_leaves_out(platform, run, with_large_file, tmp_path, change):
    run(f"{change}; echo more >> README.md")
    fresh = apply_to_fresh_checkout(with_large_file, platform.objects["changes.patch"], tmp_path / "fresh")
    assert sorted(path.name for path in fresh.iterdir()) == [".git", "README.md", "large.bin"]
    assert (fresh / "large.bin").stat().st_size == LARGER
    assert (fresh / "README.md").read_text() == "Hello\nmore\n"
    (omitted,) = platform.completion["omitted"]
    assert omitted["reason"].startswith("Files larger than 67108864 bytes are left out: ")


def test_a_large_file_that_only_moved_is_in_the_patch(platform, run, with_large_file, tmp_path):
    run("mv large.bin moved.bin; chmod +x moved.bin")
    fresh = apply_to_fresh_checkout(with_large_file, platform.objects["changes.patch"], tmp_path / "fresh")
    assert (fresh / "moved.bin").stat().st_size == LARGER
    assert platform.completion["omitted"] == []


def test_a_workspace_that_is_gone_fails_the_run(platform, run, cloned):
    runner = run("rm -rf ../workspace; exit 0")
    assert runner.process.returncode == 13
    assert platform.completion["outcome"] == "failed"
    assert platform.completion["error"] == {"code": "OUTPUT_FAILED", "message": "The workspace is gone."}


def test_a_workspace_that_became_a_link_is_not_followed(platform, run, cloned):
    run("cd ..; rm -rf workspace; ln -s /etc workspace; exit 0")
    assert platform.completion["error"]["code"] == "OUTPUT_FAILED"
    assert "changes.patch" not in platform.objects


def test_a_base_that_converts_line_ends_gets_a_patch_that_fits(platform, run, tmp_path):
    files = {".gitattributes": b"*.txt text eol=crlf\n", "a.txt": b"one\r\ntwo\r\n", "b.sh": b"one\n"}
    bare = make_bare_repository(tmp_path, "windows", files)
    with GitServer(bare.parent) as server:
        platform.claim["run"]["repo"] = {"url": f"{server.url}/windows.git", "branch": None}
        run("printf 'three\\r\\n' >> a.txt; printf 'x\\r\\n' > c.txt; printf 'two\\r\\n' >> b.sh")
    fresh = apply_to_fresh_checkout(bare, platform.objects["changes.patch"], tmp_path / "fresh")
    assert (fresh / "a.txt").read_bytes() == b"one\r\ntwo\r\nthree\r\n"
    assert (fresh / "b.sh").read_bytes() == b"one\ntwo\r\n"


def test_an_empty_directory_gets_a_patch_of_all_that_was_made(platform, run, tmp_path):
    run("echo a > a; mkdir b; echo c > b/c")
    (tmp_path / "fresh").mkdir()
    git(tmp_path / "fresh", "apply", "-", stdin=platform.objects["changes.patch"])
    assert (tmp_path / "fresh/b/c").read_text() == "c\n"


def test_renamed_files_are_counted(platform, work):
    fresh = work("git mv data.bin moved.bin; mkdir lib; mv src/main.py lib/main.py; echo new > new.txt")
    assert (fresh / "moved.bin").read_bytes() == bytes(range(256)) * 8
    assert (platform.completion["result"]["filesChanged"], platform.completion["result"]["renames"]) == (3, 2)


def test_repositories_whose_files_were_taken_in_are_told(platform, run, cloned):
    run("for n in 1 2 3 4 5 6 7; do git init -q inner$n; echo f > inner$n/f; done; git init -q src/most")
    (notice,) = platform.completion["notices"]
    assert notice.startswith("The patch has the files of repositories inside the tree, not their commits: ")
    assert notice.endswith(" and 3 more.")


@pytest.fixture
def with_submodule(platform, repository, tmp_path):
    """The repository of the run has a submodule at `libs/sub`."""
    git(tmp_path, "clone", "--quiet", str(repository), "super")
    commit = git(repository, "rev-parse", "main")
    git(tmp_path / "super", "update-index", "--add", "--cacheinfo", f"160000,{commit},libs/sub")
    git(tmp_path / "super", "commit", "--quiet", "--message=Submodule")
    git(tmp_path, "clone", "--quiet", "--bare", "super", "served/super.git")
    with GitServer(tmp_path / "served") as server:
        platform.claim["run"]["repo"] = {"url": f"{server.url}/super.git", "branch": None}
        yield tmp_path / "served" / "super.git"


def test_a_submodule_is_told_and_stays_as_it_is(platform, run, with_submodule, tmp_path):
    run("git init -q libs/sub; echo lost > libs/sub/lost.txt; echo more >> README.md")
    reason = "Submodules are not checked out, and the patch has nothing of what is in them: libs/sub."
    assert platform.completion["notices"] == [reason]
    fresh = apply_to_fresh_checkout(with_submodule, platform.objects["changes.patch"], tmp_path / "fresh")
    assert (fresh / "README.md").read_text() == "Hello\nmore\n"
    assert platform.completion["result"]["filesChanged"] == 1


def test_a_submodule_that_was_removed_is_removed_by_the_patch(platform, run, with_submodule, tmp_path):
    run("rm -r libs")
    fresh = apply_to_fresh_checkout(with_submodule, platform.objects["changes.patch"], tmp_path / "fresh")
    assert not (fresh / "libs").exists()
