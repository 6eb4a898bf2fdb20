"""What looks like a secret is hidden, ordinary text is not, and no text makes the search slow."""

import time

import pytest

from outpost_runner.secret_shapes import scrub_secret_shapes

LETTERS = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zAbCdEfGh"
HEXADECIMAL = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "token",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        f"ghp_{LETTERS}",
        f"ghs_{LETTERS}",
        f"github_pat_11ABC_{LETTERS}",
        f"glpat-{LETTERS[:20]}",
        f"sk-{LETTERS}",
        f"sk-ant-api03-{LETTERS}-_AA",
        f"sk-proj-{LETTERS}",
        f"xai-{LETTERS}",
        f"xoxb-1234567890-{LETTERS}",
        f"AIza{LETTERS[:35]}",
        f"sk_live_{LETTERS}",
        f"npm_{LETTERS}",
        f"pypi-{LETTERS}",
        f"hf_{LETTERS}",
        f"otp_{HEXADECIMAL}",
        f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{LETTERS}",
    ],
)
def test_a_well_known_token_is_hidden(token):
    assert scrub_secret_shapes(f"(`{token}`, ...)") == "(`[redacted]`, ...)"


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("password = hunter22", "password = [redacted]"),
        ('"password": "a b", "user": "c"', '"password": [redacted], "user": "c"'),
        ("DB_PASSWORD_MAIN='x y'", "DB_PASSWORD_MAIN=[redacted]"),
        ("export API_KEY=abcd1234 # mine", "export API_KEY=[redacted] # mine"),
        ("apiKey: abcd1234", "apiKey: [redacted]"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = [redacted]"),
        ("token := abcd1234;", "token := [redacted];"),
        ("'client_secret' => 'abcd1234'", "'client_secret' => [redacted]"),
        ("Passphrase:abcd1234", "Passphrase:[redacted]"),
        (f"Authorization: Bearer {LETTERS}", "Authorization: Bearer [redacted]"),
        (f"curl -H 'authorization: basic {LETTERS}=='", "curl -H 'authorization: basic [redacted]'"),
        ("postgres://app:hunter2@db.example.com/app", "postgres://[redacted]@db.example.com/app"),
        ("https://:token@example.com", "https://[redacted]@example.com"),
    ],
)
def test_what_is_given_as_a_secret_is_hidden_and_its_name_stays(text, scrubbed):
    assert scrub_secret_shapes(text) == scrubbed


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
def test_a_private_key_is_hidden(kind):
    key = f"-----BEGIN {kind}PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END {kind}PRIVATE KEY-----"
    assert scrub_secret_shapes(f"before\n{key}\nafter") == "before\n[redacted]\nafter"


def test_a_private_key_without_an_end_hides_the_rest():
    assert scrub_secret_shapes("before\n-----BEGIN PRIVATE KEY-----\nMIGH\n") == "before\n[redacted]"


@pytest.mark.parametrize(
    "text",
    [
        "Run `make test`; see https://example.com/docs?page=2 and ssh://git@example.com/a.git.",
        "The limit is max_tokens: 100, and the tokens are counted.",
        "Every task-list-item-that-is-long is a risk-assessment-of-the-house.",
        "Ask for the password and keep the secret.",
        "commit 0123456789abcdef0123456789abcdef01234567",
        "bearer tokens and basic knowledge",
        "-----BEGIN PUBLIC KEY-----\nMIGH\n-----END PUBLIC KEY-----",
    ],
)
def test_ordinary_text_stays_as_it_is(text):
    assert scrub_secret_shapes(text) == text


@pytest.mark.parametrize(
    "piece",
    ["a", " ", "password", "password ", "secret_", "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "://", "://a:", "://a:b",
     "bearer ", "bearer", "eyJ", "eyJaaaaaaaa.", "eyJaaaaaaaa.eyJ", "token='", 'token="', "sk-", "A", "AKIA", "a://b:c"],
)  # fmt: skip
def test_no_text_makes_the_search_slow(piece):
    text = piece * (256 * 1024 // len(piece))
    started = time.process_time()
    scrub_secret_shapes(text)
    assert time.process_time() - started < 1
