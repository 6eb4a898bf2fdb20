import pytest
from builders import NOON, later

from outpost.domain.token import Purpose, TokenInvalid, sign, verify

KEY = b"a signing key"
CLAIMS = {"run": "r", "attempt": 1, "exp": int(later(minutes=1).timestamp())}


def test_a_token_gives_back_its_claims():
    assert verify(KEY, Purpose.RUNNER_SESSION, sign(KEY, Purpose.RUNNER_SESSION, CLAIMS), NOON) == CLAIMS


def test_the_same_claims_give_the_same_token():
    assert sign(KEY, Purpose.CURSOR, {"a": 1, "b": 2}) == sign(KEY, Purpose.CURSOR, {"b": 2, "a": 1})


def test_a_token_is_of_no_use_for_another_purpose():
    with pytest.raises(TokenInvalid):
        verify(KEY, Purpose.RUNNER_SESSION, sign(KEY, Purpose.RUNNER_BOOTSTRAP, CLAIMS), NOON)


def test_a_token_of_another_deployment_is_refused():
    with pytest.raises(TokenInvalid):
        verify(KEY, Purpose.CURSOR, sign(b"another key", Purpose.CURSOR, {"a": 1}), NOON)


def test_a_token_ends_at_its_time():
    token = sign(KEY, Purpose.RUNNER_SESSION, CLAIMS)
    with pytest.raises(TokenInvalid, match="expired"):
        verify(KEY, Purpose.RUNNER_SESSION, token, later(minutes=1))


def test_an_altered_payload_is_refused():
    payload, mac = sign(KEY, Purpose.CURSOR, {"a": 1}).split(".")
    with pytest.raises(TokenInvalid):
        verify(KEY, Purpose.CURSOR, f"{payload[:-2]}AA.{mac}", NOON)


@pytest.mark.parametrize("text", ["", ".", "a.b.c", "é.é", "=.=", "e30", "e30."])
def test_what_is_no_token_is_refused(text):
    with pytest.raises(TokenInvalid):
        verify(KEY, Purpose.CURSOR, text, NOON)
