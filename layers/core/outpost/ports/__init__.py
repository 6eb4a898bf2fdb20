"""What the use cases need of the world; the adapters have it on AWS, the tests in memory."""

from outpost.ports.accounts import Accounts, ApiKeys, KeyPage, Keyring, KeyUse, RateAllowance, Terms
from outpost.ports.batches import Batches
from outpost.ports.compute import AgentLogs, AliveTasks, Executions, ExecutionStatus, LogLine, LogPage, Tasks
from outpost.ports.files import Files, PresignedUrl
from outpost.ports.promotions import PromotionChangedMeanwhile, PromotionExecutions, Promotions, RequestedPromotion
from outpost.ports.runs import (
    Admission,
    Events,
    IdempotencyLock,
    NotAdmitted,
    RunChangedMeanwhile,
    RunExistsAlready,
    RunFilter,
    RunPage,
    Runs,
    SlotRefusal,
    SlotRefused,
    WorkForbidden,
)
from outpost.ports.secrets import GitHubApp, SecretPage, TenantSecrets, Vault
from outpost.ports.slots import Deployments, Queue, Slots
from outpost.ports.workspaces import WorkspacePage, Workspaces
from outpost.ports.world import Clock, Components, ComponentState, Identifiers, SigningKey

__all__ = [
    "Accounts",
    "Admission",
    "AgentLogs",
    "AliveTasks",
    "ApiKeys",
    "Batches",
    "Clock",
    "ComponentState",
    "Components",
    "Deployments",
    "Events",
    "ExecutionStatus",
    "Executions",
    "Files",
    "GitHubApp",
    "IdempotencyLock",
    "Identifiers",
    "KeyPage",
    "KeyUse",
    "Keyring",
    "LogLine",
    "LogPage",
    "NotAdmitted",
    "PresignedUrl",
    "PromotionChangedMeanwhile",
    "PromotionExecutions",
    "Promotions",
    "Queue",
    "RateAllowance",
    "RequestedPromotion",
    "RunChangedMeanwhile",
    "RunExistsAlready",
    "RunFilter",
    "RunPage",
    "Runs",
    "SecretPage",
    "SigningKey",
    "SlotRefusal",
    "SlotRefused",
    "Slots",
    "Tasks",
    "TenantSecrets",
    "Terms",
    "Vault",
    "WorkForbidden",
    "WorkspacePage",
    "Workspaces",
]
