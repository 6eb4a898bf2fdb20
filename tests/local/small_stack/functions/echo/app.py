"""Answers with what it was asked, or misbehaves as the query says."""

import json
import os
import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> Any:
    wish = (event.get("queryStringParameters") or {}).get("wish", "")
    if wish == "fail":
        raise RuntimeError("as wished")
    if wish == "exit":
        os._exit(3)
    if wish == "linger":
        time.sleep(0.5)
    if wish == "hang":
        time.sleep(60)
    if wish == "nonsense":
        return ["no proxy answer"]
    facts = {
        "event": event,
        "process": os.getpid(),
        "function": os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        "apiUrl": os.environ["API_URL"],
        "milliseconds": context.get_remaining_time_in_millis(),
    }
    return {
        "statusCode": 418,
        "headers": {"X-One": "1"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "body": json.dumps(facts),
    }
