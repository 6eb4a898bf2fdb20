"""The scenarios, each of which makes the calls that the injector then lets fail."""

from .runner import Behaviour
from .world import Scenario

LONG_TASK = "echo hello # " + "x" * 20_000

SCENARIOS = (
    Scenario("complete", "COMPLETED", Behaviour(works_seconds=70), task=LONG_TASK),
    Scenario("cancel", "CANCELLED", Behaviour(works_seconds=300), cancel_after_seconds=60),
    Scenario("cancel in silence", "CANCELLED", Behaviour(falls_silent=True), cancel_after_seconds=40),
    Scenario("cancel before the claim", "CANCELLED", cancel_after_seconds=10),
    Scenario(
        "timeout", "TIMEOUT", Behaviour(works_seconds=1000), timeout_seconds=45, notice_seconds=1, event_seconds=2
    ),
    Scenario("relaunch", "COMPLETED", Behaviour(works_seconds=10), refused_launches=1),
    Scenario("host lost", "COMPLETED", Behaviour(works_seconds=10), hosts_lost_after=(25,)),
    Scenario("killed", "FAILED", Behaviour(killed_after_seconds=10), notice_seconds=1, event_seconds=2),
    Scenario("silent", "FAILED", Behaviour(falls_silent=True)),
)
