"""Task texts and results in S3; every key begins with the tenant."""

import base64
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.domain.report import Artifact
from outpost.ports import PresignedUrl
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UPLOAD_SECONDS = 900
# A browser that opened these from the bucket's address would run what an agent wrote.
_NEVER_SHOWN = frozenset({"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml"})


class S3Files:
    """Files in the artifacts bucket."""

    def __init__(self, client: "S3Client", settings: Settings) -> None:
        self._client = client
        self._bucket = settings.artifacts_bucket

    def put_task(self, tenant_id: str, run_id: str, text: str) -> None:
        with unavailable_if_it_fails():
            self._client.put_object(
                Bucket=self._bucket,
                Key=_task_key(tenant_id, run_id),
                Body=text.encode(),
                ContentType="text/plain; charset=utf-8",
            )

    def get_task(self, tenant_id: str, run_id: str) -> str:
        return self._read(_task_key(tenant_id, run_id)).decode()

    def read(self, tenant_id: str, run_id: str, artifact: Artifact) -> bytes:
        return self._read(_file_key(tenant_id, run_id, artifact))

    def presign_download(
        self, tenant_id: str, run_id: str, artifact: Artifact, *, at: datetime, seconds: int
    ) -> PresignedUrl:
        name = quote(artifact.name.rsplit("/", 1)[-1])
        kind = artifact.content_type.split(";")[0].strip().lower()
        parameters = {
            "Bucket": self._bucket,
            "Key": _file_key(tenant_id, run_id, artifact),
            "ResponseContentDisposition": f"attachment; filename*=UTF-8''{name}",
            "ResponseContentType": "application/octet-stream" if kind in _NEVER_SHOWN else artifact.content_type,
        }
        return PresignedUrl(self._presign("get_object", parameters, seconds), at + timedelta(seconds=seconds))

    def presign_upload(self, tenant_id: str, run_id: str, artifact: Artifact, *, at: datetime) -> PresignedUrl:
        checksum = base64.b64encode(bytes.fromhex(artifact.sha256)).decode()
        parameters = {
            "Bucket": self._bucket,
            "Key": _file_key(tenant_id, run_id, artifact),
            "ContentLength": artifact.size_bytes,
            "ContentType": artifact.content_type,
            "ChecksumSHA256": checksum,
        }
        headers = {
            "Content-Length": str(artifact.size_bytes),
            "Content-Type": artifact.content_type,
            "x-amz-checksum-sha256": checksum,
        }
        url = self._presign("put_object", parameters, UPLOAD_SECONDS)
        return PresignedUrl(url, at + timedelta(seconds=UPLOAD_SECONDS), headers)

    def _read(self, key: str) -> bytes:
        with unavailable_if_it_fails():
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def _presign(self, operation: str, parameters: dict[str, Any], seconds: int) -> str:
        return self._client.generate_presigned_url(operation, Params=parameters, ExpiresIn=seconds)


def _task_key(tenant_id: str, run_id: str) -> str:
    return f"tasks/{tenant_id}/{run_id}"


def _file_key(tenant_id: str, run_id: str, artifact: Artifact) -> str:
    return f"runs/{tenant_id}/{run_id}/{artifact.attempt}/{artifact.type}/{artifact.name}"
