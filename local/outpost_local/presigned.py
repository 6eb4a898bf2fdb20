"""The checks of requests to presigned URLs that S3 makes and moto does not: signature, expiry, size and checksum."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

_TIME_FORMAT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class PresignedRequest:
    """The parts of a request that its signature covers; header names are lower case."""

    method: str
    raw_path: str
    query: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Refusal:
    """S3's answer to a request that it does not take."""

    status: int
    document: str


def check_presigned(request: PresignedRequest, body: bytes, secret_access_key: str) -> Refusal | None:
    """How S3 would refuse a request to a presigned URL; None when it would not, or when the URL is not presigned.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    """
    parameters = dict(parse_qsl(request.query, keep_blank_values=True))
    if {"AWSAccessKeyId", "Signature"} <= parameters.keys():
        # No bucket that was made after June 2020 takes the older version.
        return _refuse(400, "InvalidRequest", "The authorization mechanism you have provided is not supported.")
    if "X-Amz-Signature" not in parameters:
        return None
    signed_at = datetime.strptime(parameters["X-Amz-Date"], _TIME_FORMAT).replace(tzinfo=UTC)
    if datetime.now(UTC) > signed_at + timedelta(seconds=int(parameters["X-Amz-Expires"])):
        return _refuse(403, "AccessDenied", "Request has expired")
    if not hmac.compare_digest(_sign(request, parameters, secret_access_key), parameters["X-Amz-Signature"]):
        return _refuse(403, "SignatureDoesNotMatch", "The request is not the one that the URL was signed for.")
    checksum = request.headers.get("x-amz-checksum-sha256")
    if checksum is not None and base64.b64encode(hashlib.sha256(body).digest()).decode() != checksum:
        return _refuse(400, "BadDigest", "The SHA256 you specified did not match the calculated checksum.")
    return None


def _sign(request: PresignedRequest, parameters: dict[str, str], secret_access_key: str) -> str:
    scope = parameters["X-Amz-Credential"].split("/", 1)[1]
    signed_headers = parameters["X-Amz-SignedHeaders"].split(";")
    canonical_query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(parameters.items())
        if name != "X-Amz-Signature"
    )
    canonical_headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed_headers
    )
    path = request.raw_path.split("?", 1)[0]
    payload = request.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    canonical = "\n".join([request.method, path, canonical_query, canonical_headers, ";".join(signed_headers), payload])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", parameters["X-Amz-Date"], scope, digest])
    key = f"AWS4{secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def _refuse(status: int, code: str, message: str) -> Refusal:
    document = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Refusal(status, f'<?xml version="1.0" encoding="UTF-8"?>{document}')
