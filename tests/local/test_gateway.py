"""The local API Gateway in front of a function that answers with its event."""

import httpx
import pytest

pytestmark = pytest.mark.xdist_group("small_stack")


def test_a_request_becomes_a_proxy_event(api: httpx.Client) -> None:
    event = api.get("/things/a%20b?x=1&x=2&y=", headers=[("X-Two", "1"), ("X-Two", "2")]).json()["event"]
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/things/{id}", "/things/a%20b", "GET")
    assert event["pathParameters"] == {"id": "a%20b"}
    assert event["queryStringParameters"] == {"x": "2", "y": ""}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": [""]}
    assert (event["body"], event["isBase64Encoded"]) == (None, False)


def test_the_context_tells_where_the_request_came_to(api: httpx.Client) -> None:
    context = api.get("/things/1").json()["event"]["requestContext"]
    assert (context["stage"], context["resourcePath"], context["accountId"]) == ("test", "/things/{id}", "123456789012")
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert context["domainName"] == api.base_url.netloc.decode()


def test_a_request_without_parameters_has_nulls_in_their_places(api: httpx.Client) -> None:
    event = api.get("/").json()["event"]
    assert (event["pathParameters"], event["queryStringParameters"], event["multiValueQueryStringParameters"]) == (
        None,
        None,
        None,
    )


def test_a_body_arrives_as_text(api: httpx.Client) -> None:
    event = api.post("/things", content="grüße 😀".encode(), headers={"Content-Type": "text/plain"}).json()["event"]
    assert event["body"] == "grüße 😀"
    assert event["headers"]["Content-Type"] == "text/plain"


def test_a_literal_path_wins_over_a_parameter(api: httpx.Client) -> None:
    assert api.get("/things/known").json()["event"]["resource"] == "/things/known"


def test_a_method_of_its_own_wins_over_any(api: httpx.Client) -> None:
    assert api.delete("/things/1").json()["event"]["httpMethod"] == "DELETE"


def test_a_greedy_parameter_takes_the_rest_of_the_path(api: httpx.Client) -> None:
    assert api.get("/files/a/b/c").json()["event"]["pathParameters"] == {"path": "a/b/c"}


def test_status_headers_and_repeated_headers_come_back(api: httpx.Client) -> None:
    answer = api.get("/")
    assert answer.status_code == 418
    assert answer.headers["X-One"] == "1"
    assert answer.headers.get_list("Set-Cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("path", ["/nothing/here", "/things"])
def test_an_unknown_route_is_answered_as_aws_does(api: httpx.Client, path: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.json()) == (403, {"message": "Missing Authentication Token"})


@pytest.mark.parametrize("wish", ["fail", "nonsense"])
def test_a_function_that_fails_is_answered_by_the_templates_response(api: httpx.Client, wish: str) -> None:
    answer = api.get(f"/?wish={wish}")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert answer.json() == {"said": "Internal server error", "id": answer.headers["X-Request-Id"]}


def test_a_body_over_ten_megabytes_is_refused(api: httpx.Client) -> None:
    assert api.post("/things", content=b"x" * (10 * 1024 * 1024 + 1)).status_code == 413


def test_an_event_that_lambda_does_not_take_is_refused(api: httpx.Client) -> None:
    assert api.post("/things", content=b"x" * (7 * 1024 * 1024)).status_code == 413


def test_a_head_request_has_no_body(api: httpx.Client) -> None:
    answer = api.head("/things/1")
    assert (answer.status_code, answer.content) == (418, b"")
