"""The output of runs' tasks in CloudWatch Logs, as the awslogs driver writes it."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from outpost.adapters.aws import error_code, unavailable_if_it_fails
from outpost.domain.errors import CursorInvalid
from outpost.ports import LogLine, LogPage
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

STREAM_PREFIX = "run/runner/"


class CloudWatchAgentLogs:
    """Log streams named `run/runner/<task id>` in one group per agent."""

    def __init__(self, client: "CloudWatchLogsClient", settings: Settings) -> None:
        self._client = client
        self._group_prefix = settings.agent_log_group_prefix

    def tail(self, agent: str, task_arn: str, *, limit: int) -> tuple[LogLine, ...]:
        with unavailable_if_it_fails():
            try:
                answer = self._client.get_log_events(
                    logGroupName=self._group_prefix + agent,
                    logStreamName=_stream(task_arn),
                    startFromHead=False,
                    limit=limit,
                )
            except ClientError as error:
                if error_code(error) == "ResourceNotFoundException":
                    return ()
                raise
        return tuple(_line(event["timestamp"], event["message"]) for event in answer["events"])

    def page(self, agent: str, task_arn: str, *, token: str | None, limit: int) -> LogPage:
        request: dict[str, Any] = {
            "logGroupName": self._group_prefix + agent,
            "logStreamName": _stream(task_arn),
            "startFromHead": True,
            "limit": limit,
        }
        if token is not None:
            request["nextToken"] = token
        with unavailable_if_it_fails():
            try:
                answer = self._client.get_log_events(**request)
            except ClientError as error:
                if error_code(error) == "ResourceNotFoundException":
                    return LogPage((), token, is_end=True)  # the stream begins with the container's first line
                if error_code(error) == "InvalidParameterException" and token is not None:
                    raise CursorInvalid from error  # a token lives for 24 hours
                raise
        lines = tuple(_line(event["timestamp"], event["message"]) for event in answer["events"])
        next_token = answer.get("nextForwardToken", token)
        return LogPage(lines, next_token, is_end=next_token == token)


def _stream(task_arn: str) -> str:
    return STREAM_PREFIX + task_arn.rsplit("/", 1)[-1]


def _line(milliseconds: int, message: str) -> LogLine:
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    try:
        parsed = json.loads(message)
    except ValueError:
        return LogLine(at, "runner", message)
    if isinstance(parsed, dict) and isinstance(parsed.get("message"), str):
        return LogLine(at, str(parsed.get("stream", "runner")), parsed["message"])
    return LogLine(at, "runner", message)
