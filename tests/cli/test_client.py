"""The client under the program: repeats, redirects, paging."""

import httpx
import pytest

from outpost_cli.account_client import NewKey
from outpost_cli.client import Dispatch, OutpostClient
from outpost_cli.errors import Interrupted, LimitReached, NotAuthorised, NotFound, ServiceUnavailable
from outpost_cli.refusals import describe_refusal
from outpost_cli.retrying import choose_backoff

URL = "https://api.example.com/prod"
RECEIPT = {"success": True, "data": {"runId": "R1", "status": "PENDING"}, "meta": {}}
FLEET = {"success": True, "data": {"status": "ok", "agents": []}, "meta": {}}


def refuse(status: int, code: str, *, retryable: bool, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = {"code": code, "message": "m", "remedy": "r", "retryable": retryable}
    return httpx.Response(status, json={"success": False, "error": error, "meta": {}}, headers=named)


@pytest.fixture
def connect():
    """A client whose answers come from a list; what it sent is in `sent`."""
    sent: list[httpx.Request] = []

    def make(*answers: httpx.Response | BaseException) -> tuple[OutpostClient, list[httpx.Request]]:
        left = list(answers)

        def handle(request: httpx.Request) -> httpx.Response:
            sent.append(request)
            answer = left.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return OutpostClient(URL, "otp_secret", transport=httpx.MockTransport(handle)), sent

    return make


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        refuse(429, "RATE_LIMITED", retryable=True, Retry_After="1"),
        refuse(503, "SERVICE_UNAVAILABLE", retryable=True),
        httpx.Response(502, text="Bad Gateway"),
    ],
)
def test_what_passes_is_tried_again_with_the_same_body(connect, failure):
    client, sent = connect(failure, httpx.Response(201, json=RECEIPT))
    with client:
        assert client.dispatch(Dispatch(agent="shell", task="true")).run_id == "R1"
    assert sent[0].content == sent[1].content
    assert b"idempotencyKey" in sent[0].content


@pytest.mark.parametrize(
    "failure",
    [
        refuse(429, "QUOTA_EXCEEDED", retryable=True, Retry_After="86400"),
        refuse(429, "QUOTA_EXCEEDED", retryable=False),
    ],
)
def test_a_limit_that_does_not_pass_soon_is_told_at_once(connect, failure):
    client, sent = connect(failure)
    with client, pytest.raises(LimitReached):
        client.get_fleet()
    assert len(sent) == 1


def test_a_refusal_of_the_request_is_not_repeated(connect):
    client, sent = connect(refuse(404, "NOT_FOUND", retryable=False))
    with client, pytest.raises(NotFound):
        client.get_run("R1")
    assert len(sent) == 1


def test_repeats_are_bounded(connect):
    client, sent = connect(*[httpx.ConnectError("refused")] * 10)
    with client, pytest.raises(ServiceUnavailable, match="refused"):
        client.get_fleet()
    assert len(sent) == 3


@pytest.fixture(params=["workspace", "secret"])
def delete(request):
    """Deletes the one that is called X."""
    return {
        "workspace": lambda client: client.workspaces.delete_workspace("X"),
        "secret": lambda client: client.account.delete_secret("X"),
    }[request.param]


@pytest.mark.parametrize(
    "failure", [httpx.ReadTimeout("slow"), refuse(503, "SERVICE_UNAVAILABLE", retryable=True), httpx.Response(502)]
)
def test_what_is_gone_when_its_deletion_is_sent_again_was_deleted(connect, delete, failure):
    client, sent = connect(failure, refuse(404, "NOT_FOUND", retryable=False))
    with client:
        assert "X" in delete(client).values()
    assert [request.method for request in sent] == ["DELETE", "DELETE"]


@pytest.mark.parametrize("failure", [httpx.ConnectError("refused"), refuse(429, "RATE_LIMITED", retryable=True)])
def test_what_is_not_there_when_nothing_can_have_deleted_it_is_not_found(connect, delete, failure):
    client, sent = connect(failure, refuse(404, "NOT_FOUND", retryable=False))
    with client, pytest.raises(NotFound):
        delete(client)
    assert len(sent) == 2


KEY = {"keyId": "K", "name": "n", "prefix": "p", "scopes": [], "status": "ACTIVE", "createdAt": "2026-01-01T00:00:00Z"}
ISSUED = {"success": True, "data": {**KEY, "apiKey": "otp_new"}, "meta": {}}
WISH = NewKey(name="n", scopes=("status",))


@pytest.mark.parametrize(
    "failure",
    [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), refuse(429, "RATE_LIMITED", retryable=True)],
)
def test_making_a_key_is_tried_again_where_surely_none_was_made(connect, failure):
    client, sent = connect(failure, httpx.Response(201, json=ISSUED))
    with client:
        assert client.account.create_key(WISH).secret == "otp_new"
    assert len(sent) == 2


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        refuse(503, "SERVICE_UNAVAILABLE", retryable=True),
        httpx.Response(502, text="Bad Gateway"),
    ],
)
def test_where_a_key_may_have_been_made_it_is_not_tried_again_and_the_remedy_says_what_to_check(connect, failure):
    client, sent = connect(failure)
    with client, pytest.raises(ServiceUnavailable) as raised:
        client.account.create_key(WISH)
    assert len(sent) == 1
    assert "outpost keys list" in raised.value.remedy


def test_an_interruption_before_the_answer_came_says_what_to_check(connect):
    client, _ = connect(KeyboardInterrupt())
    with client, pytest.raises(Interrupted) as raised:
        client.account.rotate_key("K")
    assert "outpost keys show K" in raised.value.remedy


def test_a_refusal_keeps_its_own_remedy_where_nothing_was_made(connect):
    client, _ = connect(refuse(403, "AUTHORIZATION_ERROR", retryable=False))
    with client, pytest.raises(NotAuthorised) as raised:
        client.account.create_key(WISH)
    assert raised.value.remedy == "r"


def test_a_pause_that_the_service_asks_for_is_kept_and_spread():
    pauses = {
        choose_backoff(describe_refusal(refuse(503, "SERVICE_UNAVAILABLE", retryable=True, Retry_After="2")))
        for _ in range(20)
    }
    assert min(pauses) >= 2
    assert max(pauses) <= 3
    assert len(pauses) > 1


def test_the_key_is_not_sent_along_a_redirect(connect):
    elsewhere = httpx.Response(303, headers={"Location": "https://store.example.com/p?X-Amz-Signature=s"})
    client, sent = connect(elsewhere, httpx.Response(200, content=b"diff"))
    with client:
        assert client.get_patch("R1") == b"diff"
    assert sent[1].url == "https://store.example.com/p?X-Amz-Signature=s"
    assert "authorization" not in sent[1].headers


def test_the_signature_of_a_link_is_in_no_error(connect):
    elsewhere = httpx.Response(303, headers={"Location": "https://store.example.com/p?X-Amz-Signature=s"})
    client, _ = connect(elsewhere, *[httpx.ConnectError("refused")] * 3)
    with client, pytest.raises(ServiceUnavailable) as raised:
        client.get_patch("R1")
    assert "X-Amz-Signature" not in raised.value.message


def test_other_routes_follow_no_redirect(connect):
    client, sent = connect(httpx.Response(302, headers={"Location": "https://evil.example.com/"}))
    with client, pytest.raises(Exception, match="302"):
        client.get_fleet()
    assert len(sent) == 1


def test_an_answer_is_read_whatever_fields_it_has_beside_those_we_know(connect):
    client, _ = connect(httpx.Response(200, json={**FLEET, "data": {**FLEET["data"], "new": 1}}))
    with client:
        assert client.get_fleet().document["new"] == 1
