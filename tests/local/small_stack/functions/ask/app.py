"""Writes down the token that it is given, and does with it what is wished."""

import json
import os
import time
from typing import Any

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
states = boto3.client("stepfunctions")


class Passing(Exception):
    """Gone at the next try."""


class Lasting(Exception):
    """The same at every try."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What it returns is no answer to the token."""
    table.put_item(Item={"pk": event["name"], "sk": f"token#{event['tries']}", "token": event["token"]})
    wish = event["wish"]
    if wish.startswith("answer"):
        states.send_task_success(taskToken=event["token"], output=json.dumps({"from": "the function itself"}))
    if wish in {"linger", "answer and linger"}:
        time.sleep(4.5)
    if wish in {"fail", "answer and fail"}:
        raise Lasting("It was asked for.")
    if wish == "fail once" and event["tries"] == 0:
        raise Passing("It was asked for.")
    return {"no": "answer"}
