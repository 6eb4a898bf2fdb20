"""A runner as the API sees it: claims its run, stores files, reports; and the end of its task."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from builders import CLAIM, TASK_ARN, an_ecs_task, in_pascal_case
from functions import Answer, Api, LambdaContext

BASE = "a" * 40
RESULT = {"summary": "did it", "filesChanged": 1, "insertions": 2, "deletions": 3, "baseSha": BASE, "headSha": "b" * 40}
PATCH = {
    "name": "changes.patch",
    "type": "patch",
    "sizeBytes": 10,
    "sha256": "0" * 64,
    "contentType": "text/x-diff; charset=utf-8",
}
TREE = {
    "name": "workspace.tar.zst",
    "type": "workspace",
    "sizeBytes": 4,
    "sha256": "d" * 64,
    "contentType": "application/zstd",
}
KEPT = {"restored": None, "saved": True, "reason": None}


@dataclass
class Runner:
    """Who works on one run; `claimed` is what it was given."""

    api: Api
    run_id: str
    claimed: dict[str, Any]

    def call(self, path: str, body: dict[str, Any]) -> Answer:
        """One request with the session's token."""
        headers = {"Authorization": f"Bearer {self.claimed['sessionToken']}"}
        return self.api.call("POST", path, function="broker", json=body, headers=headers)

    def upload(self, *files: dict[str, Any]) -> Answer:
        """POST /runner/uploads."""
        return self.call("/runner/uploads", {"uploads": list(files)})

    def complete(self, **changes: Any) -> Answer:
        """POST /runner/complete: of a success that left a patch, with changes to the body."""
        body = {"outcome": "succeeded", "exitCode": 0, "result": RESULT, "uploads": [PATCH], "omitted": []}
        return self.call("/runner/complete", body | changes)

    def stop(self, exit_code: int = 0) -> str:
        """The run's status after its task has stopped by itself."""
        return end_task(self.api, self.run_id, exit_code)


def hear(api: Api, run_id: str, **changes: Any) -> dict[str, Any]:
    """What the machine tells of a run."""
    event = {"source": "machine", "tenantId": api.tenant_id, "runId": run_id, "attempt": 1, "task": None, "error": ""}
    answer: dict[str, Any] = api.functions["finish"].handler(event | changes, LambdaContext())
    return answer


def claim(api: Api, run_id: str) -> Runner:
    """A runner that has taken the run, with the token that its execution was given."""
    token = hear(api, run_id, waiting=True)["bootstrapToken"]
    body = {"claimId": CLAIM, "taskArn": TASK_ARN, "runnerVersion": "1"}
    answer = api.call(
        "POST", "/runner/claim", function="broker", json=body, headers={"Authorization": f"Bearer {token}"}
    )
    return Runner(api, run_id, answer.data)


def end_task(api: Api, run_id: str, exit_code: int = 0) -> str:
    """The run's status after its task has stopped by itself."""
    values = {"RUN_ID": run_id, "TENANT_ID": api.tenant_id, "ATTEMPT": "1"}
    environment = [{"name": name, "value": value} for name, value in values.items()]
    task = an_ecs_task(
        stoppedAt=datetime.now(UTC).isoformat(),
        containers=[{"name": "runner", "lastStatus": "STOPPED", "exitCode": exit_code}],
        overrides={"containerOverrides": [{"name": "runner", "environment": environment}]},
    )
    return str(hear(api, run_id, task=in_pascal_case(task))["status"])


def work(api: Api, run_id: str, **report: Any) -> Runner:
    """A runner that has done the run's work, whose task has stopped since."""
    runner = claim(api, run_id)
    assert runner.complete(**report).status == 200
    assert runner.stop() == "COMPLETED"
    return runner
