"""`outpost kill-switch`."""

import json

import pytest

SET = {"reason": "a leak", "setAt": "2026-01-01T12:00:00.000Z", "setBy": "01JZ0000000000000000000001"}


def test_show_tells_that_it_is_off(outpost, service):
    service.on("GET", "/kill-switch", service.data(service.make_switch()))
    assert outpost("kill-switch", "show").stdout == "Kill switch  off\n"


def test_show_tells_why_it_is_on_and_that_what_runs_goes_on(outpost, service):
    service.on("GET", "/kill-switch", service.data(service.make_switch(on=True, **SET)))
    shown = outpost("kill-switch", "show").stdout
    assert "Reason       a leak\n" in shown
    assert "What runs    goes on\n" in shown


@pytest.mark.parametrize(("options", "stops"), [([], False), (["--stop-running"], True)])
def test_on_sends_the_reason_and_whether_to_stop_what_runs(outpost, service, options, stops):
    answer = service.make_switch(on=True, **SET, stopRunning=stops, stopped=2)
    service.on("PUT", "/kill-switch", service.data(answer))
    result = outpost("kill-switch", "on", "--reason", "a leak", *options)
    assert service.seen[0].document == {"reason": "a leak", "stopRunning": stops}
    assert "Stopped now  2\n" in result.stdout


def test_on_needs_a_reason(outpost, service):
    assert outpost("kill-switch", "on").exit_code == 2
    assert service.seen == []


def test_off_lifts_it(outpost, service):
    service.on("DELETE", "/kill-switch", service.data(service.make_switch()))
    assert json.loads(outpost("kill-switch", "off", "--json").stdout) == service.make_switch()


def test_a_reason_cannot_control_the_terminal(outpost, service):
    switch = service.make_switch(on=True, **{**SET, "reason": "\x1b[2Jgone"})
    service.on("GET", "/kill-switch", service.data(switch))
    assert "\x1b" not in outpost("kill-switch", "show").stdout
