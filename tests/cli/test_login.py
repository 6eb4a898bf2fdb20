"""`outpost login`, `whoami` and `token`."""

import json

import pytest

from outpost_cli.profiles import Profile, ProfileFile

KEY = "otp_" + "a" * 64


@pytest.fixture
def known(service):
    service.on("GET", "/auth/whoami", service.data(service.make_identity()))


def log_in(run_program, *arguments: str, key: str = KEY):
    return run_program("login", "--api-key-stdin", *arguments, standard_input=key + "\n")


def test_a_key_that_the_service_knows_is_saved_as_the_default(run_program, service, known):
    result = log_in(run_program, "--url", service.url + "/")
    assert result.exit_code == 0
    assert ProfileFile.locate().read() == {"default": Profile(url=service.url, api_key=KEY)}
    assert service.seen[0].headers["authorization"] == f"Bearer {KEY}"


def test_login_says_who_one_is_and_not_the_key(run_program, service, known):
    result = log_in(run_program, "--url", service.url)
    assert "example-shop (Example Shop) ACTIVE" in result.stdout
    assert KEY not in result.output


def test_login_with_json_tells_profile_and_identity(run_program, service, known):
    told = json.loads(log_in(run_program, "--url", service.url, "--profile", "shop", "--json").stdout)
    assert told["profile"] == "shop"
    assert told["identity"]["tenant"]["tenantId"] == "example-shop"


def test_a_key_that_the_service_does_not_know_is_not_saved(run_program, service):
    service.on("GET", "/auth/whoami", service.error(401, "AUTHENTICATION_ERROR"))
    result = log_in(run_program, "--url", service.url)
    assert result.exit_code == 3
    assert ProfileFile.locate().read() == {}


def test_a_token_is_not_saved(run_program, service):
    service.on("GET", "/auth/whoami", service.data(service.make_identity(credential="token")))
    result = log_in(run_program, "--url", service.url, key="ott_short")
    assert result.exit_code == 2
    assert ProfileFile.locate().read() == {}


def test_a_newer_key_for_the_same_service_takes_the_place_of_the_old_one_without_a_url(run_program, service, known):
    ProfileFile.locate().save("prod", Profile(url=service.url, api_key="otp_old"))
    assert log_in(run_program, "--profile", "prod").exit_code == 0
    assert ProfileFile.locate().read() == {"prod": Profile(url=service.url, api_key=KEY)}


OTHER = Profile(url="https://other.example.com", api_key="otp_other")


def test_a_profile_of_another_service_is_kept_and_no_key_is_sent(run_program, service, known):
    ProfileFile.locate().save("prod", OTHER)
    result = log_in(run_program, "--url", service.url, "--profile", "prod")
    assert result.exit_code == 2
    assert ProfileFile.locate().read() == {"prod": OTHER}
    assert service.seen == []


def test_a_profile_of_another_service_is_replaced_by_force(run_program, service, known):
    ProfileFile.locate().save("prod", OTHER)
    assert log_in(run_program, "--url", service.url, "--profile", "prod", "--force").exit_code == 0
    assert ProfileFile.locate().read()["prod"].api_key == KEY


def test_the_profile_variable_names_the_profile(run_program, service, known, monkeypatch):
    monkeypatch.setenv("OUTPOST_PROFILE", "prod")
    log_in(run_program, "--url", service.url)
    assert list(ProfileFile.locate().read()) == ["prod"]


def test_without_a_url_and_a_terminal_the_remedy_names_the_option(run_program):
    result = log_in(run_program)
    assert result.exit_code == 2
    assert "--url" in result.stderr


def test_variables_that_go_before_the_profile_are_told(run_program, service, known, monkeypatch):
    monkeypatch.setenv("OUTPOST_API_KEY", "otp_other")
    assert "OUTPOST_API_KEY in your environment" in log_in(run_program, "--url", service.url).stderr


def test_nothing_is_said_of_variables_that_are_not_set(run_program, service, known):
    assert log_in(run_program, "--url", service.url).stderr == ""


def test_whoami_shows_scopes_and_the_plan(outpost, service):
    budgets = {"monthlyBudgetUsd": 12.5, "runBudgetUsd": 10, "runTokens": 1_000_000}
    plan = service.make_plan(kind="trial", dispatches=50, agents=["shell"], **budgets)
    service.on("GET", "/auth/whoami", service.data(service.make_identity(plan=plan)))
    shown = [" ".join(line.split()) for line in outpost("whoami").stdout.splitlines()]
    assert "Scopes dispatch, status" in shown
    assert "Kind trial" in shown
    assert "Dispatches 50" in shown
    assert "Workspaces no limit" in shown
    assert "Agents shell" in shown
    assert "Repositories all" in shown
    assert "Monthly budget $12.50" in shown
    assert "Run budget $10.00" in shown
    assert "Run tokens 1,000,000" in shown


def test_whoami_says_what_the_plan_does_not_limit(outpost, service):
    service.on("GET", "/auth/whoami", service.data(service.make_identity()))
    shown = [" ".join(line.split()) for line in outpost("whoami").stdout.splitlines()]
    assert "Run budget no limit" in shown
    assert "Run tokens no limit" in shown


def test_whoami_shows_how_long_and_how_large_workspaces_may_be(outpost, service):
    plan = service.make_plan(workspaceDays=14, workspaceMb=1024)
    service.on("GET", "/auth/whoami", service.data(service.make_identity(plan=plan)))
    shown = [" ".join(line.split()) for line in outpost("whoami").stdout.splitlines()]
    assert "Unused workspaces 14 days" in shown
    assert "Largest workspace 1,024 MB" in shown


def test_whoami_of_an_older_service_says_nothing_of_them(outpost, service):
    plan = service.make_plan()
    del plan["workspaceDays"], plan["workspaceMb"]
    service.on("GET", "/auth/whoami", service.data(service.make_identity(plan=plan)))
    result = outpost("whoami")
    assert result.exit_code == 0
    assert "Unused workspaces" not in result.stdout
    assert "Largest workspace" not in result.stdout


def test_whoami_tells_the_repositories_of_the_plan(outpost, service):
    plan = service.make_plan(repositories={"allow": ["example/*"], "deny": ["example/secret"]})
    service.on("GET", "/auth/whoami", service.data(service.make_identity(plan=plan)))
    shown = outpost("whoami").stdout
    assert "Repositories        example/*\n" in shown
    assert "Except              example/secret\n" in shown


def test_whoami_with_json_is_the_data(outpost, service):
    service.on("GET", "/auth/whoami", service.data(service.make_identity()))
    assert json.loads(outpost("whoami", "--json").stdout) == service.make_identity()


TOKEN = {
    "token": "ott_abc",
    "tokenType": "Bearer",
    "expiresAt": "2026-01-01T12:15:00.000Z",
    "expiresInSeconds": 900,
    "scopes": ["status"],
}


def test_a_token_is_alone_on_stdout_and_what_it_is_good_for_beside_it(outpost, service):
    service.on("POST", "/auth/token", service.data(TOKEN))
    result = outpost("token", "--scope", "status")
    assert result.stdout == "ott_abc\n"
    assert "for: status" in result.stderr
    assert service.seen[0].document == {"scopes": ["status"]}


def test_without_a_scope_the_service_chooses_those_of_the_key(outpost, service):
    service.on("POST", "/auth/token", service.data(TOKEN))
    outpost("token")
    assert service.seen[0].document == {}


def test_a_token_with_json_is_the_data_and_nothing_else(outpost, service):
    service.on("POST", "/auth/token", service.data(TOKEN))
    result = outpost("token", "--json")
    assert json.loads(result.stdout) == TOKEN
    assert result.stderr == ""


def test_a_scope_that_does_not_exist_is_refused_before_anything_is_sent(outpost, service):
    result = outpost("token", "--scope", "everything")
    assert result.exit_code == 2
    assert service.seen == []
