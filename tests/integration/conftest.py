"""The template's tables and bucket in an embedded AWS, one for each test."""

import pytest
from builders import a_key, a_tenant
from deployment import Deployment, deploy
from moto import mock_aws

from outpost.adapters.dynamo_accounts import DynamoAccounts
from outpost.adapters.dynamo_runs import DynamoRuns


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
