"""What finish answers to the machine."""

from builders import a_run, a_running_run
from fakes import FixedSigningKey

from outpost.api.finish import finished_view
from outpost.domain.outcome import Evidence, Testimony
from outpost.domain.run import RunStatus
from outpost.domain.run_error import RunError, RunErrorCode


class NobodysKey:
    """A signing key that must not be read."""

    def value(self) -> bytes:
        raise AssertionError("the signing key was read")


def of_attempt(attempt, **changes) -> Testimony:
    """What the machine says of an attempt."""
    return Testimony("acme", a_run().run_id, Evidence(attempt=attempt), **changes)


def test_a_launch_that_was_noted_costs_no_token():
    assert "bootstrapToken" not in finished_view(a_run(), of_attempt(1), NobodysKey())


def test_the_next_attempt_gets_its_token():
    view = finished_view(a_run(attempt=2), of_attempt(1), FixedSigningKey())
    assert (view["status"], view["attempt"]) == ("PENDING", 2)
    assert view["bootstrapToken"]


def test_an_attempt_that_another_runner_has_taken_gets_none():
    assert "bootstrapToken" not in finished_view(a_running_run(attempt=2), of_attempt(1), NobodysKey())


def test_an_end_has_its_error():
    error = RunError.of(RunErrorCode.COMPUTE_LOST, "gone")
    view = finished_view(a_run(status=RunStatus.FAILED, error=error), of_attempt(1), NobodysKey())
    assert view["error"] == {"code": "COMPUTE_LOST", "message": "gone"}


def test_a_run_that_got_its_slot_at_the_last_moment_gets_its_token():
    assert finished_view(a_run(), of_attempt(1, is_waiting=True), FixedSigningKey())["bootstrapToken"]
