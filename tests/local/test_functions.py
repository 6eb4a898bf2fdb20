"""Functions in execution environments of their own."""

import json
import threading

import httpx
import pytest
from botocore.exceptions import ClientError

from outpost_local.invocation import FunctionNotFound
from outpost_local.stack import FunctionFailed, LocalStack

pytestmark = pytest.mark.xdist_group("small_stack")

REFUSE = {"note": "refuse"}


def test_a_function_is_invoked_by_logical_id_name_and_arn(small_stack: LocalStack) -> None:
    resource = small_stack.deployment.resources["FinishFunction"]
    names = ["FinishFunction", resource.physical_id, resource.attributes["Arn"], resource.attributes["Arn"] + ":live"]
    assert [small_stack.invoke(name, {"note": name}) for name in names] == [{"note": name} for name in names]


def test_a_function_that_does_not_exist_is_not_found(small_stack: LocalStack) -> None:
    with pytest.raises(FunctionNotFound, match="NoFunction"):
        small_stack.invoke("NoFunction", {})


def test_an_error_of_a_function_tells_its_type_and_message(small_stack: LocalStack) -> None:
    with pytest.raises(FunctionFailed) as failure:
        small_stack.invoke("FinishFunction", REFUSE)
    document = json.loads(str(failure.value))
    assert (document["errorType"], document["errorMessage"]) == ("Refused", "It was asked for.")


def test_a_function_answers_over_the_lambda_api(small_stack: LocalStack) -> None:
    name = small_stack.deployment.resources["FinishFunction"].physical_id
    answer = small_stack.aws.client("lambda").invoke(FunctionName=name, Payload=b'{"note": "hello"}')
    assert (answer["StatusCode"], json.load(answer["Payload"])) == (200, {"note": "hello"})


def test_an_error_over_the_lambda_api_is_marked_as_one(small_stack: LocalStack) -> None:
    answer = small_stack.aws.client("lambda").invoke(FunctionName="FinishFunction", Payload=json.dumps(REFUSE))
    assert (answer["FunctionError"], json.load(answer["Payload"])["errorType"]) == ("Unhandled", "Refused")


def test_an_unknown_function_over_the_lambda_api_is_a_client_error(small_stack: LocalStack) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        small_stack.aws.client("lambda").invoke(FunctionName="NoFunction")


def test_a_function_has_its_own_settings(small_stack: LocalStack, api: httpx.Client) -> None:
    facts = api.get("/").json()
    assert facts["function"] == small_stack.deployment.resources["EchoFunction"].physical_id
    assert facts["apiUrl"] == small_stack.api_url
    assert 4000 < facts["milliseconds"] <= 5000


def test_events_at_the_same_time_run_in_different_environments(api: httpx.Client) -> None:
    processes: list[int] = []
    threads = [
        threading.Thread(target=lambda: processes.append(api.get("/?wish=linger").json()["process"])) for _ in range(3)
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(set(processes)) == 3


def test_a_function_that_takes_too_long_is_killed(api: httpx.Client) -> None:
    assert api.get("/?wish=hang").status_code == 503
    assert api.get("/").status_code == 418


def test_a_function_whose_process_ends_is_a_failure_of_that_event_only(api: httpx.Client) -> None:
    assert api.get("/?wish=exit").status_code == 503
    assert api.get("/").status_code == 418


def test_calls_are_recorded_by_function(small_stack: LocalStack) -> None:
    before = len(small_stack.calls)
    small_stack.run_schedule_now("ListenFunctionHourly")
    made = [(call.service, call.operation) for call in small_stack.calls[before:] if call.function == "ListenFunction"]
    assert ("dynamodb", "PutItem") in made


def test_what_functions_print_is_in_the_log_and_not_on_the_terminal(
    small_stack: LocalStack, api: httpx.Client, capfd: pytest.CaptureFixture[str]
) -> None:
    api.get("/?wish=fail")
    assert "RuntimeError: as wished" in small_stack.log_path.read_text()
    assert capfd.readouterr() == ("", "")
