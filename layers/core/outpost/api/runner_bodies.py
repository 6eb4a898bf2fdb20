"""What runners may send."""

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from outpost.api.parsing import Body
from outpost.domain.report import Phase, ReportedOutcome

ARTIFACTS = 100
# Far above what any run can use, and within what every reader of JSON holds exactly.
Count = Annotated[int, Field(ge=0, le=2**50)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ClaimBody(Body):
    """POST /runner/claim, and POST /promotion/claim."""

    claim_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    task_arn: Annotated[str, Field(max_length=500)] | None = None
    runner_version: Annotated[str, Field(max_length=64)]


class UsageBody(Body):
    """What the model gateway has counted so far."""

    input_tokens: Count
    cached_input_tokens: Count
    cache_write_tokens: Count
    output_tokens: Count
    calls: Count
    retries: Count
    estimated_calls: Count
    cost_microusd: Count


class HeartbeatBody(Body):
    """POST /runner/heartbeat."""

    phase: Annotated[Phase, Field(strict=False)]
    message: Annotated[str, Field(max_length=200)] | None = None
    usage: UsageBody | None = None


class FileBody(Body):
    """One file of a run."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f\\]+$")]
    type: Annotated[str, StringConstraints(pattern=r"^(patch|log|artifact|workspace)$")]
    size_bytes: Annotated[int, Field(ge=0, le=5 * 1024**3)]
    sha256: Sha256
    content_type: Annotated[str, StringConstraints(max_length=128, pattern=r"^[\x21-\x7e][\x20-\x7e]*$")]

    @field_validator("name")
    @classmethod
    def _relative(cls, name: str) -> str:
        if any(part in ("", ".", "..") for part in name.split("/")):
            raise ValueError("must be a relative path without empty, . or .. parts")
        return name


class UploadsBody(Body):
    """POST /runner/uploads."""

    uploads: Annotated[list[FileBody], Field(min_length=1, max_length=ARTIFACTS + 3)]


class ReportedErrorBody(Body):
    """Why the runner says that it failed."""

    code: Annotated[str, Field(max_length=64)]
    message: Annotated[str, Field(max_length=4_000)]


class ResultBody(Body):
    """What the agent left behind, in numbers."""

    summary: Annotated[str, Field(max_length=4_000)] | None = None
    files_changed: Annotated[int, Field(ge=0)]
    insertions: Annotated[int, Field(ge=0)]
    deletions: Annotated[int, Field(ge=0)]
    base_sha: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40,64}$")] | None = None
    head_sha: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40,64}$")] | None = None
    renames: Annotated[int, Field(ge=0)] = 0


class CheckBody(Body):
    """How the check of the agent's work ended."""

    passed: bool
    exit_code: Annotated[int, Field(ge=-255, le=255)] | None = None
    timed_out: bool = False
    output: Annotated[str, Field(max_length=4_000)]
    seconds: Annotated[float, Field(ge=0, le=100_000)]


class WorkspaceEndBody(Body):
    """What became of the persistent workspace."""

    restored: bool | None = None
    saved: bool
    reason: Annotated[str, Field(max_length=200)] | None = None


class OmittedBody(Body):
    """A file that was left out."""

    name: Annotated[str, Field(max_length=255)]
    reason: Annotated[str, Field(max_length=200)]


class ContextSourceBody(Body):
    """A file of the repository whose notes the agent was given."""

    path: Annotated[str, Field(max_length=255)]
    tokens: Count
    is_cut: bool


class CompleteBody(Body):
    """POST /runner/complete."""

    outcome: Annotated[ReportedOutcome, Field(strict=False)]
    exit_code: Annotated[int, Field(ge=-255, le=255)] | None = None
    error: ReportedErrorBody | None = None
    result: ResultBody | None = None
    uploads: Annotated[list[FileBody], Field(max_length=ARTIFACTS + 3)]
    omitted: Annotated[list[OmittedBody], Field(max_length=20)]
    usage: UsageBody | None = None
    context_sources: Annotated[list[ContextSourceBody], Field(max_length=50)] = Field(default_factory=list)
    check: CheckBody | None = None
    workspace: WorkspaceEndBody | None = None
    notices: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=20)] = Field(default_factory=list)


class PullRequestBody(Body):
    """The pull request that was opened, or was there already."""

    number: Annotated[int, Field(ge=1, le=2**50)]
    url: Annotated[str, StringConstraints(max_length=1_000, pattern=r"^https?://[\x21-\x7e]+$")]
    draft: bool | None = None


class ConflictBody(Body):
    """A file that the work could not be brought to."""

    path: Annotated[str, Field(max_length=255)]
    reason: Annotated[str, Field(max_length=200)]


class PromotionErrorBody(Body):
    """Why it was not promoted."""

    code: Annotated[str, Field(max_length=64)]
    message: Annotated[str, Field(max_length=1_000)]


class PromotionCompleteBody(Body):
    """POST /promotion/complete."""

    outcome: Annotated[str, StringConstraints(pattern=r"^(promoted|failed)$")]
    branch: Annotated[str, Field(max_length=255)] | None = None
    base_branch: Annotated[str, Field(max_length=255)] | None = None
    commit: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40,64}$")] | None = None
    pull_request: PullRequestBody | None = None
    compare_url: Annotated[str, StringConstraints(max_length=1_000, pattern=r"^https?://[\x21-\x7e]+$")] | None = None
    error: PromotionErrorBody | None = None
    conflicts: Annotated[list[ConflictBody], Field(max_length=50)] = Field(default_factory=list)
