"""Saved profiles, and which service and key a command uses."""

import json
import stat
from pathlib import Path

import pytest

from outpost_cli.errors import UsageRefused
from outpost_cli.profiles import Profile, ProfileFile
from outpost_cli.settings import ConnectionChoice

KEY = "otp_" + "a" * 64
PROD = Profile(url="https://prod.example.com", api_key=KEY)
OTHER = Profile(url="https://other.example.com", api_key="otp_other")


@pytest.fixture
def profile_path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "outpost" / "profiles.toml"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


def save(run_program, name: str, *arguments: str, key: str | bytes = KEY):
    url = "https://new.example.com/v1/"
    return run_program("profile", "save", name, "--url", url, "--api-key-stdin", *arguments, standard_input=key)


def test_without_a_terminal_the_remedy_is_the_option_that_reads_stdin(run_program):
    result = run_program("profile", "save", "prod", "--url", "https://prod.example.com", standard_input=KEY)
    assert result.exit_code == 2
    assert "--api-key-stdin" in result.stderr


@pytest.mark.parametrize("key", ["ключ", "otp_two\nlines", "otp_with blank", b"otp_\xff"])
def test_what_is_no_key_is_not_saved(run_program, profile_path, key):
    result = save(run_program, "prod", key=key)
    assert result.exit_code == 2
    assert "not an API key" in result.stderr
    assert not profile_path.exists()


def test_a_profile_that_exists_is_kept_unless_forced(run_program, profile_path):
    file = ProfileFile(profile_path)
    file.save("prod", PROD)
    refused = save(run_program, "prod", key="otp_new")
    assert (refused.exit_code, file.read()["prod"]) == (2, PROD)
    assert save(run_program, "prod", "--force", key="otp_new").exit_code == 0
    assert file.read()["prod"] == Profile(url="https://new.example.com/v1", api_key="otp_new")


def test_remove_takes_one_profile_away(run_program, profile_path):
    file = ProfileFile(profile_path)
    file.save("prod", PROD)
    file.save("other", OTHER)
    assert run_program("profile", "remove", "other").exit_code == 0
    assert file.read() == {"prod": PROD}


def test_a_profile_that_is_not_there_cannot_be_removed(run_program):
    result = run_program("profile", "remove", "stage")
    assert result.exit_code == 2
    assert "There is no profile 'stage'" in result.stderr


def test_a_folder_that_cannot_be_made_is_told(run_program, tmp_path):
    (tmp_path / "config").write_text("a file")
    result = save(run_program, "prod")
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)


def test_save_reads_the_key_from_stdin(run_program, profile_path):
    run_program(
        "profile", "save", "p.1", "--url", "https://a.example.com", "--api-key-stdin", standard_input=KEY + "\n"
    )
    assert ProfileFile(profile_path).read()["p.1"].api_key == KEY


def test_the_file_and_its_folder_are_private(run_program, profile_path):
    run_program("profile", "save", "a", "--url", "https://a.example.com", "--api-key-stdin", standard_input=KEY)
    assert stat.S_IMODE(profile_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(profile_path.parent.stat().st_mode) == 0o700


def test_saving_keeps_the_other_profiles_and_leaves_no_draft(profile_path):
    file = ProfileFile(profile_path)
    file.save("prod", PROD)
    file.save("other", OTHER)
    assert file.read() == {"prod": PROD, "other": OTHER}
    assert [path.name for path in profile_path.parent.iterdir()] == ["profiles.toml"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_may_read_is_refused_with_what_to_do(run_program, profile_path, mode):
    ProfileFile(profile_path).save("default", PROD)
    profile_path.chmod(mode)
    result = run_program("fleet")
    assert result.exit_code == 2
    assert f"chmod 600 {profile_path}" in result.stderr


@pytest.mark.parametrize(
    "text", ["not toml", "profiles = 1", "[profiles.a]\nurl = 1", "[profiles.a]\nurl = 'x'", "\xff"]
)
def test_a_broken_file_is_refused(profile_path, text):
    ProfileFile(profile_path).save("default", PROD)
    profile_path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageRefused, match="is not valid"):
        ProfileFile(profile_path).read()


@pytest.mark.parametrize("name", ["", "a b", "../a", "a\n", "x" * 65])
def test_a_strange_profile_name_is_refused(profile_path, name):
    with pytest.raises(UsageRefused):
        ProfileFile(profile_path).save(name, PROD)


def test_an_empty_key_is_refused(run_program):
    result = run_program(
        "profile", "save", "a", "--url", "https://a.example.com", "--api-key-stdin", standard_input="\n"
    )
    assert result.exit_code == 2


def test_list_shows_names_and_urls_and_no_key(run_program, profile_path):
    ProfileFile(profile_path).save("prod", PROD)
    assert KEY not in run_program("profile", "list").output
    document = json.loads(run_program("profile", "list", "--json").stdout)
    assert document == {"profiles": [{"name": "prod", "url": PROD.url}]}


def test_without_a_service_the_remedy_says_how_to_choose_one(run_program):
    result = run_program("fleet")
    assert result.exit_code == 2
    assert "OUTPOST_URL" in result.stderr


def test_the_default_profile_is_used_when_nothing_is_chosen(environment, profile_path):
    ProfileFile(profile_path).save("default", PROD)
    connection = ConnectionChoice().resolve(environment)
    assert (connection.url, connection.api_key) == (PROD.url, KEY)


def test_the_environment_comes_before_the_default_profile(environment, profile_path):
    ProfileFile(profile_path).save("default", PROD)
    chosen = {**environment, "OUTPOST_URL": "https://env.example.com", "OUTPOST_API_KEY": "otp_env"}
    connection = ConnectionChoice().resolve(chosen)
    assert (connection.url, connection.api_key) == ("https://env.example.com", "otp_env")


def test_a_profile_that_is_named_comes_before_the_environment(environment, profile_path):
    ProfileFile(profile_path).save("prod", PROD)
    chosen = {**environment, "OUTPOST_URL": "https://env.example.com", "OUTPOST_API_KEY": "otp_env"}
    connection = ConnectionChoice(profile="prod").resolve(chosen)
    assert (connection.url, connection.api_key) == (PROD.url, KEY)


def test_options_come_first(environment, profile_path):
    ProfileFile(profile_path).save("prod", PROD)
    choice = ConnectionChoice(url="https://option.example.com", api_key="otp_option", profile="prod")
    connection = choice.resolve(environment)
    assert (connection.url, connection.api_key) == ("https://option.example.com", "otp_option")


def test_the_profile_variable_names_a_profile(environment, profile_path):
    ProfileFile(profile_path).save("other", OTHER)
    assert ConnectionChoice().resolve({**environment, "OUTPOST_PROFILE": "other"}).url == OTHER.url


def test_an_unknown_profile_is_refused_with_those_that_exist(environment, profile_path):
    ProfileFile(profile_path).save("prod", PROD)
    with pytest.raises(UsageRefused, match="prod"):
        ConnectionChoice(profile="stage").resolve(environment)


def test_the_key_of_a_profile_is_not_sent_to_another_url(environment, profile_path):
    ProfileFile(profile_path).save("prod", PROD)
    with pytest.raises(UsageRefused, match="is not sent to"):
        ConnectionChoice(url="https://evil.example.com", profile="prod").resolve(environment)


def test_a_url_alone_does_not_take_the_default_profiles_key(environment, profile_path):
    ProfileFile(profile_path).save("default", PROD)
    with pytest.raises(UsageRefused, match="There is no API key"):
        ConnectionChoice(url="https://evil.example.com").resolve(environment)


def test_an_empty_variable_is_as_none(environment, profile_path):
    ProfileFile(profile_path).save("default", PROD)
    empty = {**environment, "OUTPOST_URL": "", "OUTPOST_API_KEY": "", "OUTPOST_PROFILE": ""}
    connection = ConnectionChoice().resolve(empty)
    assert (connection.url, connection.api_key) == (PROD.url, KEY)


FULL = {"OUTPOST_URL": PROD.url, "OUTPOST_API_KEY": KEY}


@pytest.mark.parametrize(
    ("choice", "more"), [(ConnectionChoice(), FULL), (ConnectionChoice(url=PROD.url, api_key=KEY), {})]
)
def test_a_profile_that_is_not_needed_need_not_exist(environment, choice, more):
    connection = choice.resolve({**environment, "OUTPOST_PROFILE": "missing", **more})
    assert (connection.url, connection.api_key) == (PROD.url, KEY)


def test_where_no_key_is_needed_a_url_is_enough(environment):
    choice = ConnectionChoice(url=PROD.url)
    assert choice.resolve({**environment, "OUTPOST_PROFILE": "missing"}, needs_key=False).api_key is None


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "ftp://api.example.com",
        "api.example.com",
        "https://",
        "https://u:p@a.example.com",
        "https://a.example.com/?x=1",
        "https://a.example.com:port",
        "http://localhost.example.com",
    ],
)
def test_a_url_that_would_leak_or_mislead_is_refused(environment, url):
    with pytest.raises(UsageRefused):
        ConnectionChoice(url=url, api_key=KEY).resolve(environment)


def test_plain_http_is_for_loopback(environment):
    choice = ConnectionChoice(url="http://127.0.0.1:8080/dev/", api_key=KEY)
    assert choice.resolve(environment).url == "http://127.0.0.1:8080/dev"


def test_a_key_is_in_no_representation():
    shown = (
        repr(PROD) + repr(ConnectionChoice(api_key=KEY)) + repr(ConnectionChoice(url=PROD.url, api_key=KEY).resolve({}))
    )
    assert KEY not in shown
