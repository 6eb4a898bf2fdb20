"""How the operate function is found and invoked, and what becomes of AWS's errors."""

import subprocess
import sys

import pytest

INVOCATIONS = "/2015-03-31/functions/{}/invocations"
DEV = INVOCATIONS.format("outpost-operate-dev")
SHOW = ("tenant", "show", "example-shop")
CREATE = ("tenant", "create", "example-shop", "--name", "Example Shop")


@pytest.fixture
def answer(service):
    return service.json({"success": True, "data": {"tenant": service.make_tenant()}})


def aws_error(service, status: int, code: str):
    return service.json({"Type": "User", "Message": f"It was {code}."}, status=status, x_amzn_ErrorType=code)


@pytest.mark.parametrize(
    ("options", "function"),
    [
        ([], "outpost-operate-dev"),
        (["--env", "prod"], "outpost-operate-prod"),
        (["--function", "other", "--env", "prod"], "other"),
    ],
)
def test_the_environment_or_the_function_says_what_is_invoked(operate, service, answer, options, function):
    service.on("POST", INVOCATIONS.format(function), answer)
    assert operate(*SHOW, *options).exit_code == 0
    assert service.seen[0].headers["x-amz-invocation-type"] == "RequestResponse"


def test_the_region_is_signed(operate, service, answer):
    service.on("POST", DEV, answer)
    operate(*SHOW, "--region", "eu-west-1")
    assert "/eu-west-1/lambda/" in service.seen[0].headers["authorization"]


def test_the_option_goes_before_the_endpoint_of_the_environment(operate, service, answer, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    service.on("POST", DEV, answer)
    assert operate(*SHOW, "--endpoint-url", service.url).exit_code == 0


@pytest.mark.parametrize(
    ("code", "exit_code"), [("NOT_FOUND", 4), ("CONFLICT", 5), ("VALIDATION_ERROR", 5), ("INTERNAL_ERROR", 1)]
)
def test_a_refusal_of_the_function_is_told_in_its_own_words(operate, service, code, exit_code):
    service.on("POST", DEV, service.error(200, code, details={"errors": [{"path": "plan", "message": "is wrong"}]}))
    result = operate(*SHOW)
    assert result.exit_code == exit_code
    assert f"{code}: It was {code}." in result.stderr
    assert f"Mend {code}." in result.stderr
    assert "plan: is wrong" in result.stderr


@pytest.mark.parametrize(
    ("status", "code", "exit_code", "remedy"),
    [
        (404, "ResourceNotFoundException", 4, "--env"),
        (403, "AccessDeniedException", 3, "lambda:InvokeFunction"),
        (403, "ExpiredTokenException", 3, "Log in to AWS"),
        (403, "UnrecognizedClientException", 3, "Log in to AWS"),
        (429, "TooManyRequestsException", 6, "Try again"),
        (400, "InvalidParameterValueException", 5, "Try again"),
        (500, "ServiceException", 1, "Try again"),
    ],
)
def test_an_error_of_aws_is_told_with_what_to_do(operate, service, status, code, exit_code, remedy):
    service.on("POST", DEV, aws_error(service, status, code))
    result = operate(*SHOW)
    assert result.exit_code == exit_code
    assert code in result.stderr
    assert remedy in result.stderr.splitlines()[-1]


def test_a_function_that_is_not_there_is_told_with_its_name_and_region(operate, service):
    service.on("POST", DEV, aws_error(service, 404, "ResourceNotFoundException"))
    assert "There is no function outpost-operate-dev in us-east-1." in operate(*SHOW).stderr


def test_a_function_that_fails_is_told_with_where_its_log_is(operate, service):
    failed = service.json({"errorMessage": "Task timed out", "errorType": "Timeout"}, X_Amz_Function_Error="Unhandled")
    service.on("POST", DEV, failed)
    result = operate(*SHOW)
    assert result.exit_code == 1
    assert "Task timed out" in result.stderr
    assert "/outpost/ENV/control-plane" in result.stderr


@pytest.mark.parametrize("body", [b"null", b"<html>", b'{"apiKey": "otp_x"}', b'{"success": false}'])
def test_an_answer_that_is_not_of_outpost_is_said_to_be_so(operate, service, body):
    service.on("POST", DEV, service.raw(200, body))
    result = operate(*SHOW)
    assert result.exit_code == 1
    assert "UNEXPECTED_ANSWER" in result.stderr
    assert "--function" in result.stderr


def test_without_credentials_the_remedy_says_how_to_have_some(operate, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    result = operate(*SHOW)
    assert result.exit_code == 2
    assert "AWS_CONFIGURATION" in result.stderr
    assert "AWS_PROFILE" in result.stderr


def test_without_a_region_the_remedy_names_the_option(operate, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    result = operate(*SHOW)
    assert result.exit_code == 2
    assert "--region" in result.stderr


def test_an_aws_profile_that_does_not_exist_is_told(operate, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "missing")
    result = operate(*SHOW)
    assert result.exit_code == 2
    assert "missing" in result.stderr


def test_without_boto3_the_remedy_says_how_to_install_it(operate, monkeypatch):
    monkeypatch.delitem(sys.modules, "outpost_cli.operate_client", raising=False)
    monkeypatch.setitem(sys.modules, "boto3", None)
    result = operate(*SHOW)
    assert result.exit_code == 1
    assert "pip install 'outpost[operator]'" in result.stderr


def test_every_other_command_works_without_boto3():
    script = "import sys; sys.modules['boto3'] = None; from outpost_cli.main import main; main()"
    finished = subprocess.run([sys.executable, "-c", script, "version"], capture_output=True, check=False)
    assert finished.returncode == 0


CUT = {"Content-Length": "9"}


def test_what_may_happen_twice_is_tried_again_after_a_lost_answer(operate, service, answer):
    service.on("POST", DEV, service.raw(200, b"", CUT), answer)
    assert operate(*SHOW).exit_code == 0
    assert len(service.seen) == 2


def test_repeats_are_bounded(operate, service):
    service.on("POST", DEV, service.error(200, "SERVICE_UNAVAILABLE", retryable=True))
    assert operate(*SHOW).exit_code == 7
    assert len(service.seen) == 3


@pytest.mark.parametrize(
    ("command", "check"),
    [
        (CREATE, "outpost operator tenant show example-shop"),
        (("key", "create", "example-shop"), "outpost keys list"),
        (("tenant", "extend-trial", "example-shop", "--days", "7"), "outpost operator tenant show example-shop"),
    ],
)
def test_what_must_not_happen_twice_is_not_tried_again_after_a_lost_answer(operate, service, command, check):
    service.on("POST", DEV, service.raw(200, b"", CUT))
    result = operate(*command)
    assert result.exit_code == 7
    assert "NO_ANSWER" in result.stderr
    assert check in result.stderr
    assert len(service.seen) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_boto3_does_not_try_again_by_itself(operate, service, status):
    service.on("POST", DEV, aws_error(service, status, "ServiceException"))
    assert "outpost operator tenant show example-shop" in operate(*CREATE).stderr
    assert len(service.seen) == 1


def test_what_must_not_happen_twice_is_tried_again_where_it_surely_has_not_happened(operate, service):
    made = {"tenant": service.make_tenant(), "key": service.make_key(), "apiKey": "otp_new"}
    busy = aws_error(service, 429, "TooManyRequestsException")
    service.on("POST", DEV, busy, service.json({"success": True, "data": made}))
    assert operate(*CREATE).stdout == "otp_new\n"
    assert len(service.seen) == 2


def test_a_function_that_failed_while_it_made_a_tenant_says_what_to_check(operate, service):
    service.on("POST", DEV, service.json({"errorMessage": "Task timed out"}, X_Amz_Function_Error="Unhandled"))
    assert "outpost operator tenant show example-shop" in operate(*CREATE).stderr


def test_an_endpoint_that_does_not_listen_is_unavailable(operate):
    result = operate(*SHOW, "--endpoint-url", "http://127.0.0.1:9")
    assert result.exit_code == 7
    assert "UNREACHABLE" in result.stderr
