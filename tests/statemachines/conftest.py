"""Runs the run's machine on a stack whose finish function answers from a script, and reads what it did."""

import json
import time
import uuid
from pathlib import Path

import pytest

from outpost_local import LocalStack


@pytest.fixture(scope="module")
def stack():
    with LocalStack.start(Path(__file__).parent / "scripted_stack" / "template.yaml") as running:
        yield running


@pytest.fixture(scope="module")
def states(stack):
    return stack.aws.client("stepfunctions")


@pytest.fixture(scope="module")
def machine(stack):
    return stack.deployment.outputs["MachineArn"]


@pytest.fixture(scope="module")
def definition(states, machine):
    return json.loads(states.describe_state_machine(stateMachineArn=machine)["definition"])


@pytest.fixture(scope="module")
def waits(definition):
    return {name: state for name, state in definition["States"].items() if state["Type"] == "Wait"}


@pytest.fixture(scope="module")
def hurried_machine(states, definition, waits):
    """The same machine, but that its Wait states take no time."""
    hurried = definition["States"] | {name: state | {"Seconds": 0} for name, state in waits.items()}
    made = states.create_state_machine(
        name="hurried",
        roleArn="arn:aws:iam::123456789012:role/hurried",
        definition=json.dumps(definition | {"States": hurried}),
    )
    return made["stateMachineArn"]


@pytest.fixture
def first_token():
    return "token \"with\" 'quotes' {% %}"


@pytest.fixture
def end_of(states, machine, first_token):
    """Runs an execution to its end; its agent has no task definition, so that every launch is refused."""

    def run(script, machine_arn=machine, without=(), **changes):
        name = f"{script}_{uuid.uuid4().hex}"
        given = {
            "runId": name,
            "tenantId": "acme",
            "attempt": 1,
            "agent": "nobody",
            "timeoutSeconds": 30,
            "cpuUnits": 1024,
            "memoryMb": 4096,
            "diskGb": 21,
            "startAllowanceSeconds": 30,
            "stopGraceSeconds": 30,
            "apiUrl": "https://api.example.com",
            "bootstrapToken": first_token,
            "queued": False,
            "queueTimeoutSeconds": 60,
        }
        sent = {field: value for field, value in (given | changes).items() if field not in without}
        started = states.start_execution(stateMachineArn=machine_arn, name=name, input=json.dumps(sent))
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            described = states.describe_execution(executionArn=started["executionArn"])
            if described["status"] != "RUNNING":
                return described
            time.sleep(0.1)
        raise AssertionError(described)

    return run


@pytest.fixture
def queued_end_of(end_of):
    """The same for a run that was accepted without a slot, and so without a token."""

    def run(script, *arguments, **changes):
        return end_of(script, *arguments, **{"queued": True, "bootstrapToken": ""} | changes)

    return run


@pytest.fixture
def calls_of(states):
    """What an execution asked a resource for, in order."""

    def read(ended, resource):
        history = states.get_execution_history(executionArn=ended["executionArn"])["events"]
        scheduled = [event.get("taskScheduledEventDetails", {}) for event in history]
        return [json.loads(details["parameters"]) for details in scheduled if details.get("resource") == resource]

    return read


@pytest.fixture
def tokens_of(calls_of):
    """The bootstrap tokens with which an execution launched its attempts, in order."""

    def read(ended):
        launches = calls_of(ended, "runTask.sync")
        variables = [launch["Overrides"]["ContainerOverrides"][0]["Environment"] for launch in launches]
        return [{one["Name"]: one["Value"] for one in each}["BOOTSTRAP_TOKEN"] for each in variables]

    return read


@pytest.fixture
def waits_of(states, waits):
    """The Wait states that an execution went through, in order."""

    def read(ended):
        history = states.get_execution_history(executionArn=ended["executionArn"])["events"]
        entered = [event.get("stateEnteredEventDetails", {}).get("name") for event in history]
        return [name for name in entered if name in waits]

    return read
