"""`outpost operator --local`: how it finds the stack on this machine."""

import contextlib
import stat

import pytest

from outpost_cli.errors import UsageRefused
from outpost_cli.local_aws import LocalAwsFile

FUNCTION = "/2015-03-31/functions/outpost-operate-dev/invocations"
SHOW = ("operator", "tenant", "show", "example-shop", "--local")


def make_variables(endpoint_url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "AKIALOCAL",
        "AWS_SECRET_ACCESS_KEY": "worth-nothing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/nowhere",
    }


@pytest.fixture
def file() -> LocalAwsFile:
    return LocalAwsFile.locate()


def test_the_stack_is_asked_with_its_own_credentials_whatever_the_environment_says(
    run_program, service, file, monkeypatch
):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://aws.example.com")
    service.on("POST", FUNCTION, service.json({"success": True, "data": {"tenant": service.make_tenant()}}))
    with file.keep(make_variables(service.url)):
        assert run_program(*SHOW).exit_code == 0
    assert "Credential=AKIALOCAL/" in service.seen[0].headers["authorization"]
    assert "x-amz-security-token" not in service.seen[0].headers


def test_without_a_stack_the_remedy_says_how_to_start_one(run_program):
    result = run_program(*SHOW)
    assert result.exit_code == 2
    assert "outpost local up" in result.stderr


def test_a_stack_that_was_killed_is_unreachable_and_the_remedy_says_how_to_start_one(run_program, file):
    with file.keep(make_variables("http://127.0.0.1:9")):
        result = run_program(*SHOW)
    assert result.exit_code == 7
    assert "outpost local up" in result.stderr


@pytest.mark.parametrize("option", [("--region", "eu-west-1"), ("--endpoint-url", "http://127.0.0.1:9")])
def test_another_place_than_the_local_one_is_refused(run_program, file, option):
    with file.keep(make_variables("http://127.0.0.1:9")):
        result = run_program(*SHOW, *option)
    assert result.exit_code == 2


def test_the_file_is_private_and_goes_with_the_stack(file):
    with file.keep(make_variables("http://127.0.0.1:9")):
        mode = stat.S_IMODE(file.file.path.stat().st_mode)
    assert mode == 0o600
    assert not file.file.path.exists()


def test_the_end_of_one_stack_leaves_the_file_of_another_that_came_up_meanwhile(file):
    with file.keep(make_variables("http://127.0.0.1:1")):
        newer = contextlib.ExitStack()
        newer.enter_context(file.keep(make_variables("http://127.0.0.1:2")))
    with newer:
        assert file.read()["AWS_ENDPOINT_URL"] == "http://127.0.0.1:2"


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_a_broken_file_is_refused(file, content):
    file.file.write(content)
    with pytest.raises(UsageRefused, match="is not valid"):
        file.read()


def test_a_file_that_others_may_read_is_refused(file):
    with file.keep(make_variables("http://127.0.0.1:9")):
        file.file.path.chmod(0o644)
        with pytest.raises(UsageRefused, match="others may read it"):
            file.read()
        file.file.path.chmod(0o600)
