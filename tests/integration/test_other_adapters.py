"""Step Functions, ECS, S3, CloudWatch Logs and Secrets Manager behind their ports."""

import base64
import hashlib
import json
import time
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from builders import NOON, TASK_ARN, a_run, an_ecs_task, in_pascal_case, run_environment
from deployment import make_settings

from outpost.adapters.cloudwatch_agent_logs import CloudWatchAgentLogs
from outpost.adapters.ecs_tasks import EcsTasks
from outpost.adapters.s3_files import S3Files
from outpost.adapters.secrets_signing_key import SecretsManagerSigningKey
from outpost.adapters.step_functions_executions import StepFunctionsExecutions, execution_input
from outpost.adapters.task_payload import read_task
from outpost.adapters.testimony import read_testimony
from outpost.domain.errors import CursorInvalid, Unavailable
from outpost.domain.outcome import NeverLaunched, StopCode
from outpost.domain.report import Artifact
from outpost.ports import ExecutionStatus
from outpost.wiring import Wiring

BYTES = b"the bytes"
NOW_MILLISECONDS = int(time.time()) * 1000
FILE = Artifact(1, "folder/a b.txt", "artifact", len(BYTES), hashlib.sha256(BYTES).hexdigest(), "text/plain")


@pytest.fixture
def executions(deployment):
    return StepFunctionsExecutions(deployment.states, deployment.settings)


@pytest.fixture
def files(deployment):
    client = boto3.client("s3", config=Config(signature_version="s3v4"))
    return S3Files(client, deployment.settings)


def test_an_execution_is_started_once_and_named_by_its_run(executions, deployment):
    executions.start(a_run(), "token")
    executions.start(a_run(), "token")
    found = deployment.states.list_executions(stateMachineArn=deployment.settings.state_machine_arn)["executions"]
    assert [execution["name"] for execution in found] == [a_run().run_id]


def test_the_input_of_an_execution_is_the_same_bytes_for_the_same_run():
    assert execution_input(a_run(), "token") == execution_input(a_run(), "token")
    assert json.loads(execution_input(a_run(), "token"))["apiUrl"] == "https://api.example.com/dev"


def test_an_execution_that_never_began_has_no_status(executions):
    assert executions.status(a_run().run_id) is None


def test_a_stopped_execution_is_aborted(executions):
    executions.start(a_run(), "token")
    assert executions.status(a_run().run_id) is ExecutionStatus.RUNNING
    executions.stop(a_run().run_id, error="CANCELLED_BY_USER", cause="enough")
    assert executions.status(a_run().run_id) is ExecutionStatus.ABORTED


def test_stopping_what_never_began_is_no_error(executions):
    executions.stop(a_run().run_id, error="CANCELLED_BY_USER", cause="enough")
    assert executions.status(a_run().run_id) is None


def test_a_task_that_ecs_does_not_know_is_none(deployment):
    assert EcsTasks(deployment.ecs, deployment.settings).describe(TASK_ARN) is None


def test_a_cluster_without_tasks_has_none_alive(deployment):
    assert EcsTasks(deployment.ecs, deployment.settings).alive().tasks == ()


@pytest.mark.parametrize("shape", [lambda task: task, in_pascal_case], ids=["camelCase", "PascalCase"])
def test_a_task_is_read_in_either_spelling(shape):
    task = read_task(shape(an_ecs_task()))
    assert (task.tenant_id, task.run_id, task.attempt) == ("acme", a_run().run_id, 1)
    assert (task.is_stopped, task.stop_code, task.exit_code) == (True, StopCode.ESSENTIAL_CONTAINER_EXITED, 0)
    assert task.stopped_at.isoformat() == "2030-01-01T12:01:10+00:00"


def test_a_task_that_failed_to_start_has_no_exit_code():
    containers = [{"name": "runner", "lastStatus": "STOPPED", "reason": "CannotPullContainerError: no image"}]
    task = read_task(an_ecs_task(stopCode="TaskFailedToStart", containers=containers))
    assert (task.stop_code, task.exit_code) == (StopCode.TASK_FAILED_TO_START, None)
    assert task.stopped_reason == "CannotPullContainerError: no image"


def test_milliseconds_of_step_functions_are_a_time():
    assert read_task(an_ecs_task(stoppedAt=1893499270000)).stopped_at.isoformat() == "2030-01-01T12:01:10+00:00"


@pytest.mark.parametrize("overrides", [None, {}, {"containerOverrides": [{"name": "runner"}]}])
def test_a_task_of_no_run_is_none(overrides):
    assert read_task(an_ecs_task(overrides=overrides)) is None


def machine_event(**changes):
    event = {"source": "machine", "tenantId": "acme", "runId": a_run().run_id, "attempt": 1, "task": None}
    return event | {"error": "", "cause": ""} | changes


def test_the_machines_success_is_evidence_of_its_task():
    testimony = read_testimony(machine_event(task=in_pascal_case(an_ecs_task())))
    assert testimony.evidence.task.exit_code == 0
    assert not testimony.is_given_up


def test_a_failed_task_lies_in_the_cause():
    failed = in_pascal_case(an_ecs_task(containers=[{"name": "runner", "exitCode": 10}]))
    testimony = read_testimony(machine_event(error="States.TaskFailed", cause=json.dumps(failed)))
    assert testimony.evidence.task.exit_code == 10


def test_a_cause_that_was_cut_proves_nothing():
    cause = json.dumps(in_pascal_case(an_ecs_task()))[:200]
    evidence = read_testimony(machine_event(error="States.TaskFailed", cause=cause)).evidence
    assert (evidence.task, evidence.never_launched) == (None, None)


@pytest.mark.parametrize("error", ["ECS.ClientException", "AmazonECS.Unknown", "ECS.AmazonECSException"])
def test_a_refused_launch_is_evidence_of_no_task(error):
    evidence = read_testimony(machine_event(error=error, cause="no such family")).evidence
    assert evidence.never_launched is NeverLaunched.LAUNCH_REFUSED
    assert evidence.detail == f"{error}: no such family"


@pytest.mark.parametrize(
    "error", ["ECS.SdkClientException", "ECS.ServerException", "States.Timeout", "States.TaskFailed"]
)
def test_an_error_that_leaves_the_launch_open_proves_nothing(error):
    assert read_testimony(machine_event(error=error)).evidence.never_launched is None


def test_a_state_out_of_time_says_so():
    testimony = read_testimony(machine_event(error="States.Timeout"))
    assert (testimony.ran_out_of_time, testimony.is_given_up) == (True, True)


def test_a_stopped_task_event_is_evidence():
    event = {"detail-type": "ECS Task State Change", "source": "aws.ecs", "detail": an_ecs_task()}
    testimony = read_testimony(event)
    assert testimony.evidence.task.is_stopped
    assert testimony.evidence.task.task_arn == TASK_ARN


def test_a_task_event_of_no_run_is_nothing():
    event = {"detail-type": "ECS Task State Change", "source": "aws.ecs", "detail": an_ecs_task(overrides={})}
    assert read_testimony(event) is None


def test_an_execution_event_without_cause_names_its_run():
    given = execution_input(a_run(), "token")
    detail = {"name": a_run().run_id, "status": "TIMED_OUT", "input": given, "error": None, "cause": None}
    testimony = read_testimony({"detail-type": "Step Functions Execution Status Change", "detail": detail})
    assert (testimony.tenant_id, testimony.run_id, testimony.ran_out_of_time) == ("acme", a_run().run_id, True)


@pytest.mark.parametrize(("status", "is_given_up"), [("ABORTED", True), ("FAILED", False)])
def test_an_aborted_execution_has_given_up_its_task(status, is_given_up):
    detail = {"name": a_run().run_id, "status": status, "input": execution_input(a_run(), "token")}
    testimony = read_testimony({"detail-type": "Step Functions Execution Status Change", "detail": detail})
    assert (testimony.is_given_up, testimony.ran_out_of_time) == (is_given_up, False)


def test_an_event_that_nobody_sent_before_is_an_error():
    with pytest.raises(ValueError, match="no reader"):
        read_testimony({"source": "aws.s3"})


def test_a_task_text_comes_back(files):
    files.put_task("acme", a_run().run_id, "tëxt\r\n{% %}")
    assert files.get_task("acme", a_run().run_id) == "tëxt\r\n{% %}"


def test_another_tenants_text_is_not_there(files):
    files.put_task("acme", a_run().run_id, "text")
    with pytest.raises(Unavailable):
        files.get_task("other", a_run().run_id)


def test_an_upload_is_bound_to_size_type_and_checksum(files):
    granted = files.presign_upload("acme", a_run().run_id, FILE, at=NOON)
    signed = parse_qs(urlsplit(granted.url).query)["X-Amz-SignedHeaders"][0].split(";")
    assert {"content-length", "content-type", "x-amz-checksum-sha256"} <= set(signed)
    assert granted.headers["x-amz-checksum-sha256"] == base64.b64encode(hashlib.sha256(BYTES).digest()).decode()
    assert "crc32" not in granted.url.lower()


def test_a_download_is_an_attachment(files):
    query = parse_qs(urlsplit(files.presign_download("acme", a_run().run_id, FILE, at=NOON, seconds=60).url).query)
    assert query["response-content-disposition"] == ["attachment; filename*=UTF-8''a%20b.txt"]
    assert query["X-Amz-Expires"] == ["60"]


def test_a_presigned_url_names_the_host_of_its_region(credentials, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    granted = Wiring(make_settings()).files.presign_upload("acme", a_run().run_id, FILE, at=NOON)
    assert urlsplit(granted.url).netloc == "outpost-artifacts-dev-123456789012.s3.eu-central-1.amazonaws.com"


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "TEXT/HTML; charset=utf-8"])
def test_what_a_browser_would_run_is_served_as_bytes(files, kind):
    page = Artifact(1, "page", "artifact", 1, "0" * 64, kind)
    query = parse_qs(urlsplit(files.presign_download("acme", a_run().run_id, page, at=NOON, seconds=60).url).query)
    assert query["response-content-type"] == ["application/octet-stream"]


@pytest.fixture
def written_lines(deployment):
    group, stream = "/outpost/dev/agents/shell", "run/runner/0123456789abcdef"
    deployment.logs.create_log_group(logGroupName=group)
    deployment.logs.create_log_stream(logGroupName=group, logStreamName=stream)

    def write(*messages):
        events = [{"timestamp": NOW_MILLISECONDS + n, "message": text} for n, text in enumerate(messages)]
        deployment.logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    return write


def test_lines_are_read_with_their_stream(deployment, written_lines):
    written_lines('{"stream":"stderr","message":"oh"}', "not from the runner", "[1]")
    lines = (
        CloudWatchAgentLogs(deployment.logs, deployment.settings).page("shell", TASK_ARN, token=None, limit=10).lines
    )
    assert [(line.stream, line.message) for line in lines] == [
        ("stderr", "oh"),
        ("runner", "not from the runner"),
        ("runner", "[1]"),
    ]
    assert lines[0].timestamp.timestamp() * 1000 == NOW_MILLISECONDS


def test_lines_go_on_from_the_token(deployment, written_lines):
    logs = CloudWatchAgentLogs(deployment.logs, deployment.settings)
    written_lines("one", "two", "three")
    first = logs.page("shell", TASK_ARN, token=None, limit=2)
    second = logs.page("shell", TASK_ARN, token=first.next_token, limit=2)
    assert [line.message for line in first.lines + second.lines] == ["one", "two", "three"]
    assert logs.page("shell", TASK_ARN, token=second.next_token, limit=2).lines == ()


def test_the_last_lines_are_the_last(deployment, written_lines):
    logs = CloudWatchAgentLogs(deployment.logs, deployment.settings)
    written_lines("one", "two", "three")
    assert [line.message for line in logs.tail("shell", TASK_ARN, limit=2)] == ["two", "three"]
    assert logs.tail("claude", TASK_ARN, limit=2) == ()


def test_only_an_unchanged_token_is_the_end(deployment, written_lines):
    logs = CloudWatchAgentLogs(deployment.logs, deployment.settings)
    written_lines("one")
    first = logs.page("shell", TASK_ARN, token=None, limit=2)
    second = logs.page("shell", TASK_ARN, token=first.next_token, limit=2)
    assert (first.is_end, second.is_end) == (False, True)


def test_a_token_that_has_expired_is_a_bad_cursor(deployment):
    class Forgetful:
        def get_log_events(self, **request):
            raise ClientError({"Error": {"Code": "InvalidParameterException"}}, "GetLogEvents")

    with pytest.raises(CursorInvalid):
        CloudWatchAgentLogs(Forgetful(), deployment.settings).page("shell", TASK_ARN, token="old", limit=2)


def test_every_page_of_the_clusters_tasks_is_looked_at(deployment):
    class Paged:
        def list_tasks(self, **request):
            return {"taskArns": [request.get("nextToken", "first")]} | (
                {} if "nextToken" in request else {"nextToken": "second"}
            )

        def describe_tasks(self, **request):
            return {"tasks": [an_ecs_task(taskArn=arn, lastStatus="RUNNING") for arn in request["tasks"]]}

    alive = EcsTasks(Paged(), deployment.settings).alive()
    assert ([task.task_arn for task in alive.tasks], alive.is_complete) == (["first", "second"], True)


def test_a_task_without_output_has_no_lines(deployment):
    page = CloudWatchAgentLogs(deployment.logs, deployment.settings).page("shell", TASK_ARN, token="t", limit=2)
    assert (page.lines, page.next_token, page.is_end) == ((), "t", True)


def test_the_signing_key_is_read_once(deployment):
    key = SecretsManagerSigningKey(deployment.secrets, deployment.settings)
    first = key.value()
    deployment.secrets.put_secret_value(SecretId=deployment.settings.signing_key_secret, SecretString="changed")
    assert key.value() == first == b"a-signing-key-for-tests"


def test_the_environment_of_a_task_names_the_attempt():
    overrides = {"containerOverrides": [{"name": "runner", "environment": run_environment(3)}]}
    assert read_task(an_ecs_task(overrides=overrides)).attempt == 3
