"""Every path of the promotion's machine, in the interpreter: task and finish function do as they are told."""

import json
import time
import uuid

import pytest

pytestmark = pytest.mark.xdist_group("statemachines")

# The state's own time is twelve minutes above the task's.
ONE_SECOND = 1 - 720
PASSING_LAUNCH_ERRORS = {
    "ECS.AmazonECSException",
    "AmazonECS.Unknown",
    "ECS.ServerException",
    "ECS.ThrottlingException",
    "ECS.SdkClientException",
}


@pytest.fixture(scope="module")
def promotion_machine(stack):
    return stack.deployment.outputs["PromotionMachineArn"]


@pytest.fixture(scope="module")
def promotion_definition(states, promotion_machine):
    return json.loads(states.describe_state_machine(stateMachineArn=promotion_machine)["definition"])


@pytest.fixture(scope="module")
def refused_machine(states, promotion_definition):
    """The same machine, but that there is no such task to launch."""
    changed = json.loads(json.dumps(promotion_definition))
    changed["States"]["RunPromotion"]["Arguments"]["TaskDefinition"] = "nobodys"
    made = states.create_state_machine(
        name="refused", roleArn="arn:aws:iam::123456789012:role/refused", definition=json.dumps(changed)
    )
    return made["stateMachineArn"]


@pytest.fixture(scope="module")
def retried_machine(states, promotion_definition):
    """The refused machine, whose refusal is one of those that pass, and that waits for nothing."""
    changed = json.loads(json.dumps(promotion_definition))
    launch = changed["States"]["RunPromotion"]
    launch["Arguments"]["TaskDefinition"] = "nobodys"
    launch["Retry"][0] |= {"ErrorEquals": ["ECS.ClientException"], "IntervalSeconds": 1, "MaxDelaySeconds": 2}
    made = states.create_state_machine(
        name="retried", roleArn="arn:aws:iam::123456789012:role/retried", definition=json.dumps(changed)
    )
    return made["stateMachineArn"]


@pytest.fixture
def promote(states, promotion_machine):
    """Runs an execution to its end, whose task does what its token says."""

    def run(script, deed="exit 0", machine=promotion_machine, attempt=1, task_seconds=600):
        name = f"{script}_{uuid.uuid4().hex}"
        given = {
            "runId": name,
            "tenantId": "acme",
            "attempt": attempt,
            "apiUrl": "https://api.example.com",
            "taskSeconds": task_seconds,
            "bootstrapToken": deed,
        }
        started = states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(given))
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            described = states.describe_execution(executionArn=started["executionArn"])
            if described["status"] != "RUNNING":
                return described
            time.sleep(0.1)
        raise AssertionError(described)

    return run


def heard(ended):
    """What finish was told of an execution that ended red."""
    return json.loads(ended["cause"])


def test_a_promotion_that_its_task_has_told_ends_green(promote, calls_of):
    ended = promote("COMPLETED")
    (told,) = calls_of(ended, "invoke")
    assert (ended["status"], json.loads(ended["output"])["status"]) == ("SUCCEEDED", "COMPLETED")
    assert told["Payload"].pop("taskArn").startswith("arn:aws:ecs:")
    assert told["Payload"] == {
        "source": "promotion",
        "tenantId": "acme",
        "runId": ended["name"],
        "attempt": 1,
        "error": "",
        "cause": "",
    }


def test_the_task_has_its_own_container_and_what_it_needs(promote, calls_of):
    ended = promote("COMPLETED", attempt=3)
    (launch,) = calls_of(ended, "runTask.sync")
    (container,) = launch["Overrides"]["ContainerOverrides"]
    assert (launch["TaskDefinition"], container["Name"]) == ("outpost-promote-dev", "promoter")
    assert {each["Name"]: each["Value"] for each in container["Environment"]} == {
        "RUN_ID": ended["name"],
        "TENANT_ID": "acme",
        "ATTEMPT": "3",
        "API_URL": "https://api.example.com",
        "BOOTSTRAP_TOKEN": "exit 0",
    }


def test_a_promotion_that_failed_ends_red_with_its_own_code(promote):
    ended = promote("FAILED")
    assert (ended["status"], ended["error"]) == ("FAILED", "FAILED_CODE")


def test_a_task_that_failed_reaches_finish_with_its_end(promote, calls_of):
    ended = promote("FAILED", "exit 3", attempt=2)
    told = heard(ended)
    assert (told["source"], told["attempt"], told["error"]) == ("promotion", 2, "States.TaskFailed")
    assert json.loads(told["cause"])["Containers"][0]["ExitCode"] == 3
    assert len(calls_of(ended, "runTask.sync")) == 1


def test_a_task_that_failed_after_it_had_told_its_success_ends_green(promote):
    assert promote("COMPLETED", "exit 3")["status"] == "SUCCEEDED"


def test_a_task_that_does_not_end_is_stopped_and_told_as_a_timeout(promote):
    told = heard(promote("FAILED", "sleep 60", task_seconds=ONE_SECOND))
    assert (told["error"], told["cause"]) == ("States.Timeout", "")


def test_a_task_that_could_not_start_is_not_launched_again(promote, stack, calls_of):
    stack.fargate.fail_next_launches("CannotPullContainerError: no such image")
    ended = promote("FAILED")
    assert heard(ended)["error"] == "States.TaskFailed"
    assert len(calls_of(ended, "runTask.sync")) == 1


def test_a_refused_launch_reaches_finish_with_its_name_and_cause(promote, refused_machine, calls_of):
    ended = promote("FAILED", machine=refused_machine)
    told = heard(ended)
    assert told["error"].startswith("ECS.")
    assert told["cause"]
    assert len(calls_of(ended, "runTask.sync")) == 1


def test_a_launch_that_was_refused_in_passing_is_tried_again_and_no_more_than_that(promote, retried_machine, calls_of):
    ended = promote("FAILED", machine=retried_machine)
    assert heard(ended)["error"] == "ECS.ClientException"
    assert len(calls_of(ended, "runTask.sync")) == 5


def test_only_what_passes_is_tried_again(promotion_definition):
    (retry,) = promotion_definition["States"]["RunPromotion"]["Retry"]
    assert set(retry["ErrorEquals"]) == PASSING_LAUNCH_ERRORS
    assert (retry["MaxAttempts"], retry["MaxDelaySeconds"], retry["JitterStrategy"]) == (4, 60, "FULL")


def test_a_finish_that_was_not_to_be_had_is_asked_again(promote, calls_of):
    ended = promote("unavailable-COMPLETED")
    assert ended["status"] == "SUCCEEDED"
    assert len(calls_of(ended, "invoke")) == 2


def test_a_finish_that_breaks_leaves_the_promotion_to_the_sweep(promote):
    ended = promote("broken")
    assert (ended["status"], ended["error"]) == ("FAILED", "Unsettled")


@pytest.mark.parametrize("status", ["PENDING", "RUNNING"])
def test_a_promotion_that_is_at_another_attempt_is_left_to_it(promote, status):
    ended = promote(status)
    assert (ended["status"], ended["error"]) == ("FAILED", "Unsettled")
