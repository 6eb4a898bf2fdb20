"""A caller of the local stack, who knows how to wait."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from outpost_local import LocalStack

ENDED = {"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"}
POLL_SECONDS = 0.15


@dataclass(frozen=True)
class Caller:
    """A tenant's caller, over HTTP."""

    http: httpx.Client
    stack: LocalStack

    def dispatch(self, task: str, **changes: Any) -> str:
        """The id of a fresh run of a shell script."""
        answer = self.http.post("/dispatch", json={"agent": "shell", "task": task} | changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["data"]["runId"])

    def post(self, path: str, status: int = 201, **body: Any) -> dict[str, Any]:
        """The data of an answer that has this status."""
        answer = self.http.post(path, json=body)
        assert answer.status_code == status, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    def follow_up(self, run_id: str, task: str, **changes: Any) -> str:
        """The id of a fresh run that goes on from this one."""
        return str(self.post(f"/runs/{run_id}/follow-up", task=task, **changes)["runId"])

    def rerun(self, run_id: str, **changes: Any) -> str:
        """The id of a fresh run that does the work of this one again."""
        return str(self.post(f"/runs/{run_id}/rerun", **changes)["runId"])

    def refuse(self, method: str, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """The status and the details of a refusal."""
        answer = self.http.request(method, path, json=body or None)
        return answer.status_code, answer.json()["error"].get("details") or {}

    def workspace(self, workspace_id: str) -> dict[str, Any]:
        """The workspace as it is."""
        data: dict[str, Any] = self.http.get(f"/workspaces/{workspace_id}").json()["data"]
        return data

    def wait_for_promotion(self, run_id: str, seconds: float = 30) -> dict[str, Any]:
        """The run's promotion once it has ended; it may not have begun yet."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = self.http.get(f"/runs/{run_id}/promotion").json()
            if answer["success"] and answer["data"]["status"] in {"COMPLETED", "FAILED"}:
                data: dict[str, Any] = answer["data"]
                return data
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"still {answer}")

    def run(self, run_id: str) -> dict[str, Any]:
        """The run as it is."""
        data: dict[str, Any] = self.http.get(f"/runs/{run_id}").json()["data"]
        return data

    def wait(self, run_id: str, *statuses: str, seconds: float = 30) -> dict[str, Any]:
        """The run once it has one of the statuses (or has ended)."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            run = self.run(run_id)
            if run["status"] in (statuses or ENDED):
                return run
            assert run["status"] not in ENDED, run
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"still {self.run(run_id)}")

    def wait_for_output(self, run_id: str, text: str) -> None:
        """Return once the agent has printed the text."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if any(text == line["message"] for line in self.lines(run_id)):
                return
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"{text} is not in {self.lines(run_id)}")

    def lines(self, run_id: str) -> list[dict[str, str]]:
        """The first thousand lines of output."""
        lines: list[dict[str, str]] = self.http.get(f"/runs/{run_id}/logs?limit=1000").json()["data"]["lines"]
        return lines

    def patch(self, run_id: str) -> bytes:
        """The run's patch, wherever it lies; the key does not follow to another host."""
        answer = self.http.get(f"/runs/{run_id}/patch")
        if answer.status_code == 303:
            answer = httpx.get(answer.headers["Location"])
        assert answer.status_code == 200, answer.text
        return answer.content

    def artifacts(self, run_id: str) -> dict[str, dict[str, Any]]:
        """The run's files by name."""
        found = self.http.get(f"/runs/{run_id}/artifacts").json()["data"]["artifacts"]
        return {artifact["name"]: artifact for artifact in found}

    def make_due(self, run_id: str) -> None:
        """Let the sweep look at the run at its next round, as it would after a minute."""
        self.stack.aws.client("dynamodb").update_item(
            TableName="outpost-jobs-dev",
            Key={"pk": {"S": "TENANT#local"}, "sk": {"S": f"RUN#{run_id}"}},
            UpdateExpression="SET check_at = :past ADD revision :one",
            ExpressionAttributeValues={":past": {"S": "2020-01-01T00:00:00.000Z"}, ":one": {"N": "1"}},
        )

    def wait_for_execution(self, run_id: str, seconds: float = 10) -> str:
        """How the run's execution ended: a moment after the run, whose end it wrote itself."""
        states = self.stack.aws.client("stepfunctions")
        machines = states.list_state_machines()["stateMachines"]
        machine = next(m["stateMachineArn"] for m in machines if "run" in m["name"])
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{run_id}"
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = str(states.describe_execution(executionArn=arn)["status"])
            if status != "RUNNING":
                return status
            time.sleep(POLL_SECONDS)
        raise AssertionError("still RUNNING")

    def active_runs(self) -> int:
        """The tenant's slots in use, as its counter has them."""
        item = self.stack.aws.client("dynamodb").get_item(
            TableName="outpost-tenants-dev", Key={"pk": {"S": "TENANT#local"}, "sk": {"S": "TENANT"}}
        )["Item"]
        return int(item["active_runs"]["N"])

    def event_types(self, run_id: str) -> list[str]:
        """What the audit table says of the run, in order."""
        items = self.stack.aws.client("dynamodb").scan(TableName="outpost-audit-dev")["Items"]
        found = [item for item in items if item.get("run_id", {}).get("S") == run_id]
        return [item["type"]["S"] for item in sorted(found, key=lambda item: item["at"]["S"])]


@contextmanager
def call_stack(stack: LocalStack) -> Iterator[Caller]:
    """A caller with the key of the stack's own tenant."""
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    with httpx.Client(base_url=stack.api_url, headers=headers, timeout=30) as http:
        yield Caller(http, stack)
