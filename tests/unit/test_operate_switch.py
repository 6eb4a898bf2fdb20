"""An operator's kill switch: of the whole deployment, or of one tenant that is named."""

from types import SimpleNamespace

import pytest
from builders import later
from deployment import make_settings

from outpost.api.operate import operate
from outpost.domain.kill_switch import KillSwitch

PORTS = ("accounts", "deployments", "clock", "identifiers")


def ask(world, operation, **fields):
    """The answer to the operation."""
    return operate({"operation": operation, **fields}, SimpleNamespace(settings=make_settings(), **world.ports(*PORTS)))


def put_on(world, **fields):
    return ask(world, "set-kill-switch", reason="a broken release", **fields)


def events(world):
    return [(event.tenant_id, event.type, event.details) for event in world.runs.events]


def test_without_a_tenant_the_whole_deployment_is_stopped_with_its_event(world):
    assert put_on(world, stopRunning=True)["success"]
    assert world.runs.deployment.kill_switch == KillSwitch("a broken release", later(), "operator", stop_running=True)
    assert world.tenant().kill_switch is None
    assert events(world) == [("DEPLOYMENT", "kill-switch.set", {"by": "operator", "reason": "a broken release"})]


def test_the_deployment_goes_on_with_an_event_too(world):
    put_on(world)
    world.clock.move(minutes=5)
    assert ask(world, "lift-kill-switch")["success"]
    assert world.runs.deployment.kill_switch is None
    assert events(world)[1:] == [("DEPLOYMENT", "kill-switch.lifted", {"by": "operator", "reason": ""})]
    assert world.runs.events[-1].at == later(minutes=5)


def test_a_tenant_that_is_named_is_stopped_alone(world):
    put_on(world, tenantId="acme", stopRunning=True)
    assert world.tenant().kill_switch == KillSwitch("a broken release", later(), "operator", stop_running=True)
    assert world.runs.deployment.kill_switch is None
    assert events(world) == [("acme", "kill-switch.set", {"by": "operator", "reason": "a broken release"})]


def test_a_tenant_that_is_named_goes_on_alone(world):
    put_on(world)
    put_on(world, tenantId="acme")
    ask(world, "lift-kill-switch", tenantId="acme")
    assert world.tenant().kill_switch is None
    assert world.runs.deployment.kill_switch is not None


@pytest.mark.parametrize(
    ("operation", "fields"), [("set-kill-switch", {"reason": "a broken release"}), ("lift-kill-switch", {})]
)
def test_a_tenant_that_is_not_there_stops_nobody(world, operation, fields):
    answer = ask(world, operation, tenantId="nobody", **fields)
    assert (answer["success"], answer["error"]["code"]) == (False, "NOT_FOUND")
    assert (world.runs.deployment.kill_switch, events(world)) == (None, [])
