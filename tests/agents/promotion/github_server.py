"""A GitHub on loopback that keeps pull requests in memory, and answers in GitHub's own shapes."""

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from ..scripted_platform import _QuietHandler
from .github_contract import OPERATIONS, find_faults, make_example
from .upstream import Upstream

REPOSITORY = "acme/project"
DOCUMENTATION = "https://docs.github.com/rest"
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


@dataclass
class GitHubServer:
    upstream: Upstream
    token: str
    supports_drafts: bool = True
    pulls: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    # Answers to give first, by method; then the ordinary ones.
    script: dict[str, deque[Response]] = field(default_factory=lambda: {"GET": deque(), "POST": deque()})
    # An answer to give to everything.
    always: Response | None = None
    # What was asked or answered otherwise than GitHub describes it.
    faults: list[str] = field(default_factory=list)
    # How many requests still find a branch that was pushed not to be there.
    unseen: int = 0
    # After this the answer to an opened pull request is lost.
    loses_an_answer: bool = False

    def __enter__(self) -> "GitHubServer":
        self._server = make_server("127.0.0.1", 0, self.answer, threaded=True, request_handler=_QuietHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @Request.application
    def answer(self, request: Request) -> Response:
        self.requests.append(request.method)
        operation = OPERATIONS["pulls/create" if request.method == "POST" else "pulls/list"]
        self._check_request(request, operation)
        response = self._answer(request)
        described = operation["answers"].get(str(response.status_code))
        if described is not None:
            self.faults += find_faults(described, response.get_json())
        return response

    def _answer(self, request: Request) -> Response:
        if self.always is not None:
            return self.always
        if self.script[request.method]:
            return self.script[request.method].popleft()
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return refusal(401, "Bad credentials")
        if request.path != f"/repos/{REPOSITORY}/pulls":
            return refusal(404, "Not Found")
        return self._create(request.get_json()) if request.method == "POST" else self._list(request.args)

    def _check_request(self, request: Request, operation: dict[str, Any]) -> None:
        self.faults += find_faults(operation["query"], dict(request.args))
        self.faults += [name for name, value in HEADERS.items() if request.headers.get(name) != value]
        if not request.headers.get("User-Agent"):
            self.faults.append("User-Agent")
        if operation["body"] is not None:
            self.bodies.append(request.get_json())
            self.faults += find_faults({**operation["body"], "additionalProperties": False}, request.get_json())

    def _list(self, query: Any) -> Response:
        found = [pull for pull in self.pulls if pull["head"]["label"] == query["head"]]
        wanted = query.get("state", "open")
        return answered(200, [pull for pull in found if wanted in {"all", pull["state"]}])

    def _create(self, body: dict[str, Any]) -> Response:
        label = f"{REPOSITORY.partition('/')[0]}:{body['head']}"
        if body["draft"] and not self.supports_drafts:
            return refusal(422, "Draft pull requests are not supported in this repository.")
        if any(pull["head"]["label"] == label and pull["state"] == "open" for pull in self.pulls):
            return invalid("PullRequest", f"A pull request already exists for {label}.")
        self.unseen -= 1
        if self.unseen >= 0 or self.upstream.find(body["head"]) is None:
            return invalid_field("head")
        pull = self.open_pull(body["head"], body["base"], body)
        return refusal(502, "Server Error") if self.loses_an_answer else answered(201, pull)

    def open_pull(self, branch: str, base: str, said: dict[str, Any], state: str = "open") -> dict[str, Any]:
        number = len(self.pulls) + 1
        pull = make_example(OPERATIONS["pulls/create"]["answers"]["201"]) | {
            "number": number,
            "html_url": f"https://github.com/{REPOSITORY}/pull/{number}",
            "state": state,
            **{name: said[name] for name in ("title", "body", "draft")},
        }
        pull["head"] |= {"label": f"acme:{branch}", "ref": branch, "sha": self.upstream.find(branch) or "0" * 40}
        pull["base"] |= {"label": f"acme:{base}", "ref": base}
        self.pulls.append(pull)
        return pull


def answered(status: int, body: object, **headers: str) -> Response:
    return Response(json.dumps(body), status, headers, content_type="application/json; charset=utf-8")


def refusal(status: int, message: str, **headers: str) -> Response:
    body = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
    return answered(status, body, **{name.replace("_", "-"): value for name, value in headers.items()})


def invalid(resource: str, message: str) -> Response:
    return invalid_detail({"resource": resource, "code": "custom", "message": message})


def invalid_field(field: str) -> Response:
    return invalid_detail({"resource": "PullRequest", "field": field, "code": "invalid"})


def invalid_detail(detail: dict[str, str]) -> Response:
    body = {"message": "Validation Failed", "errors": [detail], "documentation_url": DOCUMENTATION, "status": "422"}
    return answered(422, body)
