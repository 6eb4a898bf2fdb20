"""Executions and tasks of promotions, which are never taken for those of the run whose work they promote."""

import json

import pytest
from builders import TASK_ARN, a_promotion, a_run, an_ecs_task, in_pascal_case, run_environment
from deployment import make_settings, read_template

from outpost.adapters.ecs_tasks import EcsTasks
from outpost.adapters.step_functions_executions import StepFunctionsExecutions
from outpost.adapters.step_functions_promotions import StepFunctionsPromotions
from outpost.adapters.task_payload import read_task
from outpost.adapters.testimony import PromotionEnd, read_promotion_end, read_testimony
from outpost.ports import ExecutionStatus

RUN_ID = a_run().run_id


@pytest.fixture
def executions(deployment):
    return StepFunctionsPromotions(deployment.states, deployment.settings)


@pytest.fixture
def started(deployment):
    """The executions of promotions that were started."""
    machine = deployment.settings.promotion_machine_arn
    return lambda: deployment.states.list_executions(stateMachineArn=machine)["executions"]


def a_promotions_task(**changes):
    """The task of the run's promotion, as ECS sends it."""
    container = {"name": "promoter", "lastStatus": "STOPPED", "exitCode": 0}
    override = {"name": "promoter", "environment": run_environment()}
    return an_ecs_task(**{"containers": [container], "overrides": {"containerOverrides": [override]}} | changes)


def an_end(**changes):
    event = {"source": "promotion", "tenantId": "acme", "runId": RUN_ID, "attempt": 2, "error": "", "cause": ""}
    return read_promotion_end(event | changes)


def test_an_execution_is_started_once_and_named_by_run_and_attempt(executions, started):
    executions.start(a_promotion(), "token")
    executions.start(a_promotion(), "token")
    executions.start(a_promotion(attempt=2), "token")
    assert {each["name"] for each in started()} == {f"{RUN_ID}-1", f"{RUN_ID}-2"}


def test_started_with_another_input_it_stays_as_it_is(executions, started, deployment):
    executions.start(a_promotion(), "token")
    executions.start(a_promotion(), "another")
    (execution,) = started()
    given = deployment.states.describe_execution(executionArn=execution["executionArn"])["input"]
    assert json.loads(given)["bootstrapToken"] == "token"


def test_each_attempt_has_a_status_of_its_own(executions, started, deployment):
    executions.start(a_promotion(), "token")
    deployment.states.stop_execution(executionArn=started()[0]["executionArn"])
    executions.start(a_promotion(attempt=2), "token")
    statuses = [executions.status(a_promotion(attempt=attempt)) for attempt in (1, 2, 3)]
    assert statuses == [ExecutionStatus.ABORTED, ExecutionStatus.RUNNING, None]


def test_the_run_knows_nothing_of_its_promotions_execution(executions, deployment):
    executions.start(a_promotion(), "token")
    assert StepFunctionsExecutions(deployment.states, deployment.settings).status(RUN_ID) is None


@pytest.mark.parametrize("shape", [lambda task: task, in_pascal_case], ids=["camelCase", "PascalCase"])
@pytest.mark.parametrize("status", ["PENDING", "RUNNING", "STOPPED"])
def test_a_promotions_task_is_no_runs(shape, status):
    assert read_task(shape(a_promotions_task(lastStatus=status))) is None


def test_an_event_of_a_promotions_task_says_nothing_of_the_run():
    event = {"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": a_promotions_task()}
    assert read_testimony(event) is None


def test_a_promotions_task_is_not_among_the_living_ones_of_runs():
    class Cluster:
        def list_tasks(self, **_):
            return {"taskArns": ["promotion", "run"]}

        def describe_tasks(self, **_):
            alive = {"lastStatus": "RUNNING"}
            return {"tasks": [a_promotions_task(**alive, taskArn="promotion"), an_ecs_task(**alive, taskArn="run")]}

    alive = EcsTasks(Cluster(), make_settings()).alive()
    assert ([task.task_arn for task in alive.tasks], alive.is_complete) == (["run"], True)


def test_only_executions_of_runs_are_listened_to():
    events = read_template()["Resources"]["FinishFunction"]["Properties"]["Events"].values()
    patterns = [each["Properties"]["Pattern"] for each in events if each["Type"] == "EventBridgeRule"]
    (machines,) = [each["detail"]["stateMachineArn"] for each in patterns if each["source"] == ["aws.states"]]
    assert len(machines) == 1
    assert "outpost-run-agent-" in json.dumps(machines)


def test_an_end_without_an_error_has_nothing_to_say():
    assert an_end() == PromotionEnd("acme", RUN_ID, 2, ran_out_of_time=False, detail="", task_arn=None)


def test_an_end_names_the_task_that_has_ended():
    assert an_end(taskArn=TASK_ARN).task_arn == TASK_ARN
    failed = an_end(taskArn="", error="States.TaskFailed", cause=json.dumps(in_pascal_case(a_promotions_task())))
    assert (failed.task_arn, failed.detail) == (TASK_ARN, "")


@pytest.mark.parametrize("cause", ["", "{", "[]", "null", '{"TaskArn": null}', "no capacity"])
def test_an_end_whose_cause_tells_no_task_names_none(cause):
    assert an_end(error="States.TaskFailed", cause=cause).task_arn is None


def test_an_execution_is_stopped_and_one_that_never_was_is_fine(executions):
    executions.start(a_promotion(), "token")
    for attempt in (1, 1, 2):
        executions.stop(a_promotion(attempt=attempt), error="KILL_SWITCH_ON", cause="a drill")
    assert executions.status(a_promotion()) is ExecutionStatus.ABORTED


def test_an_end_by_its_own_time_says_so():
    end = an_end(error="States.Timeout")
    assert (end.ran_out_of_time, end.detail) == (True, "States.Timeout: ")


def test_a_refused_launch_says_why_within_bounds():
    end = an_end(error="ECS.AmazonECSException", cause="no capacity " * 100)
    assert (end.ran_out_of_time, len(end.detail)) == (False, 500)
    assert end.detail.startswith("ECS.AmazonECSException: no capacity")


@pytest.mark.parametrize("cause", ['{"TaskArn": "x"}', ' {"TaskArn": "cut off'])
def test_a_task_that_failed_is_not_quoted(cause):
    assert an_end(error="States.TaskFailed", cause=cause).detail == ""


@pytest.mark.parametrize("absent", [None, ""])
def test_what_the_machine_leaves_out_is_nothing(absent):
    assert an_end(error=absent, cause=absent).detail == ""
