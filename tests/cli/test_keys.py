"""`outpost keys`."""

import json
from dataclasses import replace

import pytest

from outpost_cli.profiles import Profile, ProfileFile

SECRET = "otp_" + "b" * 64


@pytest.fixture
def issued(service) -> dict[str, object]:
    return service.make_key(apiKey=SECRET)


@pytest.fixture
def rotation(service, issued) -> dict[str, object]:
    replaced = {"keyId": service.key_id, "expiresAt": "2026-01-01T13:00:00.000Z"}
    return {**issued, "keyId": "NEW", "replaces": replaced}


@pytest.fixture
def in_use(service) -> Profile:
    """The default profile, whose key the service knows as its own id."""
    profile = Profile(url=service.url, api_key="otp_old")
    ProfileFile.locate().save("default", profile)
    service.on("GET", "/auth/whoami", service.data(service.make_identity()))
    return profile


def test_the_list_shows_what_tells_keys_apart_and_goes_through_every_page(outpost, service):
    service.on(
        "GET",
        "/keys",
        service.data({"keys": [service.make_key()]}, pagination={"nextCursor": "c1", "hasMore": True}),
        service.data({"keys": [service.make_key(keyId="B", status="REVOKED", name="old")]}),
    )
    rows = [line.split() for line in outpost("keys", "list", "--all").stdout.splitlines()[1:]]
    assert rows[0] == [service.key_id, "ACTIVE", "ci", "otp_0000", "dispatch", "status", "never", "never"]
    assert rows[1][:3] == ["B", "REVOKED", "old"]
    assert service.seen[1].query == [("limit", "100"), ("cursor", "c1")]


def test_the_list_with_json_keeps_its_name(outpost, service):
    service.on("GET", "/keys", service.data({"keys": [service.make_key()]}))
    assert json.loads(outpost("keys", "list", "--limit", "5", "--json").stdout) == {"keys": [service.make_key()]}
    assert service.seen[0].query == [("limit", "5")]


def test_every_option_becomes_its_field_of_the_contract(outpost, service, issued):
    service.on("POST", "/keys", service.data(issued, status=201))
    outpost(
        *("keys", "create", "--name", "ci", "--scope", "dispatch", "--scope", "status", "--expires-in", "30d"),
        *("--agent", "shell", "--repository", "example/*", "--monthly-budget-usd", "12.5"),
        *("--run-budget-usd", "2", "--run-tokens", "500000"),
    )
    assert service.seen[0].document == {
        "name": "ci",
        "scopes": ["dispatch", "status"],
        "expiresInSeconds": 30 * 86_400,
        "agents": ["shell"],
        "repositories": ["example/*"],
        "monthlyBudgetUsd": 12.5,
        "runBudgetUsd": 2.0,
        "runTokens": 500_000,
    }


def test_what_was_not_said_is_not_sent(outpost, service, issued):
    service.on("POST", "/keys", service.data(issued, status=201))
    outpost("keys", "create", "--name", "ci", "--scope", "status")
    assert service.seen[0].document == {"name": "ci", "scopes": ["status"]}


def test_in_a_pipe_a_new_secret_is_alone_on_stdout(outpost, service, issued):
    service.on("POST", "/keys", service.data(issued, status=201))
    result = outpost("keys", "create", "--name", "ci", "--scope", "status")
    assert result.stdout == f"{SECRET}\n"
    assert service.key_id in result.stderr
    assert SECRET not in result.stderr


def test_a_new_key_with_json_is_the_data_and_nothing_else(outpost, service, issued):
    service.on("POST", "/keys", service.data(issued, status=201))
    result = outpost("keys", "create", "--name", "ci", "--scope", "status", "--json")
    assert json.loads(result.stdout) == issued
    assert result.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["create", "--name", "ci"],
        ["create", "--scope", "status"],
        ["create", "--name", "ci", "--scope", "everything"],
        ["create", "--name", "ci", "--scope", "status", "--expires-in", "soon"],
        ["create", "--name", "ci", "--scope", "status", "--run-tokens", "0"],
        ["show", "../runs"],
        ["revoke", "a/b"],
        ["rotate", "a b"],
    ],
)
def test_wrong_usage_is_refused_before_anything_is_sent(outpost, service, arguments):
    assert outpost("keys", *arguments).exit_code == 2
    assert service.seen == []


def test_one_key_is_shown_with_its_bounds(outpost, service):
    bounds = {"repositories": ["example/*"], "monthlyBudgetUsd": 5, "runBudgetUsd": 2.5, "runTokens": 500_000}
    key = service.make_key(agents=["shell"], createdBy="operator", **bounds)
    service.on("GET", f"/keys/{service.key_id}", service.data(key))
    shown = [" ".join(line.split()) for line in outpost("keys", "show", service.key_id).stdout.splitlines()]
    assert "Repositories example/*" in shown
    assert "Monthly budget $5.00" in shown
    assert "Run budget $2.50" in shown
    assert "Run tokens 500,000" in shown
    assert "Created by operator" in shown


def test_a_key_without_bounds_is_shown_without_them(outpost, service):
    service.on("GET", f"/keys/{service.key_id}", service.data(service.make_key()))
    shown = outpost("keys", "show", service.key_id).stdout
    assert "budget" not in shown
    assert "tokens" not in shown


def test_outside_of_a_terminal_revoking_asks_nobody(outpost, service):
    service.on("DELETE", f"/keys/{service.key_id}", service.data(service.make_key(status="REVOKED")))
    result = outpost("keys", "revoke", service.key_id)
    assert result.exit_code == 0
    assert "REVOKED" in result.stdout
    assert [seen.method for seen in service.seen] == ["DELETE"]


def test_a_rotation_tells_the_new_secret_and_until_when_the_old_key_is_good(outpost, service, rotation):
    service.on("POST", f"/keys/{service.key_id}/rotate", service.data(rotation, status=201))
    result = outpost("keys", "rotate", service.key_id, "--grace", "1d")
    assert result.stdout == f"{SECRET}\n"
    assert f"It replaces {service.key_id}" in result.stderr
    assert service.seen[0].document == {"graceSeconds": 86_400}


def test_without_a_grace_period_the_service_chooses_it(outpost, service, rotation):
    service.on("POST", f"/keys/{service.key_id}/rotate", service.data(rotation, status=201))
    outpost("keys", "rotate", service.key_id)
    assert service.seen[0].document == {}


def test_save_puts_the_new_key_into_the_profile_in_use_and_does_not_show_it(run_program, service, rotation, in_use):
    service.on("POST", f"/keys/{service.key_id}/rotate", service.data(rotation, status=201))
    result = run_program("keys", "rotate", service.key_id, "--save")
    assert result.exit_code == 0
    assert ProfileFile.locate().read() == {"default": Profile(url=service.url, api_key=SECRET)}
    assert SECRET not in result.output


def test_save_does_not_put_a_key_in_the_place_of_another(run_program, service, rotation, in_use):
    service.on("POST", "/keys/OTHER/rotate", service.data(rotation, status=201))
    result = run_program("keys", "rotate", "OTHER", "--save")
    assert result.exit_code == 2
    assert service.seen_on("POST", "/keys/OTHER/rotate") == []


def test_save_is_refused_before_the_rotation_when_the_key_is_not_of_a_profile(outpost, service):
    result = outpost("keys", "rotate", service.key_id, "--save")
    assert result.exit_code == 2
    assert service.seen == []


def test_a_key_of_the_environment_with_the_url_of_a_profile_is_not_of_the_profile(
    run_program, service, in_use, monkeypatch
):
    monkeypatch.setenv("OUTPOST_API_KEY", "otp_environment")
    assert run_program("keys", "rotate", service.key_id, "--save").exit_code == 2
    assert ProfileFile.locate().read() == {"default": in_use}


def test_a_new_key_that_cannot_be_saved_is_shown(run_program, service, rotation, in_use):
    newer = Profile(url=service.url, api_key="otp_newer")
    file = ProfileFile.locate()
    answer = replace(
        service.data(rotation, status=201), meanwhile=lambda: file.save("default", newer, may_replace=lambda _: True)
    )
    service.on("POST", f"/keys/{service.key_id}/rotate", answer)
    result = run_program("keys", "rotate", service.key_id, "--save")
    assert result.exit_code == 2
    assert result.stdout == f"{SECRET}\n"
    assert file.read() == {"default": newer}
