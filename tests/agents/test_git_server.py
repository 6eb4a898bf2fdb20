"""The git server serves repositories to read, to whom it may."""

import http.client
import subprocess

import pytest

from outpost_local.git_server import GitServer

from .repository import git


def test_a_repository_can_be_cloned_shallow(git_url, tmp_path):
    git(tmp_path, "clone", "--quiet", "--depth=1", git_url, "copy")
    assert (tmp_path / "copy/README.md").read_text() == "Hello\n"


def test_a_push_is_refused(git_url, tmp_path):
    git(tmp_path, "clone", "--quiet", git_url, "copy")
    git(tmp_path / "copy", "commit", "--quiet", "--allow-empty", "--message=mine")
    push = subprocess.run(["git", "push"], cwd=tmp_path / "copy", capture_output=True, check=False)
    assert push.returncode != 0
    assert b"403" in push.stderr


@pytest.mark.parametrize("path", ["/../project-source/.git/HEAD", "/%2e%2e/project-source/.git/HEAD"])
def test_nothing_outside_the_folder_is_served(repository, path):
    with GitServer(repository.parent) as server:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        connection.request("GET", path)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
    assert answer.status >= 400
    assert b"ref: " not in content


def test_a_credential_is_asked_for(repository, tmp_path):
    with GitServer(repository.parent, credential=("someone", "secret")) as server:
        address = f"{server.url}/{repository.name}"
        open_door = address.replace("http://", "http://someone:secret@")
        git(tmp_path, "clone", "--quiet", open_door, "copy")
        refused = subprocess.run(
            ["git", "ls-remote", address],
            env={"PATH": "/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0"},
            capture_output=True,
            check=False,
        )
    assert refused.returncode != 0
