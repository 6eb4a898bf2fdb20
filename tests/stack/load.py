"""Many dispatches at once against a small limit, on the whole stack; every moment of it is watched.

python tests/stack/load.py [dispatches] [limit] [places in the queue]
"""

import json
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx

from outpost_local import LocalStack

ROOT = Path(__file__).resolve().parents[2]
AT_WORK = frozenset({"PENDING", "RUNNING", "CANCELLING"})
ENDED = frozenset({"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"})
PRIORITIES = ("high", "normal", "low")
PATIENCE_SECONDS = 1_500


@dataclass
class Watch:
    """Every run's status after each write, read off the writes themselves while nothing else is written."""

    limit: int
    statuses: dict[str, str] = field(default_factory=dict)
    places: dict[str, tuple[int, str]] = field(default_factory=dict)
    most_at_work: int = 0
    too_many: int = 0
    out_of_order: int = 0
    released: int = 0

    def __call__(self, operation: str, body: bytes) -> None:
        if operation == "TransactWriteItems":
            for write in json.loads(body)["TransactItems"]:
                self._see(write.get("Put") or write.get("Update") or {})
        elif operation == "UpdateItem":
            self._see(json.loads(body))

    def _see(self, write: dict[str, Any]) -> None:
        key = write.get("Key") or write.get("Item") or {}
        run_id = key.get("sk", {}).get("S", "").removeprefix("RUN#")
        if not write.get("TableName", "").startswith("outpost-jobs") or "#" in run_id or len(run_id) != 26:
            return
        item = write.get("Item", {})
        status = item.get("status") or write.get("ExpressionAttributeValues", {}).get(":status")
        if item:
            self.places[run_id] = (PRIORITIES.index(item["priority"]["S"]), run_id)
        if status is not None:
            self._became(run_id, status["S"])

    def _became(self, run_id: str, status: str) -> None:
        if self.statuses.get(run_id) == "QUEUED" and status == "PENDING":
            self.released += 1
            waiting = [self.places[other] for other, seen in self.statuses.items() if seen == "QUEUED"]
            self.out_of_order += self.places[run_id] != min(waiting)
        self.statuses[run_id] = status
        at_work = sum(seen in AT_WORK for seen in self.statuses.values())
        self.most_at_work = max(self.most_at_work, at_work)
        self.too_many += at_work > self.limit


@dataclass
class Load:
    """The dispatches, all sent before any is answered; `released` is how many of them waited and were given a slot."""

    stack: LocalStack
    key: str
    released: int = 0
    answers: list[tuple[int, str, float]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, dispatches: int, seed: int) -> None:
        """Send them at once and keep what came back: status, code, seconds."""
        draw = random.Random(seed)  # noqa: S311 a load is to be repeated, not to be secret
        start = threading.Barrier(dispatches)
        wishes = [draw.choice(PRIORITIES) for _ in range(dispatches)]
        threads = [threading.Thread(target=self._one, args=(wish, start)) for wish in wishes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _one(self, priority: str, start: threading.Barrier) -> None:
        body = {"agent": "shell", "task": "true", "priority": priority, "queueTimeoutSeconds": 7_200}
        with self._http() as http:
            start.wait()
            began = time.monotonic()
            answer = http.post("/dispatch", json=body)
            seconds = time.monotonic() - began
        data = answer.json()
        said = data["data"]["status"] if data["success"] else data["error"]["code"]
        with self.lock:
            self.answers.append((answer.status_code, said, seconds))

    def replay(self, times: int) -> Counter[tuple[int, bool]]:
        """The same dispatch with one idempotency key, so often at once: (status, whether it is a replay)."""
        found: Counter[tuple[int, bool]] = Counter()
        start = threading.Barrier(times)

        def one() -> None:
            with self._http() as http:
                start.wait()
                answer = http.post("/dispatch", json={"agent": "shell", "task": "true", "idempotencyKey": "the-one"})
            with self.lock:
                found[answer.status_code, "Idempotent-Replay" in answer.headers] += 1

        threads = [threading.Thread(target=one) for _ in range(times)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    def _http(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.stack.api_url, headers={"Authorization": f"Bearer {self.key}"}, timeout=PATIENCE_SECONDS
        )


def counters(stack: LocalStack) -> dict[str, int]:
    """What the tables say is in use when all is at rest."""
    table = stack.aws.client("dynamodb")
    keys = {"tenant": ("TENANT#load", "TENANT"), "deployment": ("DEPLOYMENT", "DEPLOYMENT")}
    items = {
        name: table.get_item(TableName="outpost-tenants-dev", Key={"pk": {"S": pk}, "sk": {"S": sk}})["Item"]
        for name, (pk, sk) in keys.items()
    }
    return {
        "tenant's slots in use": int(items["tenant"]["active_runs"]["N"]),
        "tenant's runs that wait": int(items["tenant"]["queued_runs"]["N"]),
        "deployment's slots in use": int(items["deployment"]["active_runs"]["N"]),
    }


def percentiles(seconds: list[float]) -> str:
    """Median, 95th and 99th percentile of times in seconds."""
    if len(seconds) < 2:
        return "too few"
    cuts = quantiles(seconds, n=100, method="inclusive")
    return f"p50 {cuts[49]:.2f} s, p95 {cuts[94]:.2f} s, p99 {cuts[98]:.2f} s"


def run_load(dispatches: int, limit: int, places: int, seed: int) -> tuple[Load, Watch, dict[str, int]]:
    """One load to its end: every run has ended, or patience has."""
    with LocalStack.start(ROOT / "template.yaml", {"RequestsPerMinute": "100000"}) as stack:
        wish = {"operation": "create-tenant", "tenantId": "load", "name": "Load"}
        plan = {"concurrentRuns": limit, "queuedRuns": places}
        load = Load(stack, stack.invoke("OperateFunction", wish | {"plan": plan})["data"]["apiKey"])
        watch = Watch(limit)
        stack.aws.watchers.append(watch)
        load.send(dispatches, seed)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not set(watch.statuses.values()) <= ENDED and time.monotonic() < deadline:
            time.sleep(0.5)
        load.released = watch.released
        replays = load.replay(50)
        while not set(watch.statuses.values()) <= ENDED and time.monotonic() < deadline:
            time.sleep(0.5)
        found = counters(stack)
        found["runs of one idempotency key besides the first"] = replays[201, False] - 1
        found["replays that are missing"] = 49 - replays[200, True]
        return load, watch, found


def main() -> int:
    """Print what was seen; 1 if anything was not as promised."""
    given = [int(text) for text in sys.argv[1:]]
    dispatches, limit, places = given + [500, 20, 400][len(given) :]
    seed = random.SystemRandom().randrange(10**6)
    began = time.monotonic()
    load, watch, left = run_load(dispatches, limit, places, seed)
    print(f"{dispatches} dispatches at once, limit {limit}, {places} places in the queue, seed {seed}")  # noqa: T201
    for (status, said), count in sorted(Counter((s, c) for s, c, _ in load.answers).items()):
        times = [seconds for s, c, seconds in load.answers if (s, c) == (status, said)]
        print(f"  {status} {said:12} {count:4}   {percentiles(times)}")  # noqa: T201
    print(f"  ended as {dict(Counter(watch.statuses.values()))}")  # noqa: T201
    print(f"  most at work at any moment {watch.most_at_work}, released {watch.released}")  # noqa: T201
    wrong = {
        "moments with too many at work": watch.too_many,
        "releases out of order": watch.out_of_order,
        "runs that did not complete": sum(status != "COMPLETED" for status in watch.statuses.values()),
        **left,
    }
    print("  " + ", ".join(f"{name} {count}" for name, count in wrong.items()))  # noqa: T201
    print(f"({time.monotonic() - began:.0f} s)")  # noqa: T201
    return 1 if any(wrong.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
