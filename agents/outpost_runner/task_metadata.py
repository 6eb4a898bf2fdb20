"""Asks the container platform for the name of the task that this process is in."""

import time
from http import HTTPStatus

from outpost_runner.http_request import Unreachable, send
from outpost_runner.json_fields import JsonObject, MalformedJson

TIMEOUT_SECONDS = 2.0
# A run is not given to a runner that does not know its task: the endpoint is worth asking more than once.
PAUSES_SECONDS = (0.2, 0.5, 1.0)


def read_task_arn(metadata_url: str | None) -> str | None:
    """The ARN in the task metadata endpoint, version 4; None where there is no such endpoint or it does not answer."""
    if metadata_url is None:
        return None
    for pause in PAUSES_SECONDS:
        arn = _ask(metadata_url)
        if arn is not None:
            return arn
        time.sleep(pause)
    return _ask(metadata_url)


def _ask(metadata_url: str) -> str | None:
    try:
        answer = send("GET", f"{metadata_url}/task", headers={}, body=None, timeout_seconds=TIMEOUT_SECONDS)
        return JsonObject.parse(answer.body, "task").text("TaskARN") if answer.status == HTTPStatus.OK else None
    except (Unreachable, MalformedJson):
        return None
