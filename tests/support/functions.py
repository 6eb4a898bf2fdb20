"""Loads the functions as Lambda would, each with the environment of the deployment."""

import importlib.util
import json
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from builders import an_api_event
from deployment import ROOT


def load_function(name: str) -> ModuleType:
    """A fresh copy of functions/<name>/app.py; it reads its settings now."""
    spec = importlib.util.spec_from_file_location(f"function_{name}", ROOT / "functions" / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class LambdaContext:
    """What Lambda tells a handler of its invocation."""

    aws_request_id = "invocation-1"
    function_name = "function"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"


@dataclass(frozen=True)
class Answer:
    """An answer of the API."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
        loaded: dict[str, Any] = json.loads(self.text)
        return loaded

    @property
    def data(self) -> Any:
        """What the envelope holds."""
        return self.body["data"]

    @property
    def error(self) -> dict[str, Any]:
        """What went wrong."""
        found: dict[str, Any] = self.body["error"]
        return found


@dataclass
class Api:
    """The functions behind the API, called with API Gateway's events."""

    tenant_id: str
    key: str
    functions: dict[str, ModuleType]

    def call(self, method: str, resource: str, *, function: str, **request: Any) -> Answer:
        """One request; `json` is a body to encode, the rest is what `an_api_event` takes."""
        if "json" in request:
            request["body"] = json.dumps(request.pop("json"))
        request["headers"] = {"Authorization": f"Bearer {self.key}"} | request.get("headers", {})
        answer = self.functions[function].handler(an_api_event(method, resource, **request), LambdaContext())
        headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        return Answer(answer["statusCode"], headers, answer["body"])

    def dispatch(self, **changes: Any) -> Answer:
        """POST /dispatch of a small shell script, with changes to the body; `headers` go to the request."""
        request = {"headers": changes.pop("headers")} if "headers" in changes else {}
        body = {"agent": "shell", "task": "echo hello"} | changes
        return self.call("POST", "/dispatch", function="dispatch", json=body, **request)

    def get(self, resource: str, run_id: str = "", **request: Any) -> Answer:
        """A GET of the read function."""
        return self.call("GET", resource, function="read", path_id=run_id, **request)

    def cancel(self, run_id: str, **request: Any) -> Answer:
        """POST /runs/{id}/cancel."""
        return self.call("POST", "/runs/{id}/cancel", function="dispatch", path_id=run_id, **request)
