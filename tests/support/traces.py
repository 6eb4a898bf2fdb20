"""All that a stack has written anywhere but in the vault: tables, histories, logs, files."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outpost_local import LocalStack

LOG_PAGE = 10_000


def traces_of(stack: LocalStack) -> dict[str, str]:
    """The text by its place, such as `table outpost-jobs-dev`."""
    return {
        **dict(_tables(stack.aws.client("dynamodb"))),
        **dict(_histories(stack.aws.client("stepfunctions"))),
        **dict(_logs(stack.aws.client("logs"))),
        **dict(_objects(stack.aws.client("s3"))),
        "log of the functions": Path(stack.log_path).read_text(),
    }


def _tables(dynamodb: Any) -> Iterator[tuple[str, str]]:
    for name in dynamodb.list_tables()["TableNames"]:
        pages = dynamodb.get_paginator("scan").paginate(TableName=name)
        yield f"table {name}", json.dumps([item for page in pages for item in page["Items"]], default=str)


def _histories(states: Any) -> Iterator[tuple[str, str]]:
    for machine in states.list_state_machines()["stateMachines"]:
        for execution in states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]:
            arn = execution["executionArn"]
            told = [states.describe_execution(executionArn=arn), states.get_execution_history(executionArn=arn)]
            yield f"history {arn}", json.dumps(told, default=str)


def _logs(logs: Any) -> Iterator[tuple[str, str]]:
    for group in logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        for stream in logs.describe_log_streams(logGroupName=name)["logStreams"]:
            place = {"logGroupName": name, "logStreamName": stream["logStreamName"]}
            events = logs.get_log_events(**place, startFromHead=True, limit=LOG_PAGE)["events"]
            yield f"log {name} {stream['logStreamName']}", "\n".join(event["message"] for event in events)


def _objects(s3: Any) -> Iterator[tuple[str, str]]:
    for bucket in s3.list_buckets()["Buckets"]:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for entry in page.get("Contents", []):
                content = s3.get_object(Bucket=bucket["Name"], Key=entry["Key"])["Body"].read()
                yield f"object {entry['Key']}", _unpacked(entry["Key"], content).decode(errors="replace")


def _unpacked(key: str, content: bytes) -> bytes:
    """What is in a snapshot, file by file: tar does not compress."""
    if not key.endswith(".zst"):
        return content
    return subprocess.run(["zstd", "--decompress", "--stdout"], input=content, capture_output=True, check=True).stdout
