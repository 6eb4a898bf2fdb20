"""Writes down every event that it gets."""

import os
from typing import Any

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    for subject, order in _read_stream(event) if "Records" in event else [_read_event(event)]:
        table.put_item(Item={"pk": subject, "sk": order})
    return {"written": True}


def _read_event(event: dict[str, Any]) -> tuple[str, str]:
    detail = event["detail"]
    subject = detail.get("taskArn") or detail.get("name") or "schedule"
    status = detail.get("lastStatus") or detail.get("status") or event["source"]
    return subject, f"{detail.get('version', 0):03}#{status}"


def _read_stream(event: dict[str, Any]) -> list[tuple[str, str]]:
    return [("stream", f"{record['eventName']}#{record['dynamodb']['Keys']['pk']['S']}") for record in event["Records"]]
