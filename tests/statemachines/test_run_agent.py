"""Every path of the run's machine, in the interpreter, with a finish function that answers from a script."""

import json
import time
import uuid
from pathlib import Path

import pytest

from outpost_local import LocalStack

pytestmark = pytest.mark.xdist_group("statemachines")


@pytest.fixture(scope="module")
def stack():
    with LocalStack.start(Path(__file__).parent / "scripted_stack" / "template.yaml") as running:
        yield running


@pytest.fixture
def end_of(stack):
    """Runs an execution to its end; its agent has no task definition, so that every launch is refused."""

    def run(script, **changes):
        states = stack.aws.client("stepfunctions")
        name = f"{script}_{uuid.uuid4().hex}"
        given = {
            "runId": name,
            "tenantId": "acme",
            "attempt": 1,
            "agent": "nobody",
            "timeoutSeconds": 30,
            "startAllowanceSeconds": 30,
            "stopGraceSeconds": 30,
            "apiUrl": "https://api.example.com",
            "bootstrapToken": "token \"with\" 'quotes' {% %}",
        }
        machine = stack.deployment.outputs["MachineArn"]
        started = states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(given | changes))
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            described = states.describe_execution(executionArn=started["executionArn"])
            if described["status"] != "RUNNING":
                return described
            time.sleep(0.1)
        raise AssertionError(described)

    return run


def test_a_completed_run_ends_green(end_of):
    ended = end_of("COMPLETED")
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"])["status"] == "COMPLETED"


@pytest.mark.parametrize("status", ["FAILED", "TIMEOUT", "CANCELLED"])
def test_a_run_that_ended_badly_ends_red_with_its_own_code(end_of, status):
    ended = end_of(status)
    assert (ended["status"], ended["error"]) == ("FAILED", f"{status}_CODE")


def test_a_refused_launch_reaches_finish_with_its_name_and_cause(end_of):
    heard = json.loads(end_of("FAILED")["cause"])
    assert (heard["source"], heard["tenantId"], heard["attempt"]) == ("machine", "acme", 1)
    assert heard["task"] is None
    assert heard["error"].startswith("ECS.")
    assert heard["cause"]


def test_a_run_whose_compute_has_not_stopped_is_asked_about_again(end_of):
    ended = end_of("RUNNING-COMPLETED")
    assert ended["status"] == "SUCCEEDED"
    assert (ended["stopDate"] - ended["startDate"]).total_seconds() >= 10


def test_a_lost_attempt_is_launched_again_with_its_own_number_and_token(end_of):
    ended = end_of("PENDING-FAILED")
    heard = json.loads(ended["cause"])
    assert (ended["status"], heard["attempt"]) == ("FAILED", 2)


def test_a_finish_that_breaks_leaves_the_run_to_the_sweep(end_of):
    ended = end_of("broken")
    assert (ended["status"], ended["error"]) == ("FAILED", "Unsettled")
