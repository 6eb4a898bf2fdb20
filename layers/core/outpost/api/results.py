"""A run's stored files as answers: the patch itself where it is small, presigned URLs for the rest."""

from outpost.api.application import Reply
from outpost.api.queries import ArtifactsQuery
from outpost.api.views import artifact_view, patch_view
from outpost.domain.api_key import Caller
from outpost.use_cases.find_results import find_patch, require_run, stored_files
from outpost.wiring import Wiring

# Lambda answers at most 6 MB, and JSON makes a text longer.
INLINE_PATCH_BYTES = 2 * 1024 * 1024
PATCH_URL_SECONDS = 3_600


def patch_reply(caller: Caller, run_id: str, accept: str, wiring: Wiring) -> Reply:
    """The diff, or where it can be fetched. Raises RunNotFound, PatchNotFound."""
    run, patch = find_patch(caller.tenant_id, run_id, runs=wiring.runs, clock=wiring.clock)
    now = wiring.clock.now()
    url = wiring.files.presign_download(run.tenant_id, run.run_id, patch, at=now, seconds=PATCH_URL_SECONDS)
    if "application/json" in accept and "text/x-diff" not in accept:
        return Reply(patch_view(run, patch, url))
    if patch.size_bytes > INLINE_PATCH_BYTES:
        return Reply(text="", status=303, headers={"Location": url.url}, content_type="text/x-diff")
    diff = wiring.files.read(run.tenant_id, run.run_id, patch)
    try:
        return Reply(text=diff.decode(), content_type="text/x-diff; charset=utf-8")
    except UnicodeDecodeError:  # a line of a file in another encoding: only the bytes themselves will do
        return Reply(text="", status=303, headers={"Location": url.url}, content_type="text/x-diff")


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
