"""What answers without a key are made of, asked of AWS at most every ten seconds."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from outpost.adapters.aws import unavailable_if_it_fails
from outpost.domain.deployment import Deployment
from outpost.domain.errors import Unavailable
from outpost.ports import Clock, ComponentState, Deployments
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_stepfunctions import SFNClient

# /health needs no key: a flood of it is not to become a flood of calls.
KEEP = timedelta(seconds=10)


class WatchedDeployment:
    """The deployment's switches and breakers, for answers that need no key."""

    def __init__(self, deployments: Deployments, clock: Clock) -> None:
        self._deployments = deployments
        self._clock = clock
        self._known: tuple[datetime, Deployment] | None = None

    def get(self) -> Deployment:
        """What it was at most ten seconds ago."""
        now = self._clock.now()
        if self._known is None or now - self._known[0] >= KEEP:
            self._known = (now, self._deployments.get())
        return self._known[1]


class AwsComponents:
    """The tables and the state machine."""

    def __init__(self, dynamodb: "DynamoDBClient", states: "SFNClient", clock: Clock, settings: Settings) -> None:
        self._dynamodb = dynamodb
        self._states = states
        self._clock = clock
        self._settings = settings
        self._known: tuple[datetime, dict[str, ComponentState]] | None = None

    def states(self) -> dict[str, ComponentState]:
        now = self._clock.now()
        if self._known is None or now - self._known[0] >= KEEP:
            self._known = (now, {"tables": self._tables(), "stateMachine": self._state_machine()})
        return self._known[1]

    def _tables(self) -> ComponentState:
        try:
            with unavailable_if_it_fails():
                status = self._dynamodb.describe_table(TableName=self._settings.jobs_table)["Table"]["TableStatus"]
        except Unavailable:
            return ComponentState.DOWN
        return ComponentState.OK if status == "ACTIVE" else ComponentState.DEGRADED

    def _state_machine(self) -> ComponentState:
        try:
            with unavailable_if_it_fails():
                machine = self._states.describe_state_machine(stateMachineArn=self._settings.state_machine_arn)
        except Unavailable:
            return ComponentState.DOWN
        return ComponentState.OK if machine["status"] == "ACTIVE" else ComponentState.DOWN
