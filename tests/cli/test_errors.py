"""How errors become words and exit codes."""

import json

import pytest


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (400, "VALIDATION_ERROR", 5),
        (401, "AUTHENTICATION_ERROR", 3),
        (402, "TRIAL_EXPIRED", 6),
        (402, "SUBSCRIPTION_EXPIRED", 6),
        (403, "AUTHORIZATION_ERROR", 3),
        (403, "TENANT_SUSPENDED", 3),
        (403, "POLICY_DENIED", 3),
        (403, "KILL_SWITCH_ON", 3),
        (404, "NOT_FOUND", 4),
        (405, "METHOD_NOT_ALLOWED", 5),
        (409, "CONFLICT", 5),
        (413, "PAYLOAD_TOO_LARGE", 5),
        (415, "UNSUPPORTED_MEDIA_TYPE", 5),
        (429, "QUOTA_EXCEEDED", 6),
        (429, "QUEUE_FULL", 6),
        (429, "RATE_LIMITED", 6),
        (429, "BUDGET_EXCEEDED", 6),
        (500, "INTERNAL_ERROR", 1),
        (502, "HTTP_502", 7),
        (503, "SERVICE_UNAVAILABLE", 7),
        (504, "HTTP_504", 7),
    ],
)
def test_each_status_has_its_exit_code_and_is_told_with_its_remedy(outpost, service, status, code, exit_code):
    service.on("GET", "/fleet", service.error(status, code))
    result = outpost("fleet")
    assert result.exit_code == exit_code
    assert f"{code}: It was {code}." in result.stderr
    assert f"Mend {code}." in result.stderr
    assert result.stdout == ""


def test_with_json_the_error_object_is_on_stderr(outpost, service):
    details = {"errors": [{"path": "agent", "message": "is unknown"}]}
    service.on("POST", "/dispatch", service.error(400, "VALIDATION_ERROR", details=details))
    result = outpost("dispatch", "x", "--agent", "nobody", "--json")
    assert result.stdout == ""
    assert json.loads(result.stderr) == {
        "code": "VALIDATION_ERROR",
        "message": "It was VALIDATION_ERROR.",
        "remedy": "Mend VALIDATION_ERROR.",
        "retryable": False,
        "details": details,
    }


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["runs", "--bad", "--json"], "--bad"),
        (["--json", "runs"], "--json"),
        (["rnus", "--json"], "rnus"),
        (["dispatch", "x", "--json"], "--agent"),
        (["runs", "--json", "--limit", "0"], "--limit"),
        (["profile", "save", "--json"], "NAME"),
    ],
)
def test_what_the_parser_refuses_is_an_error_object_with_json(outpost, arguments, complaint):
    result = outpost(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    told = json.loads(result.stderr)
    assert told["code"] == "USAGE"
    assert complaint in told["message"]
    assert "--help" in told["remedy"]


def test_with_json_the_exit_code_of_a_command_is_its_own(outpost, service):
    service.on("GET", "/fleet", service.error(429, "RATE_LIMITED"))
    assert outpost("fleet", "--json").exit_code == 6


def test_json_as_an_argument_is_no_option(outpost):
    assert "Usage:" in outpost("runs", "--", "--json").stderr


STRANGE_KEYS = ["ключ", "otp_two\nlines", "otp_with blank", "otp_\x7f", "\udcff"]


@pytest.mark.parametrize("key", STRANGE_KEYS)
def test_what_is_no_key_is_neither_sent_nor_told(run_program, service, key):
    service.on("GET", "/fleet", service.data({"status": "ok", "agents": []}))
    result = run_program("fleet", "--url", service.url, "--api-key", key)
    assert result.exit_code == 2
    assert "not an API key" in result.stderr
    assert key not in result.output
    assert service.seen == []


def test_what_is_no_key_is_refused_from_the_environment_too(outpost, service, monkeypatch):
    monkeypatch.setenv("OUTPOST_API_KEY", "ключ")
    assert outpost("fleet").exit_code == 2
    assert service.seen == []


def test_without_a_key_the_error_says_so_and_how_to_give_one(run_program, service):
    result = run_program("fleet", "--url", service.url)
    assert result.exit_code == 2
    assert "There is no API key for" in result.stderr
    assert "OUTPOST_API_KEY" in result.stderr
    assert service.seen == []


def test_every_wrong_field_is_named(outpost, service):
    wrong = [{"path": "agent", "message": "is unknown"}, {"path": "timeoutSeconds", "message": "is too small"}]
    service.on("POST", "/dispatch", service.error(400, "VALIDATION_ERROR", details={"errors": wrong}))
    result = outpost("dispatch", "x", "--agent", "nobody")
    assert "agent: is unknown" in result.stderr
    assert "timeoutSeconds: is too small" in result.stderr


def test_a_gateways_own_refusal_is_told_without_the_envelope(outpost, service):
    service.on("GET", "/fleet", service.json({"message": "Missing Authentication Token"}, status=403))
    result = outpost("fleet")
    assert result.exit_code == 3
    assert "Missing Authentication Token" in result.stderr


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b'{"status": "ok"}', b'{"success": true}'])
def test_an_answer_that_is_not_of_outpost_is_said_to_be_so(outpost, service, body):
    service.on("GET", "/fleet", service.raw(200, body))
    result = outpost("fleet")
    assert result.exit_code == 1
    assert "UNEXPECTED_ANSWER" in result.stderr


def test_a_missing_field_is_named(outpost, service):
    service.on("GET", "/fleet", service.data({"status": "ok", "agents": [{"available": True}]}))
    assert "the field agent is not a text" in outpost("fleet").stderr


def test_a_service_that_does_not_listen_is_unavailable(run_program):
    result = run_program("fleet", "--url", "http://127.0.0.1:9", "--api-key", "k")
    assert result.exit_code == 7
    assert "UNREACHABLE" in result.stderr


def test_a_key_is_in_no_message(outpost, service):
    service.on("GET", "/fleet", service.error(401, "AUTHENTICATION_ERROR"))
    result = outpost("fleet")
    assert service.api_key not in result.output


def test_a_defect_of_the_service_is_told_with_the_id_that_operators_ask_for(outpost, service):
    service.on("GET", "/fleet", service.error(500, "INTERNAL_ERROR", X_Request_Id="r-77"))
    assert "Request id: r-77" in outpost("fleet").stderr
    assert json.loads(outpost("fleet", "--json").stderr)["requestId"] == "r-77"


def test_what_a_limit_says_about_itself_is_told(outpost, service):
    limit = {"dimension": "dispatches", "limit": 50, "used": 50, "resetsAt": "2026-02-01T00:00:00.000Z"}
    service.on("GET", "/fleet", service.error(429, "QUOTA_EXCEEDED", details=limit))
    shown = outpost("fleet").stderr
    assert "dimension: dispatches" in shown
    assert "resetsAt: 2026-02-01T00:00:00.000Z" in shown
