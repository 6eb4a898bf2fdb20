"""Many runs on the whole stack, more than have slots, while runners are killed and runs cancelled; then what is left.

python tests/stack/soak.py [runs] [seed]
"""

import os
import random
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from outpost_local import LocalStack

ROOT = Path(__file__).resolve().parents[2]
ENDED = {"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"}
AT_ONCE = 8
SLOTS = 4
PATIENCE_SECONDS = 120
MARKER = "outpost-soak-"
TASK = f"(exec -a {MARKER}child sleep 300) & echo working > made.txt; sleep 1.5; echo done"


class Soak:
    """One soak: what each run is made to suffer is drawn from the seed."""

    def __init__(self, stack: LocalStack, seed: int) -> None:
        self.stack = stack
        self.waited: set[str] = set()
        self.random = random.Random(seed)  # noqa: S311 a soak is to be repeated, not to be secret
        self.http = httpx.Client(
            base_url=stack.api_url, headers={"Authorization": f"Bearer {stack.api_key}"}, timeout=30
        )

    def one(self, number: int) -> tuple[str, str]:
        """The id of one run and what was done to it."""
        deed = self.random.choice(["nothing", "kill the runner", "cancel", "kill and cancel"])
        moment = self.random.uniform(0, 2.5)
        body = {"agent": "shell", "task": TASK, "idempotencyKey": f"soak-{number}"}
        body["priority"] = self.random.choice(["low", "normal", "high"])
        answer = self.http.post("/dispatch", json=body)
        run_id = str(answer.json()["data"]["runId"])
        if answer.json()["data"]["status"] == "QUEUED":
            self.waited.add(run_id)
        time.sleep(moment)
        if "kill" in deed:
            self._kill(run_id)
        if "cancel" in deed:
            self.http.post(f"/runs/{run_id}/cancel", json={"reason": "the soak"})
        self._wait(run_id)
        return run_id, deed

    def _kill(self, run_id: str) -> None:
        for task in self.stack.fargate.tasks():
            if task.run_id == run_id:
                try:
                    os.kill(task.process_id, signal.SIGKILL)
                except ProcessLookupError:
                    continue  # it was quicker

    def _wait(self, run_id: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self.http.get(f"/runs/{run_id}").json()["data"]["status"] in ENDED:
                return
            time.sleep(0.3)

    def left_over(self, run_ids: list[str]) -> dict[str, int]:
        """What a soak must leave none of."""
        statuses = [self.http.get(f"/runs/{run_id}").json()["data"]["status"] for run_id in run_ids]
        tenant, deployment = self._item("TENANT#local", "TENANT"), self._item("DEPLOYMENT", "DEPLOYMENT")
        return {
            "runs not terminal": sum(status not in ENDED for status in statuses),
            "tasks alive": len(self.stack.fargate.tasks()),
            "processes alive": sum(MARKER in _command_line(path) for path in Path("/proc").glob("[0-9]*/cmdline")),
            "slots in use": int(tenant["active_runs"]["N"]),
            "slots of the deployment in use": int(deployment["active_runs"]["N"]),
            "runs that wait": int(tenant["queued_runs"]["N"]),
            "places in the queue": self._count_places(),
            "events lost": len(self.stack.lost_events),
        }

    def _item(self, partition: str, sort: str) -> dict[str, Any]:
        found: dict[str, Any] = self.stack.aws.client("dynamodb").get_item(
            TableName="outpost-tenants-dev", Key={"pk": {"S": partition}, "sk": {"S": sort}}
        )["Item"]
        return found

    def _count_places(self) -> int:
        answer = self.stack.aws.client("dynamodb").query(
            TableName="outpost-jobs-dev",
            KeyConditionExpression="pk = :tenant AND begins_with(sk, :queue)",
            ExpressionAttributeValues={":tenant": {"S": "TENANT#local"}, ":queue": {"S": "QUEUE#"}},
        )
        return int(answer["Count"])

    def outcomes(self, done: list[tuple[str, str]]) -> Counter[tuple[str, str]]:
        """How often each deed led to each status."""
        return Counter((deed, self.http.get(f"/runs/{run_id}").json()["data"]["status"]) for run_id, deed in done)


def _command_line(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return ""  # it has ended meanwhile


def main() -> int:
    """Print what happened; 1 if anything is left over, or if the slots were never short."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(10**6)
    print(f"{runs} runs, seed {seed}")  # noqa: T201
    started = time.monotonic()
    parameters = {"ConcurrentRuns": str(SLOTS), "RequestsPerMinute": "100000"}
    with LocalStack.start(ROOT / "template.yaml", parameters) as stack:
        soak = Soak(stack, seed)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            done = list(pool.map(soak.one, range(runs)))
        for (deed, status), count in sorted(soak.outcomes(done).items()):
            print(f"  {deed:16} {status:10} {count:4}")  # noqa: T201
        print(f"  {len(soak.waited)} of them waited for a slot")  # noqa: T201
        left = soak.left_over([run_id for run_id, _ in done])
    print(", ".join(f"{name} {count}" for name, count in left.items()), f"({time.monotonic() - started:.0f} s)")  # noqa: T201
    return 1 if any(left.values()) or not soak.waited else 0


if __name__ == "__main__":
    sys.exit(main())
