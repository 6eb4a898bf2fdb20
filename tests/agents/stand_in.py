"""A program in the place of Claude Code that does what its task says, in Python."""

import sys
from pathlib import Path
from typing import Any

from .gateway.dialects import DIALECTS, Tokens
from .scripted_platform import ScriptedPlatform

CANARY = "sk-provider-canary-0123456789"
ANTHROPIC = DIALECTS["anthropic"]
CALL = Tokens(fresh=1_000, cached=200, written=30, visible=50)
# 1,000 x 5 + 200 x 0.5 + 30 x 6.25 + 50 x 25 micro-dollars, rounded up.
CALL_MICROUSD = 6_538
PRICE = {
    "inputMicrousd": 5_000_000,
    "cachedInputMicrousd": 500_000,
    "cacheWriteMicrousd": 6_250_000,
    "outputMicrousd": 25_000_000,
}
# What the orders can use: `ask`, `end`, `reads`, and the modules.
PROGRAM = '''#!{python}
import ctypes, http.client, json, os, socket, subprocess, sys, time, urllib.error, urllib.parse, urllib.request

GATEWAY = os.environ["ANTHROPIC_BASE_URL"]
KEY = os.environ["ANTHROPIC_API_KEY"]

def ask(key=KEY):
    """The status of a call of the model."""
    body = {{"model": "{model}", "max_tokens": 100, "stream": True, "messages": [{{"role": "user", "content": "Hi"}}]}}
    headers = {{"x-api-key": key, "content-type": "application/json"}}
    request = urllib.request.Request(GATEWAY + "/v1/messages", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code

def reads(path):
    """What can be read there, or nothing."""
    try:
        with open(path, "rb") as file:
            return file.read(1_000_000)
    except OSError:
        return b""

def end(text, is_error=False):
    print(json.dumps({{"type": "result", "subtype": "success", "is_error": is_error, "result": str(text)}}), flush=True)

exec(sys.stdin.read().split("# orders")[1])
'''


def give_orders(orders: str) -> str:
    """The task that makes it do this."""
    return f"# orders\n{orders}"


def claim_models(platform: ScriptedPlatform, provider_url: str) -> None:
    """Make the claimed run one of Claude Code, with its provider there."""
    platform.claim["run"] |= {"agent": "claude", "modelId": ANTHROPIC.model}
    platform.claim["models"] = [{"name": ANTHROPIC.model, **PRICE}]
    platform.claim["credentials"]["provider"] = {"name": "anthropic", "apiKey": CANARY, "baseUrl": provider_url}


def install(folder: Path, python: str = sys.executable) -> dict[str, Any]:
    """The environment of a runner that finds it as `claude`."""
    folder.mkdir()
    program = folder / "claude"
    program.write_text(PROGRAM.format(python=python, model=ANTHROPIC.model))
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}
