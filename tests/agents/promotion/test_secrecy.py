"""The credential that may write is seen by nobody: not in output, not on disk, not in a list of processes."""

import subprocess

from outpost_local.git_server import GitServer

from ..scripted_platform import BOOTSTRAP_TOKEN, failure
from ..test_clone import redirecting_to
from .promotion_platform import SESSION_TOKEN
from .upstream import git_that_first


def test_no_secret_is_shown_or_left_on_disk(platform, run, upstream, task_root, token):
    runner = run()
    assert runner.process.returncode == 0
    secrets = (token, SESSION_TOKEN, BOOTSTRAP_TOKEN, "X-Amz-Signature")
    assert [secret for secret in secrets if secret in runner.raw.decode()] == []
    searched = [f"--regexp={secret}" for secret in secrets]
    left = subprocess.run(["grep", "-r", "--text", *searched, str(task_root)], capture_output=True, check=False)
    assert left.stdout == b""


def test_what_names_a_secret_is_shown_without_it(platform, run, token):
    platform.always["/promotion/complete"] = failure(409, f"CONFLICT {token} {SESSION_TOKEN}")
    runner = run()
    assert "CONFLICT [redacted] [redacted]" in runner.raw.decode()


def test_no_process_has_the_token_in_its_command_line_while_git_pushes(start, living, at_work, held_push):
    start()
    held_push.wait()
    assert any("push" in line for line in at_work())
    assert living() == []


def test_git_has_no_credential_while_it_handles_the_patch(start, run, tmp_path, token):
    run(git_that_first(tmp_path, "apply", f"env > {tmp_path}/environment"))
    assert token not in (tmp_path / "environment").read_text()


def test_nothing_stays_on_disk_in_a_container(start, run, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    assert run({"OUTPOST_TASK_ROOT": "", "TMPDIR": str(temporary)}).process.returncode == 0
    assert list(temporary.iterdir()) == []


def test_the_credential_follows_no_redirect(platform, run, upstream, token, error):
    with (
        GitServer(upstream.bare.parent, credential=("x-access-token", token), can_push=True) as other,
        redirecting_to(other.url) as url,
    ):
        run(repo={"url": f"{url}/project.git"})
    assert error() == {
        "code": "NOT_PROMOTABLE",
        "message": "The repository has another address now, and what may push to this one goes to no other.",
    }
    assert upstream.branches() == ["main"]


def test_an_address_with_a_credential_in_it_is_refused(run, git_url, error):
    run(repo={"url": git_url.replace("http://", "http://someone:secret@")})
    assert "must not carry a credential" in error()["message"]


def test_every_line_of_output_is_a_line_of_the_runner(run):
    runner = run()
    assert len(runner.lines("runner")) == len(runner.raw.splitlines()) > 3
