"""Invokes the operate function of a deployment under IAM; the only module that needs boto3."""

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoRegionError,
)

from outpost_cli import __version__
from outpost_cli.errors import (
    NO_ANSWER,
    UNREACHABLE,
    NotAuthorised,
    NotFound,
    OutpostError,
    ServiceFailed,
    ServiceUnavailable,
    UnexpectedAnswer,
    UsageRefused,
    refusal_for_status,
)
from outpost_cli.json_fields import JsonObject
from outpost_cli.refusals import read_refusal
from outpost_cli.retrying import RETRIED_STATUSES, retry, send_once_only
from outpost_cli.transport import is_loopback

CONNECT_TIMEOUT_SECONDS = 5
# Longer than any function of the stack may take.
READ_TIMEOUT_SECONDS = 60
STATUS_BY_CODE = {
    "NOT_FOUND": HTTPStatus.NOT_FOUND,
    "CONFLICT": HTTPStatus.CONFLICT,
    "INTERNAL_ERROR": HTTPStatus.INTERNAL_SERVER_ERROR,
    "SERVICE_UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
}
HOW_TO_BE_KNOWN = "Log in to AWS, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
HOW_TO_BE_ALLOWED = "Use an identity that has lambda:InvokeFunction on this function; it is for operators only."
CREDENTIALS_REFUSED = frozenset(
    {"ExpiredTokenException", "InvalidSignatureException", "UnrecognizedClientException", "IncompleteSignature"}
)


@dataclass(frozen=True, slots=True)
class OperateTarget:
    """Which function; what is None is chosen as boto3 does it, by the environment and the AWS configuration."""

    function: str
    region: str | None = None
    endpoint_url: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    if_unreachable: str = "Check the region, the endpoint, the network and the proxy settings, then try again."


class OperateClient:
    """A client of one operate function. What goes wrong is raised as an error of `outpost_cli.errors`."""

    def __init__(self, target: OperateTarget) -> None:
        self._target = target
        self._client = self._open_client()

    def invoke(self, operation: str, wish: JsonObject, *, if_lost: str | None = None) -> JsonObject:
        """The data of the answer to an operation, tried again where that helps.

        What must not happen twice comes with `if_lost`: what to do when nobody knows whether it happened.
        """
        payload = json.dumps({"operation": operation, **wish}).encode()

        def send() -> JsonObject:
            return self._invoke_once(payload)

        return retry(send) if if_lost is None else send_once_only(send, if_lost=if_lost)

    def _open_client(self) -> Any:
        target = self._target
        # The retries of boto3 do not know which operation may happen twice.
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"total_max_attempts": 1, "mode": "standard"},
            user_agent_extra=f"outpost-cli/{__version__}",
            # A proxy cannot reach our loopback.
            proxies={} if target.endpoint_url and is_loopback(target.endpoint_url) else None,
        )
        try:
            session = boto3.session.Session(
                aws_access_key_id=target.access_key_id,
                aws_secret_access_key=target.secret_access_key,
                region_name=target.region,
            )
            return session.client("lambda", endpoint_url=target.endpoint_url, config=config)
        except NoRegionError as error:
            raise UsageRefused("No AWS region is chosen.", remedy="Add --region, or set AWS_DEFAULT_REGION.") from error
        except (BotoCoreError, ValueError) as error:
            raise describe_silence(error, if_unreachable=target.if_unreachable) from error

    def _invoke_once(self, payload: bytes) -> JsonObject:
        try:
            response = self._client.invoke(
                FunctionName=self._target.function, InvocationType="RequestResponse", Payload=payload
            )
            content = response["Payload"].read()
        except ClientError as error:
            raise self._describe_refusal(error) from error
        except (BotoCoreError, OSError) as error:
            raise describe_silence(error, if_unreachable=self._target.if_unreachable) from error
        document = read_document(content)
        if "FunctionError" in response:
            raise self._describe_defect(document)
        return open_answer(document)

    def _describe_refusal(self, error: ClientError) -> OutpostError:
        """The error of AWS itself, before the function was called or in its place."""
        told = error.response.get("Error", {})
        code, message = told.get("Code", "Unknown"), told.get("Message") or "no reason given"
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", HTTPStatus.INTERNAL_SERVER_ERROR)
        function = self._target.function
        if code in CREDENTIALS_REFUSED:
            return NotAuthorised(
                f"AWS does not accept the credentials: {message}", code=code, remedy=HOW_TO_BE_KNOWN, status=status
            )
        if status == HTTPStatus.FORBIDDEN:
            return NotAuthorised(
                f"AWS does not let you invoke {function}: {message}", code=code, remedy=HOW_TO_BE_ALLOWED, status=status
            )
        if code == "ResourceNotFoundException":
            region = self._client.meta.region_name
            remedy = "Name the environment with --env, or the function with --function; check --region and the account."
            return NotFound(f"There is no function {function} in {region}.", code=code, remedy=remedy, status=status)
        remedy = "Try again; if it repeats, look at the function in the AWS console."
        retryable = status in RETRIED_STATUSES
        return refusal_for_status(status)(
            f"AWS refused to invoke {function}: {message}", code=code, remedy=remedy, status=status, retryable=retryable
        )

    def _describe_defect(self, document: JsonObject) -> ServiceFailed:
        """The error of a function that ended without an answer of its own."""
        reason = document.get("errorMessage") or document.get("errorType") or "no reason given"
        return ServiceFailed(
            f"The function {self._target.function} failed: {reason}",
            code="FUNCTION_FAILED",
            remedy="Read the control plane's log: aws logs tail /outpost/ENV/control-plane --since 10m",
            status=HTTPStatus.INTERNAL_SERVER_ERROR,
        )


def describe_silence(error: Exception, *, if_unreachable: str) -> OutpostError:
    """The error of an AWS that was not asked or did not answer."""
    reason = str(error).rstrip(".")
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError)):
        return ServiceUnavailable(
            f"AWS cannot be reached: {reason}.", code=UNREACHABLE, remedy=if_unreachable, status=None, retryable=True
        )
    if isinstance(error, (HTTPClientError, OSError)):
        remedy = "Check the network and the proxy settings, then try again."
        return ServiceUnavailable(
            f"AWS did not answer: {reason}.", code=NO_ANSWER, remedy=remedy, status=None, retryable=True
        )
    return UsageRefused(f"AWS cannot be used: {reason}.", code="AWS_CONFIGURATION", remedy=HOW_TO_BE_KNOWN)


def read_document(content: bytes) -> JsonObject:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise refuse_answer() from error
    if not isinstance(document, dict):
        raise refuse_answer()
    return document


def open_answer(document: JsonObject) -> JsonObject:
    """The data of an answer. Raises the refusal that it tells."""
    data, error = document.get("data"), document.get("error")
    if document.get("success") is True and isinstance(data, dict):
        return data
    if document.get("success") is not False or not isinstance(error, dict):
        raise refuse_answer()
    status = STATUS_BY_CODE.get(str(error.get("code")), HTTPStatus.BAD_REQUEST)
    raise read_refusal(error, status=status, default_message="The function refused the operation.")


def refuse_answer() -> UnexpectedAnswer:
    return UnexpectedAnswer(
        "The function's answer is not one of Outpost.",
        remedy="Check that --function names the operate function of an Outpost deployment, and that versions match.",
    )
