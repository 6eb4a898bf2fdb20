"""A control plane and a store that answer a promotion, on loopback, and hold it to the contract."""

import hashlib
import json
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request, Response

from ..scripted_platform import Call, failure, success
from .github_contract import find_faults

SESSION_TOKEN = "session-token-of-the-promotion"
RUN_ID = "01JTESTRAN0000000000000000"
BRANCH = f"outpost/{RUN_ID}"


def text_of(length: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": length}


def maybe(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def closed(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


CLAIM_BODY = closed(
    claimId={"type": "string", "pattern": "^[0-9a-f]{32}$"},
    taskArn=maybe(text_of(500)),
    runnerVersion=text_of(64),
)
COMPLETE_BODY = closed(
    outcome={"enum": ["promoted", "failed"]},
    branch={"type": "string"},
    baseBranch=maybe({"type": "string"}),
    commit=maybe({"type": "string", "pattern": "^([0-9a-f]{40}|[0-9a-f]{64})$"}),
    pullRequest=maybe(closed(number={"type": "integer"}, url={"type": "string"}, draft={"type": "boolean"})),
    compareUrl=maybe(text_of(1000)),
    error=maybe(closed(code={"type": "string"}, message=text_of(1000))),
    conflicts={"type": "array", "maxItems": 50, "items": closed(path=text_of(255), reason=text_of(200))},
)


@dataclass
class PromotionPlatform:
    claim: dict[str, Any] = field(default_factory=dict)
    patch: bytes = b""
    calls: list[Call] = field(default_factory=list)
    # Answers to give first, by route; then the ordinary ones.
    script: dict[str, deque[Response]] = field(default_factory=lambda: defaultdict(deque))
    # Answers to give always, by route.
    always: dict[str, Response] = field(default_factory=dict)
    # What was told otherwise than the contract says.
    faults: list[str] = field(default_factory=list)
    url: str = ""

    def store(self, patch: bytes) -> dict[str, Any]:
        """Keep the patch, and give the claim's description of it."""
        self.patch = patch
        url = f"{self.url}/store/changes.patch?X-Amz-Signature=abc%2Fdef"
        return {"url": url, "sha256": hashlib.sha256(patch).hexdigest(), "sizeBytes": len(patch)}

    def calls_to(self, route: str) -> list[Call]:
        return [call for call in self.calls if call.route == route]

    @property
    def completion(self) -> dict[str, Any]:
        """The last body that /promotion/complete got."""
        return self.calls_to("/promotion/complete")[-1].body

    def wait_for_call(self, route: str, seconds: float = 15) -> None:
        ends_at = time.monotonic() + seconds
        while not self.calls_to(route):
            assert time.monotonic() < ends_at, f"{route} was never called"
            time.sleep(0.02)

    @Request.application
    def answer(self, request: Request) -> Response:
        route = request.path.removeprefix("/stage")
        body = json.loads(request.get_data() or b"{}")
        self.calls.append(Call(route, request.headers.get("Authorization", ""), body, time.monotonic()))
        if self.script[route]:
            return self.script[route].popleft()
        return self.always.get(route) or self._ordinary_answer(request, route, body)

    def _ordinary_answer(self, request: Request, route: str, body: dict[str, Any]) -> Response:
        if route == "/store/changes.patch":
            is_signed = request.query_string == b"X-Amz-Signature=abc%2Fdef"
            return Response(self.patch, 200) if is_signed else Response("SignatureDoesNotMatch", 403)
        if route == "/promotion/claim":
            self.faults += find_faults(CLAIM_BODY, body)
            return success(self.claim)
        faults = find_faults(COMPLETE_BODY, body)
        self.faults += faults
        return failure(400, "VALIDATION_ERROR") if faults else success({"status": "RUNNING"})
