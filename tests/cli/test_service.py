"""`outpost fleet`, `health` and `version`."""

import json

import pytest

from outpost_cli import __version__

CLOSED = {"state": "closed", "failures": 0, "retryAfterSeconds": None}
OPEN = {"state": "open", "failures": 5, "retryAfterSeconds": 42}
PRICES = {"input": 0.28, "cachedInput": 0.028, "cacheWrite": 0.28, "output": 12}
MODEL = {"tier": "flagship", "retiredNames": [], "cpuUnits": 2048, "memoryMb": 8192, "usdPerMillionTokens": PRICES}
NO_MODEL = {**MODEL, "modelId": "none", "cpuUnits": 256, "memoryMb": 512, "usdPerMillionTokens": None}
FLEET = {
    "status": "ok",
    "priceVersion": "2026-01-01",
    "agents": [
        {"agent": "shell", "available": True, "modelId": "none", "models": [NO_MODEL], "breaker": CLOSED},
        {
            "agent": "aider",
            "available": False,
            "modelId": "m",
            "provider": "deepseek",
            "models": [{**MODEL, "modelId": "m"}, {**MODEL, "modelId": "o", "tier": "fast", "memoryMb": 4096}],
            "breaker": OPEN,
        },
        {"agent": "codex", "available": True, "modelId": "n"},
    ],
}


@pytest.fixture
def fleet(outpost, service) -> list[list[str]]:
    """The words of each line that `outpost fleet` prints."""
    service.on("GET", "/fleet", service.data(FLEET))
    return [line.split() for line in outpost("fleet").stdout.splitlines()]


def test_the_fleet_lists_each_agent_with_its_breaker_and_its_provider(fleet):
    assert fleet[1:4] == [
        ["shell", "yes", "closed", "-", "none"],
        ["aider", "no", "open", "for", "42s", "deepseek", "m"],
        ["codex", "yes", "-", "-", "n"],
    ]


def test_the_fleet_lists_each_model_with_its_compute_and_its_prices(fleet):
    assert fleet[5:9] == [
        ["AGENT", "MODEL", "TIER", "VCPU", "MEMORY", "IN", "CACHED", "OUT"],
        ["shell", "none", "flagship", "0.25", "512", "MB", "-", "-", "-"],
        ["aider", "m", "flagship", "2", "8", "GB", "0.28", "0.028", "12"],
        ["aider", "o", "fast", "2", "4", "GB", "0.28", "0.028", "12"],
    ]


def test_the_fleet_says_of_when_its_prices_are(fleet):
    assert " ".join(fleet[-1]) == "IN, CACHED and OUT are USD for a million tokens, as of 2026-01-01."


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
