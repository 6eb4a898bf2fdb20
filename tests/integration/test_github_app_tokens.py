"""The tokens of the operator's GitHub App, from a GitHub that checks who asks for them."""

import json
import logging
from dataclasses import dataclass, field

import pytest
from builders import NOON
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import PrivateFormat
from deployment import make_settings
from fakes import SteppedClock
from github_app import APP_ID, TOKEN, GitHub, make_key, pem_of, serve_github

from outpost.adapters.github_app_tokens import PERMISSIONS, GitHubAppTokens
from outpost.adapters.secrets_vault import SecretsManagerVault
from outpost.domain.errors import Unavailable

INSTALLATION_PATH = "/repos/acme/app/installation"
TOKENS_PATH = "/app/installations/42/access_tokens"


@dataclass
class KnownApp:
    """Where the app's key is kept."""

    app: tuple[str, str] | None = field(repr=False)

    def platform_github_app(self):
        return self.app


@pytest.fixture(scope="module")
def key():
    return make_key()


@pytest.fixture
def github(key):
    with serve_github(GitHub(key.public_key(), int(NOON.timestamp()))) as serving:
        yield serving


@pytest.fixture
def make_tokens(github):
    """The tokens of an app with a key, or of none."""

    def make(pem, app_id=APP_ID, clock=None, **settings):
        return GitHubAppTokens(
            KnownApp(None if pem is None else (app_id, pem)),
            make_settings(**{"git_api_url": github.url, **settings}),
            clock or SteppedClock(),
        )

    return make


@pytest.fixture
def tokens(make_tokens, key):
    return make_tokens(pem_of(key))


def test_a_token_is_for_the_one_repository_and_may_only_push_and_open(tokens, github):
    assert tokens.token_for("acme/app") == TOKEN
    assert github.asked == [
        ("GET", INSTALLATION_PATH, None),
        ("POST", TOKENS_PATH, {"repositories": ["app"], "permissions": PERMISSIONS}),
    ]
    assert PERMISSIONS == {"contents": "write", "pull_requests": "write"}


def test_every_call_says_what_it_speaks(tokens, github):
    tokens.token_for("acme/app")
    said = {(each["accept"], each["x-github-api-version"], each["user-agent"]) for each in github.headers}
    assert said == {("application/vnd.github+json", "2022-11-28", "outpost")}


@pytest.mark.parametrize(
    "repo", ["acme/app.git", "https://git.example.com/acme/app", "https://git.example.com/acme/app.git"]
)
def test_however_the_repository_is_written_it_is_the_same(tokens, repo):
    assert tokens.token_for(repo) == TOKEN


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
def test_a_key_may_come_in_either_form(make_tokens, key, form):
    assert make_tokens(pem_of(key, form)).token_for("acme/app") == TOKEN


@pytest.mark.parametrize("seconds", [-59, 0, 299])
def test_a_clock_that_is_a_little_off_does_no_harm(make_tokens, key, github, seconds):
    github.seconds += seconds
    assert make_tokens(pem_of(key)).token_for("acme/app") == TOKEN


def test_each_time_is_told_anew(make_tokens, key, github):
    clock = SteppedClock()
    tokens = make_tokens(pem_of(key), clock=clock)
    tokens.token_for("acme/app")
    clock.move(hours=1)
    github.seconds += 3_600
    assert tokens.token_for("acme/app") == TOKEN


def test_where_there_is_no_app_nobody_is_asked(make_tokens, github):
    assert make_tokens(None).token_for("acme/app") is None
    assert github.asked == []


def test_where_the_host_has_no_api_nobody_is_asked(make_tokens, key, github):
    assert make_tokens(pem_of(key), git_api_url="").token_for("acme/app") is None
    assert github.asked == []


def test_where_the_app_is_not_installed_there_is_no_token(tokens, github):
    assert tokens.token_for("acme/other") is None
    assert [path for _, path, _ in github.asked] == ["/repos/acme/other/installation"]


def test_a_repository_that_has_moved_has_no_token_and_its_new_address_is_not_asked(tokens, github, key):
    with serve_github(GitHub(key.public_key(), github.seconds)) as elsewhere:
        github.answers[f"GET {INSTALLATION_PATH}"] = (301, b'{"message": "Moved Permanently"}')
        github.answered_headers["Location"] = f"{elsewhere.url}{INSTALLATION_PATH}"
        assert tokens.token_for("acme/app") is None
        assert elsewhere.asked == []
    assert len(github.asked) == 1


@pytest.mark.parametrize("status", [302, 307, 308])
def test_no_redirect_makes_a_token(tokens, github, status):
    github.answers[f"POST {TOKENS_PATH}"] = (status, b"")
    github.answered_headers["Location"] = f"{github.url}/elsewhere"
    assert tokens.token_for("acme/app") is None
    assert [path for _, path, _ in github.asked] == [INSTALLATION_PATH, TOKENS_PATH]


def test_an_installation_of_another_owner_gives_no_token(tokens, github):
    github.installed_by = "stranger"
    assert tokens.token_for("acme/app") is None
    assert [path for _, path, _ in github.asked] == [INSTALLATION_PATH]


def test_the_owners_name_is_the_same_in_any_case(tokens, github):
    github.installed_by = "ACME"
    assert tokens.token_for("acme/app") == TOKEN


@pytest.mark.parametrize("account", ["null", "{}", '{"login": null}', '"acme"'])
def test_an_installation_of_nobody_gives_no_token(tokens, github, account):
    github.answers[f"GET {INSTALLATION_PATH}"] = (200, f'{{"id": 42, "account": {account}}}'.encode())
    assert tokens.token_for("acme/app") is None


@pytest.mark.parametrize("status", [403, 404, 422])
@pytest.mark.parametrize("call", [f"GET {INSTALLATION_PATH}", f"POST {TOKENS_PATH}"])
def test_what_github_refuses_is_no_token(tokens, github, call, status):
    github.answers[call] = (status, b'{"message": "no"}')
    assert tokens.token_for("acme/app") is None


@pytest.mark.parametrize(
    ("message", "headers"),
    [
        (b"no", {"Retry-After": "60"}),
        (b"no", {"X-RateLimit-Remaining": "0"}),
        (b"You have exceeded a secondary rate limit.", {}),
        (b"API Rate Limit exceeded for installation", {"X-RateLimit-Remaining": "17"}),
    ],
    ids=["to come again", "no requests left", "a secondary limit", "a limit"],
)
@pytest.mark.parametrize("call", [f"GET {INSTALLATION_PATH}", f"POST {TOKENS_PATH}"])
def test_a_rate_limit_is_unavailable_and_no_refusal(tokens, github, call, message, headers):
    github.answers[call] = (403, message)
    github.answered_headers |= headers
    with pytest.raises(Unavailable, match="403"):
        tokens.token_for("acme/app")


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_with_requests_left_is_one(tokens, github, status):
    github.answers[f"GET {INSTALLATION_PATH}"] = (status, b'{"message": "Resource not accessible by integration"}')
    github.answered_headers["X-RateLimit-Remaining"] = "4999"
    assert tokens.token_for("acme/app") is None


def test_a_refusal_that_is_cut_off_is_unavailable(tokens, github):
    github.answers[f"GET {INSTALLATION_PATH}"] = (403, b'{"message": "You have exc...')
    with pytest.raises(Unavailable):
        tokens.token_for("acme/app")


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@pytest.mark.parametrize("call", [f"GET {INSTALLATION_PATH}", f"POST {TOKENS_PATH}"])
def test_what_github_cannot_do_now_is_unavailable(tokens, github, call, status):
    github.answers[call] = (status, b"")
    with pytest.raises(Unavailable, match=str(status)):
        tokens.token_for("acme/app")


@pytest.mark.parametrize(
    "content",
    [b"<html>", b"", b'{"id": 4...', b"[]", b"{}", b'"text"', b'{"id": "x"}', b'{"id": null}'],
    ids=["HTML", "nothing", "cut off", "a list", "no id", "a text", "a strange id", "no number"],
)
def test_an_answer_that_cannot_be_read_is_unavailable(tokens, github, content):
    github.answers[f"GET {INSTALLATION_PATH}"] = (200, content)
    with pytest.raises(Unavailable):
        tokens.token_for("acme/app")


@pytest.mark.parametrize("content", [b"{}", b'{"token": null}', b'{"token": ""}', b"[]"])
def test_an_answer_without_a_token_is_unavailable(tokens, github, content):
    github.answers[f"POST {TOKENS_PATH}"] = (201, content)
    with pytest.raises(Unavailable):
        tokens.token_for("acme/app")


def test_a_host_that_does_not_answer_is_unavailable(make_tokens, key):
    with pytest.raises(Unavailable):
        make_tokens(pem_of(key), git_api_url="http://127.0.0.1:9").token_for("acme/app")


def test_another_apps_key_gets_nothing(make_tokens, github):
    with pytest.raises(Unavailable, match="401"):
        make_tokens(pem_of(make_key())).token_for("acme/app")
    assert len(github.asked) == 1


def test_another_apps_id_gets_nothing(make_tokens, key):
    with pytest.raises(Unavailable, match="401"):
        make_tokens(pem_of(key), app_id="654321").token_for("acme/app")


@pytest.mark.parametrize(
    "make_pem",
    [
        lambda _: "not a key at all",
        lambda key: pem_of(key)[:400],
        lambda _: "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----\n",
        lambda _: pem_of(generate_private_key(SECP256R1())),
    ],
    ids=["no key", "cut off", "no numbers", "an elliptic curve"],
)
def test_a_key_that_is_none_is_unavailable_and_said_without_it(make_tokens, key, make_pem, caplog, github):
    pem = make_pem(key)
    with caplog.at_level(logging.DEBUG), pytest.raises(Unavailable) as refusal:
        make_tokens(pem).token_for("acme/app")
    assert "outpost/github-app" in caplog.text
    assert_not_told(pem, caplog.text + repr(refusal.value))
    assert github.asked == []


def assert_not_told(pem, text):
    """No line of the key is in the text."""
    assert [line for line in pem.splitlines() if line and line in text] == []


def test_neither_key_nor_token_is_ever_logged_or_shown(make_tokens, key, github, caplog):
    pem = pem_of(key)
    tokens = make_tokens(pem)
    github.answers[f"GET {INSTALLATION_PATH}"] = (500, b"")
    with caplog.at_level(logging.DEBUG):
        with pytest.raises(Unavailable) as refusal:
            tokens.token_for("acme/app")
        github.answers[f"GET {INSTALLATION_PATH}"] = (404, b"")
        tokens.token_for("acme/app")
        github.answers.clear()
        tokens.token_for("acme/app")
    shown = caplog.text + repr(tokens) + repr(vars(tokens)) + repr(refusal.value)
    assert_not_told(pem, shown)
    assert TOKEN not in shown
    assert "eyJ" not in shown


@pytest.fixture
def vault(deployment):
    return SecretsManagerVault(deployment.secrets, deployment.settings, SteppedClock())


@pytest.fixture
def put_app(deployment):
    """Puts the app's secret there as an operator does."""
    return lambda text: deployment.secrets.create_secret(Name="outpost/github-app", SecretString=text)


def test_the_app_of_the_operators_secret_gets_a_token(vault, put_app, key, github):
    put_app(json.dumps({"appId": APP_ID, "privateKey": pem_of(key)}))
    tokens = GitHubAppTokens(vault, make_settings(git_api_url=github.url), SteppedClock())
    assert tokens.token_for("acme/app") == TOKEN


def test_without_a_secret_there_is_no_app(vault):
    assert vault.platform_github_app() is None


@pytest.mark.parametrize(
    "document",
    [
        "canary-key",
        '["canary-key"]',
        '{"privateKey": "canary-key"}',
        '{"appId": "", "privateKey": "canary-key"}',
        '{"appId": "1", "privateKey": ""}',
        '{"appId": "1", "privateKey": ["canary-key"]}',
        '{"appId": 123456, "privateKey": "canary-key"}',
        '{"appId": ["1"], "privateKey": "canary-key"}',
    ],
)
def test_a_secret_that_is_not_as_it_has_to_be_is_no_app_and_is_said_without_it(vault, put_app, document, caplog):
    put_app(document)
    assert vault.platform_github_app() is None
    assert "outpost/github-app" in caplog.text
    assert "canary-key" not in caplog.text + repr(vault) + repr(vars(vault))


def test_what_is_known_of_the_app_is_not_shown(vault, put_app):
    put_app(json.dumps({"appId": APP_ID, "privateKey": "canary-key"}))
    assert vault.platform_github_app() == (APP_ID, "canary-key")
    assert "canary-key" not in repr(vault) + repr(vars(vault))
