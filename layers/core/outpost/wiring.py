"""The composition root: which adapter serves which port, each made at its first use."""

from functools import cached_property
from typing import TYPE_CHECKING, Self

import boto3
from botocore.config import Config

from outpost.adapters.aws import CONFIG
from outpost.adapters.aws_components import AwsComponents, WatchedDeployment
from outpost.adapters.cloudwatch_agent_logs import CloudWatchAgentLogs
from outpost.adapters.dynamo_accounts import DynamoAccounts
from outpost.adapters.dynamo_api_keys import DynamoApiKeys
from outpost.adapters.dynamo_batches import DynamoBatches
from outpost.adapters.dynamo_deployments import DynamoDeployments
from outpost.adapters.dynamo_events import DynamoEvents
from outpost.adapters.dynamo_keyring import DynamoKeyring
from outpost.adapters.dynamo_promotions import DynamoPromotions
from outpost.adapters.dynamo_queue import DynamoQueue
from outpost.adapters.dynamo_runs import DynamoRuns
from outpost.adapters.dynamo_secrets import DynamoTenantSecrets
from outpost.adapters.dynamo_slots import DynamoSlots
from outpost.adapters.dynamo_workspaces import DynamoWorkspaces
from outpost.adapters.ecs_tasks import EcsTasks
from outpost.adapters.github_app_tokens import GitHubAppTokens
from outpost.adapters.s3_files import S3Files
from outpost.adapters.secrets_signing_key import SecretsManagerSigningKey
from outpost.adapters.secrets_vault import SecretsManagerVault
from outpost.adapters.step_functions_executions import StepFunctionsExecutions
from outpost.adapters.step_functions_promotions import StepFunctionsPromotions
from outpost.adapters.system import SystemClock, UlidIdentifiers
from outpost.domain.admission import Form
from outpost.ports import Components
from outpost.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_stepfunctions import SFNClient


class Wiring:
    """The ports on AWS. A function pays at its start only for what it uses: clients are the slowest part of it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self.identifiers = UlidIdentifiers()
        self.full_tenants: dict[str, Form] = {}
        self._session = boto3.session.Session()

    @classmethod
    def from_environment(cls) -> Self:
        """The ports of this function, as its environment says."""
        return cls(Settings.from_environment())

    @cached_property
    def _dynamodb(self) -> "DynamoDBClient":
        return self._session.client("dynamodb", config=CONFIG)

    @cached_property
    def _step_functions(self) -> "SFNClient":
        return self._session.client("stepfunctions", config=CONFIG)

    @cached_property
    def _secrets_manager(self) -> "SecretsManagerClient":
        return self._session.client("secretsmanager", config=CONFIG)

    @cached_property
    def runs(self) -> DynamoRuns:
        return DynamoRuns(self._dynamodb, self.settings)

    @cached_property
    def events(self) -> DynamoEvents:
        return DynamoEvents(self._dynamodb, self.settings)

    @cached_property
    def workspaces(self) -> DynamoWorkspaces:
        return DynamoWorkspaces(self._dynamodb, self.settings)

    @cached_property
    def promotions(self) -> DynamoPromotions:
        return DynamoPromotions(self._dynamodb, self.settings)

    @cached_property
    def batches(self) -> DynamoBatches:
        return DynamoBatches(self._dynamodb, self.settings)

    @cached_property
    def slots(self) -> DynamoSlots:
        return DynamoSlots(self._dynamodb, self.settings)

    @cached_property
    def api_keys(self) -> DynamoApiKeys:
        return DynamoApiKeys(self._dynamodb, self.settings)

    @cached_property
    def keyring(self) -> DynamoKeyring:
        return DynamoKeyring(self._dynamodb, self.settings)

    @cached_property
    def deployments(self) -> DynamoDeployments:
        return DynamoDeployments(self._dynamodb, self.settings)

    @cached_property
    def queue(self) -> DynamoQueue:
        return DynamoQueue(self._dynamodb, self.settings)

    @cached_property
    def accounts(self) -> DynamoAccounts:
        return DynamoAccounts(self._dynamodb, self.settings)

    @cached_property
    def executions(self) -> StepFunctionsExecutions:
        return StepFunctionsExecutions(self._step_functions, self.settings)

    @cached_property
    def promotion_executions(self) -> StepFunctionsPromotions:
        return StepFunctionsPromotions(self._step_functions, self.settings)

    @cached_property
    def tasks(self) -> EcsTasks:
        return EcsTasks(self._session.client("ecs", config=CONFIG), self.settings)

    @cached_property
    def files(self) -> S3Files:

        # Presigned URLs name the region's own host: the global one redirects, and a redirect breaks the signature.
        config = CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
        return S3Files(self._session.client("s3", config=config), self.settings)

    @cached_property
    def agent_logs(self) -> CloudWatchAgentLogs:
        return CloudWatchAgentLogs(self._session.client("logs", config=CONFIG), self.settings)

    @cached_property
    def signing_key(self) -> SecretsManagerSigningKey:
        return SecretsManagerSigningKey(self._secrets_manager, self.settings)

    @cached_property
    def tenant_secrets(self) -> DynamoTenantSecrets:
        return DynamoTenantSecrets(self._dynamodb, self.settings)

    @cached_property
    def vault(self) -> SecretsManagerVault:
        return SecretsManagerVault(self._secrets_manager, self.settings, self.clock)

    @cached_property
    def github_app(self) -> GitHubAppTokens:
        return GitHubAppTokens(self.vault, self.settings, self.clock)

    @cached_property
    def watched_deployment(self) -> WatchedDeployment:
        return WatchedDeployment(self.deployments, self.clock)

    @cached_property
    def components(self) -> Components:
        return AwsComponents(self._dynamodb, self._step_functions, self.clock, self.settings)
