import pytest
from builders import SECRET, a_caller, later

from outpost.domain.api_key import Scope, hash_secret
from outpost.domain.errors import PolicyDenied, ScopeMissing
from outpost.domain.token import ACCESS_TOKEN_PREFIX, Purpose, verify
from outpost.use_cases.issue_token import issue_token


def issue(world, scopes=None, caller=None):
    return issue_token(caller or a_caller(), scopes, **world.ports("signing_key", "clock"))


def test_a_token_has_the_scopes_that_were_asked_for_and_a_quarter_of_an_hour(world):
    token = issue(world, [Scope.STATUS, Scope.CANCEL])
    assert (token.scopes, token.expires_at) == ({Scope.STATUS, Scope.CANCEL}, later(minutes=15))


def test_a_token_of_no_special_scopes_has_all_of_the_callers(world):
    scopes = frozenset({Scope.STATUS, Scope.DISPATCH})
    assert issue(world, caller=a_caller(scopes=scopes)).scopes == scopes


def test_a_token_says_no_secret(world):
    token = issue(world, [Scope.STATUS]).token
    claims = verify(world.signing_key.value(), Purpose.ACCESS, token.removeprefix(ACCESS_TOKEN_PREFIX), later())
    assert claims == {"key": hash_secret(SECRET), "scopes": "status", "exp": int(later(minutes=15).timestamp())}
    assert SECRET not in token


def test_a_time_of_parts_of_a_second_is_what_the_token_says(world):
    world.clock.move(milliseconds=750)
    assert issue(world).expires_at == later(minutes=15)


def test_a_scope_that_the_caller_has_not_is_refused_by_name(world):
    caller = a_caller(scopes=frozenset({Scope.STATUS}))
    with pytest.raises(ScopeMissing) as missing:
        issue(world, [Scope.STATUS, Scope.KEYS], caller)
    assert missing.value.scope == "keys"


@pytest.mark.parametrize("scopes", [None, [Scope.STATUS]])
def test_a_token_makes_no_token(world, scopes):
    caller = a_caller(token_expires_at=later(minutes=5))
    with pytest.raises(PolicyDenied, match="send the API key"):
        issue(world, scopes, caller)
