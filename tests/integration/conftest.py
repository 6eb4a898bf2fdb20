"""The template's tables and bucket in an embedded AWS, one for each test."""

from itertools import count
from types import ModuleType

import pytest
from builders import a_key, a_tenant
from deployment import Deployment, deploy
from functions import Api, LambdaContext, load_function
from moto import mock_aws

from outpost.adapters.dynamo_accounts import DynamoAccounts
from outpost.adapters.dynamo_runs import DynamoRuns

TENANT_NUMBERS = count(1)


@pytest.fixture
def credentials(monkeypatch) -> None:
    """Credentials that are good for nothing outside."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def deployment(credentials) -> Deployment:
    with mock_aws():
        yield deploy()


@pytest.fixture
def dynamo_runs(deployment) -> DynamoRuns:
    """Runs of the tenant `acme`, which has its key."""
    accounts = DynamoAccounts(deployment.dynamodb, deployment.settings)
    assert accounts.create_tenant(a_tenant(), a_key(), [])
    return DynamoRuns(deployment.dynamodb, deployment.settings)


@pytest.fixture(scope="module")
def api_deployment() -> Deployment:
    """One deployment for a module of requests: tenants keep its tests apart, as they keep callers apart."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        made = deploy()
        for name, value in vars(made.settings).items():
            patch.setenv(name.upper(), str(value))
        yield made


@pytest.fixture(scope="module")
def functions(api_deployment) -> dict[str, ModuleType]:
    """Every function, loaded once as in a warm environment."""
    return {name: load_function(name) for name in ("dispatch", "read", "health", "operate", "broker")}


@pytest.fixture
def make_api(functions):
    """Makes a tenant through the operate function, and gives the API in the hands of its first key."""

    def make(**changes) -> Api:
        tenant_id = f"tenant-{next(TENANT_NUMBERS)}"
        event = {"operation": "create-tenant", "tenantId": tenant_id, "name": "A tenant"} | changes
        created = functions["operate"].handler(event, LambdaContext())
        return Api(tenant_id, created["apiKey"], functions)

    return make


@pytest.fixture
def api(make_api) -> Api:
    return make_api()
