"""`outpost secrets`."""

import json

import pytest

VALUE = "the value of a secret"


def make_secret(**changes: object) -> dict[str, object]:
    """A secret as the service tells it."""
    return {
        "name": "DEPLOY_KEY",
        "kind": "environment",
        "createdAt": "2026-01-01T12:00:00.000Z",
        "updatedAt": "2026-01-02T12:00:00.000Z",
        "updatedBy": "01JZ0000000000000000000001",
        **changes,
    }


def test_the_list_goes_through_every_page(outpost, service):
    service.on(
        "GET",
        "/secrets",
        service.data({"secrets": [make_secret()]}, pagination={"nextCursor": "c1", "hasMore": True}),
        service.data({"secrets": [make_secret(name="openai", kind="provider")]}),
    )
    rows = [line.split() for line in outpost("secrets", "list", "--all").stdout.splitlines()[1:]]
    assert [row[:2] for row in rows] == [["DEPLOY_KEY", "environment"], ["openai", "provider"]]
    assert service.seen[1].query == [("limit", "100"), ("cursor", "c1")]


def test_the_list_with_json_keeps_its_name(outpost, service):
    service.on("GET", "/secrets", service.data({"secrets": [make_secret()]}))
    assert json.loads(outpost("secrets", "list", "--json").stdout) == {"secrets": [make_secret()]}
    assert service.seen[0].query == [("limit", "20")]


@pytest.mark.parametrize(
    ("piped", "sent"),
    [
        (VALUE, VALUE),
        (f"{VALUE}\n", VALUE),
        (f"{VALUE}\r\n", VALUE),
        (f"{VALUE}\n\n", f"{VALUE}\n"),
        (f" a\nb{VALUE} \n", f" a\nb{VALUE} "),
        ("umläut \N{ROCKET}\n", "umläut \N{ROCKET}"),
    ],
)
def test_a_value_comes_from_stdin_without_the_line_end_behind_it(outpost, service, piped, sent):
    service.on("PUT", "/secrets/DEPLOY_KEY", service.data(make_secret(), status=201))
    result = outpost("secrets", "set", "DEPLOY_KEY", standard_input=piped.encode())
    assert result.exit_code == 0
    assert service.seen[0].document == {"value": sent}


def test_a_value_is_not_shown(outpost, service):
    service.on("PUT", "/secrets/DEPLOY_KEY", service.data(make_secret()))
    result = outpost("secrets", "set", "DEPLOY_KEY", standard_input=VALUE)
    assert "DEPLOY_KEY" in result.stdout
    assert VALUE not in result.output


def test_a_value_is_no_argument(outpost, service):
    result = outpost("secrets", "set", "DEPLOY_KEY", VALUE)
    assert (result.exit_code, service.seen) == (2, [])


@pytest.mark.parametrize("piped", [b"", b"\n", b"\xff\xfe binary"])
def test_what_is_no_value_is_not_sent(outpost, service, piped):
    result = outpost("secrets", "set", "DEPLOY_KEY", standard_input=piped)
    assert (result.exit_code, service.seen) == (2, [])


@pytest.mark.parametrize("command", ["set", "delete"])
@pytest.mark.parametrize("name", ["../keys", "a/b", "a b"])
def test_a_name_that_leads_elsewhere_is_not_sent(outpost, service, command, name):
    result = outpost("secrets", command, name, standard_input=VALUE)
    assert (result.exit_code, service.seen) == (2, [])


def test_a_name_that_the_service_refuses_is_told_by_its_field(outpost, service):
    details = {"errors": [{"path": "name", "message": "must not be PATH"}]}
    service.on("PUT", "/secrets/PATH", service.error(400, "VALIDATION_ERROR", details=details))
    result = outpost("secrets", "set", "PATH", standard_input=VALUE)
    assert result.exit_code == 5
    assert "name: must not be PATH" in result.stderr


def test_a_set_that_was_refused_for_now_is_sent_again(outpost, service):
    busy = service.error(503, "SERVICE_UNAVAILABLE", retryable=True)
    service.on("PUT", "/secrets/DEPLOY_KEY", busy, service.data(make_secret()))
    assert outpost("secrets", "set", "DEPLOY_KEY", standard_input=VALUE).exit_code == 0
    assert len(service.seen) == 2


def test_set_with_json_is_the_data_and_nothing_else(outpost, service):
    service.on("PUT", "/secrets/DEPLOY_KEY", service.data(make_secret()))
    result = outpost("secrets", "set", "DEPLOY_KEY", "--json", standard_input=VALUE)
    assert json.loads(result.stdout) == make_secret()
    assert result.stderr == ""


def test_outside_of_a_terminal_deleting_asks_nobody(outpost, service):
    service.on("DELETE", "/secrets/DEPLOY_KEY", service.data(make_secret()))
    result = outpost("secrets", "delete", "DEPLOY_KEY")
    assert (result.exit_code, [seen.method for seen in service.seen]) == (0, ["DELETE"])


def test_deleting_what_is_not_there_is_told(outpost, service):
    service.on("DELETE", "/secrets/DEPLOY_KEY", service.error(404, "NOT_FOUND"))
    assert outpost("secrets", "delete", "DEPLOY_KEY").exit_code == 4
