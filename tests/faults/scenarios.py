"""The scenarios, each of which makes the calls that the injector then lets fail."""

from dataclasses import dataclass, field

from .runner import Behaviour

LONG_TASK = "echo hello # " + "x" * 20_000


@dataclass(frozen=True)
class Scenario:
    """What is asked of the platform, and how its compute fares.

    `expected` is the run's end, or several with " or " between them. `blocked_seconds` is for how long another run
    holds the tenant's only slot.
    """

    name: str
    expected: str
    behaviour: Behaviour = field(default_factory=Behaviour)
    task: str = "echo hello"
    timeout_seconds: int = 600
    cancel_after_seconds: float | None = None
    refused_launches: int = 0
    hosts_lost_after: tuple[float | None, ...] = ()
    first_sweep_seconds: float = 85
    notice_seconds: float = 2
    event_seconds: float = 1
    blocked_seconds: float | None = None
    queue_timeout_seconds: int = 3_600


QUEUED = Scenario("queued", "COMPLETED", Behaviour(works_seconds=10), blocked_seconds=20)
CANCELLED_IN_THE_QUEUE = Scenario(
    "cancel in the queue", "CANCELLED", cancel_after_seconds=10, blocked_seconds=40, queue_timeout_seconds=120
)
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
    QUEUED,
    CANCELLED_IN_THE_QUEUE,
    Scenario("queue timeout", "TIMEOUT", blocked_seconds=100, queue_timeout_seconds=60),
    # The slot is given after Step Functions has ended the wait, and before the run is recorded as TIMEOUT.
    Scenario(
        "slot and queue timeout at once",
        "COMPLETED or TIMEOUT",
        Behaviour(works_seconds=10),
        blocked_seconds=61,
        queue_timeout_seconds=60,
    ),
)
