"""Task texts and results in S3; every key begins with the tenant."""

import base64
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.domain.report import Artifact
from outpost.domain.workspace import Snapshot
from outpost.ports import PresignedUrl
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UPLOAD_SECONDS = 900
# A runner fetches it at once; a large one takes its time.
SNAPSHOT_SECONDS = 900
SNAPSHOT_TYPE = "application/zstd"
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

    def presign_snapshot_download(
        self, tenant_id: str, workspace_id: str, snapshot: Snapshot, *, at: datetime
    ) -> PresignedUrl:
        parameters = {"Bucket": self._bucket, "Key": _snapshot_key(tenant_id, workspace_id, snapshot)}
        url = self._presign("get_object", parameters, SNAPSHOT_SECONDS)
        return PresignedUrl(url, at + timedelta(seconds=SNAPSHOT_SECONDS))

    def presign_snapshot_upload(
        self, tenant_id: str, workspace_id: str, snapshot: Snapshot, *, at: datetime
    ) -> PresignedUrl:
        key = _snapshot_key(tenant_id, workspace_id, snapshot)
        return self._presign_put(key, snapshot.size_bytes, snapshot.sha256, SNAPSHOT_TYPE, at)

    def delete_snapshot(self, tenant_id: str, workspace_id: str, snapshot: Snapshot) -> None:
        with unavailable_if_it_fails():
            self._client.delete_object(Bucket=self._bucket, Key=_snapshot_key(tenant_id, workspace_id, snapshot))

    def presign_upload(self, tenant_id: str, run_id: str, artifact: Artifact, *, at: datetime) -> PresignedUrl:
        key = _file_key(tenant_id, run_id, artifact)
        return self._presign_put(key, artifact.size_bytes, artifact.sha256, artifact.content_type, at)

    def _presign_put(self, key: str, size_bytes: int, sha256: str, content_type: str, at: datetime) -> PresignedUrl:
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        parameters = {
            "Bucket": self._bucket,
            "Key": key,
            "ContentLength": size_bytes,
            "ContentType": content_type,
            "ChecksumSHA256": checksum,
        }
        headers = {
            "Content-Length": str(size_bytes),
            "Content-Type": content_type,
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


def _snapshot_key(tenant_id: str, workspace_id: str, snapshot: Snapshot) -> str:
    return f"workspaces/{tenant_id}/{workspace_id}/{snapshot.run_id}-{snapshot.attempt}.tar.zst"


def _file_key(tenant_id: str, run_id: str, artifact: Artifact) -> str:
    return f"runs/{tenant_id}/{run_id}/{artifact.attempt}/{artifact.type}/{artifact.name}"
