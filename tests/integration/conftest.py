"""The template's tables and bucket in an embedded AWS, one for each test."""

from itertools import count
from types import ModuleType

import pytest
from botocore.client import BaseClient
from builders import a_key, a_tenant
from deployment import Deployment, deploy, embedded_aws
from fakes import SteppedClock
from functions import Api, LambdaContext, load_function

from outpost.adapters.dynamo_accounts import DynamoAccounts
from outpost.adapters.dynamo_runs import DynamoRuns

from .both import Ports, ports_in_memory, ports_on_tables

TENANT_NUMBERS = count(1)
FUNCTIONS = ("dispatch", "read", "account", "health", "operate", "broker", "finish")


def make_tenant(functions: dict[str, ModuleType], **changes) -> Api:
    """A tenant made through the operate function, and the API in the hands of its first key."""
    tenant_id = f"tenant-{next(TENANT_NUMBERS)}"
    event = {"operation": "create-tenant", "tenantId": tenant_id, "name": "A tenant"} | changes
    created = functions["operate"].handler(event, LambdaContext())
    return Api(tenant_id, created["data"]["apiKey"], functions)


@pytest.fixture
def credentials(monkeypatch) -> None:
    """Credentials that are good for nothing outside."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def deployment(credentials) -> Deployment:
    with embedded_aws():
        yield deploy()


@pytest.fixture
def dynamo_runs(deployment) -> DynamoRuns:
    """Runs of the tenant `acme`, which has its key."""
    accounts = DynamoAccounts(deployment.dynamodb, deployment.settings)
    assert accounts.create_tenant(a_tenant(), a_key(), [])
    return DynamoRuns(deployment.dynamodb, deployment.settings)


@pytest.fixture(params=["tables", "memory"])
def make_ports(request):
    """Makes the ports on the tables, or in memory: what holds for one has to hold for the other."""

    def make(*, plan=None, **limits) -> Ports:
        if request.param == "memory":
            return ports_in_memory(plan, **limits)
        return ports_on_tables(request.getfixturevalue("deployment"), plan, **limits)

    return make


@pytest.fixture
def ports(make_ports) -> Ports:
    return make_ports()


@pytest.fixture(scope="module")
def api_deployment() -> Deployment:
    """One deployment for a module of requests: tenants keep its tests apart, as they keep callers apart."""
    with pytest.MonkeyPatch.context() as patch, embedded_aws():
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
    return {name: load_function(name) for name in FUNCTIONS}


@pytest.fixture
def make_api(functions):
    """Makes a tenant, and gives the API in the hands of its first key."""
    return lambda **changes: make_tenant(functions, **changes)


@pytest.fixture
def api(make_api) -> Api:
    return make_api()


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def make_timed_api(api_deployment, clock, monkeypatch):
    """Makes a tenant in functions of its own, which have the test's clock, and settings as the test says."""

    def make(settings=None, **changes) -> Api:
        for name, value in (settings or {}).items():
            monkeypatch.setenv(name.upper(), str(value))
        functions = {name: load_function(name) for name in FUNCTIONS}
        for function in functions.values():
            function.wiring.clock = clock
        return make_tenant(functions, **changes)

    return make


@pytest.fixture
def calls(monkeypatch) -> list[str]:
    """The AWS operations that are called from now on."""
    made: list[str] = []
    call = BaseClient._make_api_call

    def record(client, operation, parameters):
        made.append(operation)
        return call(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", record)
    return made
