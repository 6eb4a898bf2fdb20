"""Everything that the stack keeps or says of its runs, as text by where it is."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
from stack_caller import Caller

from outpost_local import LocalStack


def find_traces(caller: Caller, run_ids: list[str]) -> dict[str, str]:
    """The vault alone is left out: that is where secrets are."""
    return {name: "\n".join(texts) for name, texts in _trace(caller, run_ids).items()}


def _trace(caller: Caller, run_ids: list[str]) -> dict[str, list[str]]:
    stack = caller.stack
    return {
        "records and events": [str(items) for items in _scan_tables(stack)],
        "agents' output": list(_read_logs(stack)),
        "the functions' log": [Path(stack.log_path).read_text()],
        "objects": list(_read_objects(stack)),
        "histories": list(_read_histories(stack)),
        "answers": [text for run_id in run_ids for text in _ask(caller, run_id)],
    }


def _scan_tables(stack: LocalStack) -> Iterator[object]:
    dynamodb = stack.aws.client("dynamodb")
    for table in dynamodb.list_tables()["TableNames"]:
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            yield page["Items"]


def _read_logs(stack: LocalStack) -> Iterator[str]:
    logs = stack.aws.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        for stream in logs.describe_log_streams(logGroupName=name)["logStreams"]:
            yield stream["logStreamName"]
            events = logs.get_log_events(logGroupName=name, logStreamName=stream["logStreamName"], startFromHead=True)
            yield from (event["message"] for event in events["events"])


def _read_objects(stack: LocalStack) -> Iterator[str]:
    s3 = stack.aws.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for found in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            body = s3.get_object(Bucket=bucket["Name"], Key=found["Key"])["Body"].read()
            yield f"{found['Key']}\n{body.decode(errors='replace')}"


def _read_histories(stack: LocalStack) -> Iterator[str]:
    states = stack.aws.client("stepfunctions")
    for machine in states.list_state_machines()["stateMachines"]:
        for execution in states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]:
            arn = execution["executionArn"]
            yield str(states.describe_execution(executionArn=arn))
            yield str(states.get_execution_history(executionArn=arn, includeExecutionData=True)["events"])


def _ask(caller: Caller, run_id: str) -> Iterator[str]:
    for path in ("", "/events", "/logs?limit=1000", "/artifacts", "/explain"):
        yield caller.http.get(f"/runs/{run_id}{path}").text
    for artifact in caller.artifacts(run_id).values():
        yield httpx.get(artifact["url"]).text
    yield json.dumps(caller.http.get("/runs").json())
