"""GET /runs/{id}/patch: the diff itself where an answer of Lambda's has room for it, else where it lies."""

from urllib.parse import unquote, urlsplit

import pytest

from .runners import PATCH, claim

MEBIBYTE = 1024 * 1024


@pytest.fixture
def leave_patch(api, api_deployment):
    """Ends a run that leaves this diff; returns its id."""

    def leave(diff: bytes) -> str:
        run_id = api.dispatch().data["runId"]
        runner = claim(api, run_id)
        runner.complete(uploads=[{**PATCH, "sizeBytes": len(diff)}])
        runner.stop()
        url = urlsplit(api.get("/runs/{id}/patch", run_id, headers={"Accept": "application/json"}).data["url"])
        bucket = api_deployment.settings.artifacts_bucket
        key = unquote(url.path).removeprefix("/").removeprefix(f"{bucket}/")
        api_deployment.s3.put_object(Bucket=bucket, Key=key, Body=diff)
        return run_id

    return leave


@pytest.mark.parametrize("diff", ["+ one\n", '+"\t\\\n' * (2 * MEBIBYTE // 5), "+\x01\n" * (MEBIBYTE // 4)])
def test_a_patch_that_fits_is_the_answer(api, leave_patch, diff):
    answer = api.get("/runs/{id}/patch", leave_patch(diff.encode()))
    assert (answer.status, answer.text) == (200, diff)


@pytest.mark.parametrize(
    "diff",
    [b"+\n" * (MEBIBYTE + 1), b"+\xff\n", b"\x01" * (MEBIBYTE + 1), "\u0436".encode() * MEBIBYTE],
    ids=["large", "not UTF-8", "control characters", "other letters"],
)
def test_any_other_patch_is_fetched_from_where_it_lies(api, leave_patch, diff):
    answer = api.get("/runs/{id}/patch", leave_patch(diff))
    assert (answer.status, answer.text) == (303, "")
    assert "changes.patch" in answer.headers["Location"]
