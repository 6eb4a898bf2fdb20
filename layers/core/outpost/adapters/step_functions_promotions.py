"""Executions of promotions in Step Functions."""

import json
from typing import TYPE_CHECKING

from outpost.adapters.step_functions_executions import execution_status, start_execution, stop_execution
from outpost.domain.promotion import TASK_SECONDS, Promotion
from outpost.ports import ExecutionStatus
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class StepFunctionsPromotions:
    """Executions of the machine PromoteRun."""

    def __init__(self, client: "SFNClient", settings: Settings) -> None:
        self._client = client
        self._machine_arn = settings.promotion_machine_arn

    def start(self, promotion: Promotion, bootstrap_token: str) -> None:
        given = json.dumps(
            {
                "runId": promotion.run_id,
                "tenantId": promotion.tenant_id,
                "attempt": promotion.attempt,
                "apiUrl": promotion.api_url,
                "taskSeconds": TASK_SECONDS,
                "bootstrapToken": bootstrap_token,
            },
            sort_keys=True,
        )
        start_execution(self._client, self._machine_arn, _name(promotion), given)

    def stop(self, promotion: Promotion, *, error: str, cause: str) -> None:
        stop_execution(self._client, self._machine_arn, _name(promotion), error=error, cause=cause)

    def status(self, promotion: Promotion) -> ExecutionStatus | None:
        return execution_status(self._client, self._machine_arn, _name(promotion))


def _name(promotion: Promotion) -> str:
    return f"{promotion.run_id}-{promotion.attempt}"
