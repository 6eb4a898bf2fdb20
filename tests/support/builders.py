"""Data for tests: each builder gives a valid thing, and takes what the test is about."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from outpost.domain.admission import Allowance, Form
from outpost.domain.api_key import ApiKey, Caller, KeyStatus, Scope, hash_secret
from outpost.domain.event import Event, EventType
from outpost.domain.outcome import Evidence, StopCode, TaskState
from outpost.domain.plan import Plan, PlanKind, month_of
from outpost.domain.promotion import Promotion, PromotionReport, PromotionWish, PullRequest, new_promotion
from outpost.domain.report import Artifact, Report, ReportedOutcome, Result
from outpost.domain.run import Run, RunStatus
from outpost.domain.secret import Secret
from outpost.domain.size import Size
from outpost.domain.tenant import Tenant, TenantStatus
from outpost.domain.usage import Reservation
from outpost.domain.workspace import Snapshot, Workspace, WorkspaceUse
from outpost.ports import Admission, Terms

NOON = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)
SECRET = "otp_" + "a1" * 32
SMALL = Size(cpu_units=256, memory_mb=512)
CLAIM = "c" * 32
WORKSPACE = "01Q3ENHRG0WSWSWSWSWSWSWSWS"
TASK_ARN = "arn:aws:ecs:us-east-1:123456789012:task/outpost-dev/0123456789abcdef"


def later(**span: float) -> datetime:
    """A time after noon."""
    return NOON + timedelta(**span)


def a_run(**changes: Any) -> Run:
    """A run that was accepted at noon and waits for its runner."""
    run = Run(
        tenant_id="acme",
        run_id="01Q3ENHRG0ABCDEFGHJKMNPQRS",
        status=RunStatus.PENDING,
        agent="shell",
        model_id="none",
        task="echo hello",
        task_in_bucket=False,
        timeout_seconds=600,
        created_at=NOON,
        status_since=NOON,
        check_at=later(seconds=60),
        created_by="01Q3ENHRG0KEYKEYKEYKEYKEYK",
        api_url="https://api.example.com/dev",
        size=SMALL,
    )
    return replace(run, **changes)


def a_running_run(**changes: Any) -> Run:
    """A run that was claimed ten seconds after noon."""
    claimed = a_run().claimed(attempt=1, claim_id=CLAIM, task_arn=TASK_ARN, at=later(seconds=10))
    return replace(claimed, **changes)


def a_report(**changes: Any) -> Report:
    """A runner's report of success."""
    report = Report(
        attempt=1,
        outcome=ReportedOutcome.SUCCEEDED,
        exit_code=0,
        error=None,
        result=Result("done", 1, 2, 3, "a" * 40, "b" * 40),
        reported_at=later(seconds=60),
    )
    return replace(report, **changes)


def a_worked_run(**changes: Any) -> Run:
    """A run that has come to a good end, and left its work on a repository."""
    ended = {"status": RunStatus.COMPLETED, "status_since": later(seconds=70), "ended_at": later(seconds=70)}
    left = {"repo": "acme/app", "report": a_report(), "result": a_report().result}
    return a_running_run(**{**left, **ended, **changes})


def a_patch(**changes: Any) -> Artifact:
    """The patch of the run's work."""
    return replace(Artifact(1, "changes.patch", "patch", 10, "0" * 64, "text/x-diff"), **changes)


def a_promotion(**changes: Any) -> Promotion:
    """A promotion of the run that was asked for two minutes after noon."""
    made = new_promotion(
        "acme",
        a_run().run_id,
        PromotionWish(),
        api_url="https://api.example.com/dev",
        by=a_run().created_by,
        at=later(minutes=2),
    )
    return replace(made, **changes)


def taken(promotion: Promotion, at: datetime) -> Promotion:
    """The promotion, claimed by the task of its attempt."""
    return promotion.claimed(promotion.attempt, claim_id=CLAIM, task_arn=TASK_ARN, at=at)


def a_promotion_report(**changes: Any) -> PromotionReport:
    """A promotion task's report of success."""
    report = PromotionReport(
        branch=f"outpost/{a_run().run_id}",
        base_branch="main",
        commit="c" * 40,
        pull_request=PullRequest(7, "https://git.example.com/acme/app/pull/7", is_draft=False),
    )
    return replace(report, **changes)


def a_stopped_task(**changes: Any) -> TaskState:
    """The task of the run, which ended by itself with exit code 0."""
    task = TaskState(
        task_arn=TASK_ARN,
        tenant_id="acme",
        run_id=a_run().run_id,
        attempt=1,
        is_stopped=True,
        stop_code=StopCode.ESSENTIAL_CONTAINER_EXITED,
        stopped_reason="Essential container in task exited",
        exit_code=0,
        stopped_at=later(seconds=70),
    )
    return replace(task, **changes)


def a_snapshot(**changes: Any) -> Snapshot:
    """The tree that the run's first attempt packed."""
    return replace(Snapshot(a_run().run_id, 1, 4_096, "d" * 64, "a" * 40), **changes)


def a_workspace(**changes: Any) -> Workspace:
    """A workspace that was made at noon, that nobody has and that nothing was kept of yet."""
    workspace = Workspace("acme", WORKSPACE, NOON, NOON, later(days=30), "acme/site", "main")
    return replace(workspace, **changes)


def a_use(**changes: Any) -> WorkspaceUse:
    """The use of a workspace that there was before, kept for thirty days."""
    return replace(WorkspaceUse(WORKSPACE, keep_days=30, most_bytes=8_192), **changes)


def evidence_of(task: TaskState) -> Evidence:
    """Evidence that is the state of a task."""
    return Evidence(attempt=task.attempt, task=task)


def an_event(**changes: Any) -> Event:
    """The event of a run's acceptance."""
    event = Event("01Q3ENHRG0EVENTEVENTEVENTE", "acme", EventType.RUN_ACCEPTED, NOON, a_run().run_id)
    return replace(event, **changes)


def a_plan(**changes: Any) -> Plan:
    """A standard plan: ten runs at work, a hundred waiting, no other limit than a day for each."""
    return replace(Plan(PlanKind.STANDARD, 10, 100, 86_400, NOON), **changes)


def a_tenant(*, plan: Plan | None = None, **changes: Any) -> Tenant:
    """A tenant with room for ten runs."""
    return replace(Tenant("acme", "Acme", TenantStatus.ACTIVE, plan or a_plan(), NOON), **changes)


def a_key(**changes: Any) -> ApiKey:
    """The tenant's key, whose secret is SECRET, with every scope."""
    key = ApiKey(
        key_hash=hash_secret(SECRET),
        key_id="01Q3ENHRG0KEYKEYKEYKEYKEYK",
        tenant_id="acme",
        name="first key",
        prefix=SECRET[:15],
        scopes=frozenset(Scope),
        status=KeyStatus.ACTIVE,
        created_at=NOON,
        budget_key_id="01Q3ENHRG0KEYKEYKEYKEYKEYK",
    )
    return replace(key, **changes)


def a_caller(**changes: Any) -> Caller:
    """Who holds the tenant's key."""
    key = a_key()
    return replace(Caller(key, key.scopes), **changes)


def a_secret(**changes: Any) -> Secret:
    """The record of a secret that the tenant's key put at noon."""
    secret = Secret("acme", "DEPLOY_KEY", created_at=NOON, updated_at=NOON, updated_by=a_key().key_id)
    return replace(secret, **changes)


def terms_of(tenant: Tenant) -> Terms:
    """What a key of the tenant knows of its plan."""
    return Terms(tenant.plan, tenant.plan_revision)


def an_admission(**changes: Any) -> Admission:
    """The admission of a run that begins at once, with the key and the plan of the tenant."""
    admission = Admission(
        key_hash=a_key().key_hash,
        plan_revision=1,
        form=Form.LAUNCH,
        asked=Reservation("2030-01", 600, 1_665),
        allowances=(Allowance(month_of(NOON)),),
    )
    return replace(admission, **changes)


def an_ecs_task(**changes: Any) -> dict[str, Any]:
    """A stopped task as ECS sends it, camelCase."""
    task = {
        "taskArn": TASK_ARN,
        "clusterArn": "arn:aws:ecs:us-east-1:123456789012:cluster/outpost-dev",
        "lastStatus": "STOPPED",
        "desiredStatus": "STOPPED",
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "stoppedAt": "2030-01-01T12:01:10Z",
        "version": 7,
        "containers": [{"name": "runner", "lastStatus": "STOPPED", "exitCode": 0}],
        "overrides": {"containerOverrides": [{"name": "runner", "environment": run_environment()}]},
    }
    return task | changes


def run_environment(attempt: int = 1) -> list[dict[str, str]]:
    """The environment by which a task says whose run it is."""
    values = {"RUN_ID": a_run().run_id, "TENANT_ID": "acme", "ATTEMPT": str(attempt)}
    return [{"name": name, "value": value} for name, value in values.items()]


def in_pascal_case(value: Any) -> Any:
    """A payload with every name's first letter in upper case, as Step Functions shows it."""
    if isinstance(value, Mapping):
        return {name[0].upper() + name[1:]: in_pascal_case(inner) for name, inner in value.items()}
    return [in_pascal_case(inner) for inner in value] if isinstance(value, list) else value


def an_api_event(method: str, resource: str, **changes: Any) -> dict[str, Any]:
    """A request as API Gateway hands it to Lambda; `path_id`, `body`, `headers` and `query` say what is special."""
    path_id = changes.get("path_id", "")
    path = re.sub(r"\{\w+\}", lambda _: path_id, resource)
    query: dict[str, list[str]] = changes.get("query", {})
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"} | changes.get("headers", {})
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": dict.fromkeys(re.findall(r"\{(\w+)\}", resource), path_id) or None,
        "requestContext": {
            "requestId": "request-1",
            "stage": "dev",
            "domainName": "api.example.com",
            "resourcePath": resource,
            "httpMethod": method,
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": changes.get("body"),
        "isBase64Encoded": False,
    }
