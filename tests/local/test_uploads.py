"""Uploads to presigned URLs, held to what they were signed for."""

import base64
import hashlib
from typing import Any

import httpx
import pytest

from outpost_local.stack import LocalStack

pytestmark = pytest.mark.xdist_group("small_stack")

BODY = b"diff --git a/file b/file\n"
CHECKSUM = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
HEADERS = {"Content-Type": "text/x-diff", "x-amz-checksum-sha256": CHECKSUM}


def _presign(stack: LocalStack, *, expires_in: int = 60, key: str = "runs/one/a file ü.patch") -> str:
    parameters = {
        "Bucket": stack.deployment.outputs["BucketName"],
        "Key": key,
        "ContentType": "text/x-diff",
        "ContentLength": len(BODY),
        "ChecksumSHA256": CHECKSUM,
    }
    url: Any = stack.aws.client("s3").generate_presigned_url("put_object", Params=parameters, ExpiresIn=expires_in)
    return str(url)


def test_the_upload_that_was_signed_for_is_stored(small_stack: LocalStack) -> None:
    answer = httpx.put(_presign(small_stack), content=BODY, headers=HEADERS, trust_env=False)
    stored = small_stack.aws.client("s3").get_object(
        Bucket=small_stack.deployment.outputs["BucketName"], Key="runs/one/a file ü.patch"
    )
    assert (answer.status_code, stored["Body"].read()) == (200, BODY)


def test_another_size_is_refused(small_stack: LocalStack) -> None:
    answer = httpx.put(_presign(small_stack), content=BODY + b"more", headers=HEADERS, trust_env=False)
    assert (answer.status_code, "SignatureDoesNotMatch" in answer.text) == (403, True)


def test_other_bytes_of_the_same_size_are_refused(small_stack: LocalStack) -> None:
    answer = httpx.put(_presign(small_stack), content=BODY.upper(), headers=HEADERS, trust_env=False)
    assert (answer.status_code, "BadDigest" in answer.text) == (400, True)


def test_another_type_is_refused(small_stack: LocalStack) -> None:
    headers = HEADERS | {"Content-Type": "text/html"}
    answer = httpx.put(_presign(small_stack), content=BODY, headers=headers, trust_env=False)
    assert answer.status_code == 403


def test_an_expired_url_is_refused(small_stack: LocalStack) -> None:
    answer = httpx.put(_presign(small_stack, expires_in=-1), content=BODY, headers=HEADERS, trust_env=False)
    assert (answer.status_code, "expired" in answer.text) == (403, True)


def test_a_download_url_works_until_it_expires(small_stack: LocalStack) -> None:
    httpx.put(_presign(small_stack), content=BODY, headers=HEADERS, trust_env=False)
    where = {"Bucket": small_stack.deployment.outputs["BucketName"], "Key": "runs/one/a file ü.patch"}
    urls = [
        small_stack.aws.client("s3").generate_presigned_url("get_object", Params=where, ExpiresIn=seconds)
        for seconds in (60, -1)
    ]
    assert [httpx.get(url, trust_env=False).status_code for url in urls] == [200, 403]


def test_a_url_of_the_older_signature_is_refused(small_stack: LocalStack) -> None:
    url = f"{small_stack.aws.endpoint_url}/bucket/key?AWSAccessKeyId=key&Signature=abc&Expires=9999999999"
    assert httpx.get(url, trust_env=False).status_code == 400


def test_a_fault_that_was_ordered_is_met_once(small_stack: LocalStack) -> None:
    small_stack.aws.faults.fail("PutObject", status=503, code="SlowDown")
    first = httpx.put(_presign(small_stack), content=BODY, headers=HEADERS, trust_env=False)
    second = httpx.put(_presign(small_stack), content=BODY, headers=HEADERS, trust_env=False)
    assert (first.status_code, second.status_code) == (503, 200)
