"""The kill switch: while it is on, no work begins; of one tenant, or of the whole deployment."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class KillSwitch:
    """A switch that is on: why, since when, by whose hand (a key's id or `operator`), and whether it ends what runs."""

    reason: str
    set_at: datetime
    set_by: str
    stop_running: bool = False
