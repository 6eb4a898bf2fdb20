"""A run's stored files as answers: the patch itself where it is small, presigned URLs for the rest."""

import json

from outpost.api.application import Reply
from outpost.api.queries import ArtifactsQuery
from outpost.api.views import artifact_view, patch_view
from outpost.domain.api_key import Caller
from outpost.domain.report import Artifact
from outpost.domain.run import Run
from outpost.use_cases.find_results import find_patch, require_run, stored_files
from outpost.wiring import Wiring

MEBIBYTE = 1024 * 1024
INLINE_PATCH_BYTES = 2 * MEBIBYTE
# Lambda answers at most 6 MB, with the headers, as JSON, in which one character may take six bytes.
MOST_ENCODED_BYTES = 5 * MEBIBYTE
PATCH_URL_SECONDS = 3_600


def patch_reply(caller: Caller, run_id: str, accept: str, wiring: Wiring) -> Reply:
    """The diff, or where it can be fetched. Raises RunNotFound, PatchNotFound."""
    run, patch = find_patch(caller.tenant_id, run_id, runs=wiring.runs, clock=wiring.clock)
    now = wiring.clock.now()
    url = wiring.files.presign_download(run.tenant_id, run.run_id, patch, at=now, seconds=PATCH_URL_SECONDS)
    if "application/json" in accept and "text/x-diff" not in accept:
        return Reply(patch_view(run, patch, url))
    text = _inline_text(run, patch, wiring)
    if text is None:
        return Reply(text="", status=303, headers={"Location": url.url}, content_type="text/x-diff")
    return Reply(text=text, content_type="text/x-diff; charset=utf-8")


def _inline_text(run: Run, patch: Artifact, wiring: Wiring) -> str | None:
    """The diff, if an answer has room for it."""
    if patch.size_bytes > INLINE_PATCH_BYTES:
        return None
    try:
        text = wiring.files.read(run.tenant_id, run.run_id, patch).decode()
    except UnicodeDecodeError:  # a line of a file in another encoding: only the bytes themselves will do
        return None
    return text if len(json.dumps(text)) <= MOST_ENCODED_BYTES else None


def artifacts_reply(caller: Caller, run_id: str, query: ArtifactsQuery, wiring: Wiring) -> Reply:
    """Every stored file with a URL. Raises RunNotFound."""
    run = require_run(caller.tenant_id, run_id, runs=wiring.runs)
    stored = stored_files(run, runs=wiring.runs, clock=wiring.clock)
    now = wiring.clock.now()
    return Reply(
        {
            "artifacts": [
                artifact_view(
                    artifact,
                    wiring.files.presign_download(
                        run.tenant_id, run.run_id, artifact, at=now, seconds=query.expires_in
                    ),
                )
                for artifact in stored
            ]
        }
    )
