"""`outpost fleet`, `health` and `version`."""

import json

import pytest

from outpost_cli import __version__

CLOSED = {"state": "closed", "failures": 0, "retryAfterSeconds": None}
OPEN = {"state": "open", "failures": 5, "retryAfterSeconds": 42}
FLEET = {
    "status": "ok",
    "agents": [
        {"agent": "shell", "available": True, "modelId": None, "breaker": CLOSED},
        {"agent": "aider", "available": False, "modelId": "m", "breaker": OPEN},
        {"agent": "codex", "available": True, "modelId": "n"},
    ],
}


def test_the_fleet_lists_each_agent_with_its_breaker(outpost, service):
    service.on("GET", "/fleet", service.data(FLEET))
    rows = [line.split() for line in outpost("fleet").stdout.splitlines()[1:]]
    assert rows == [
        ["shell", "yes", "closed", "-"],
        ["aider", "no", "open", "for", "42s", "m"],
        ["codex", "yes", "-", "n"],
    ]


def test_the_fleet_with_json_is_the_data(outpost, service):
    service.on("GET", "/fleet", service.data(FLEET))
    assert json.loads(outpost("fleet", "--json").stdout) == FLEET


def test_health_is_asked_without_a_key(run_program, service):
    service.on("GET", "/health", service.json({"status": "ok", "version": "1.2.3", "components": {"table": "ok"}}))
    result = run_program("health", "--url", service.url)
    assert result.exit_code == 0
    assert "authorization" not in service.seen[0].headers
    assert "1.2.3" in result.stdout


@pytest.mark.parametrize("status", [200, 503])
def test_a_service_that_is_down_is_shown_and_told_by_the_exit_code(outpost, service, status):
    service.on("GET", "/health", service.json({"status": "down", "components": {"table": "down"}}, status=status))
    result = outpost("health", "--json")
    assert result.exit_code == 7
    assert json.loads(result.stdout)["components"] == {"table": "down"}
    assert len(service.seen) == 1


def test_version_needs_no_service(run_program):
    assert run_program("version").stdout == f"outpost {__version__}\n"
    assert run_program("--version").stdout == f"outpost {__version__}\n"


def test_version_can_ask_the_service_too(outpost, service):
    service.on("GET", "/version", service.json({"version": "9.9.9", "gitSha": "abc"}))
    document = json.loads(outpost("version", "--server", "--json").stdout)
    assert document == {"client": __version__, "server": {"version": "9.9.9", "gitSha": "abc"}}
