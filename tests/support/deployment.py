"""The tables, bucket, machine and settings of the template, made in an embedded AWS for adapter tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import yaml
from botocore.loaders import Loader, create_loader
from moto import mock_aws

from outpost.settings import Settings
from outpost_local.dynamodb_answers import bridge_answers
from outpost_local.dynamodb_transactions import bridge_transactions
from outpost_local.patching import Patches

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
ACCOUNT = "123456789012"
SIGNING_KEY = "a-signing-key-for-tests"


class _TemplateLoader(yaml.SafeLoader):
    """Reads CloudFormation's short functions as plain one-key maps."""


def _short_function(loader: _TemplateLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".") if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


_TemplateLoader.add_multi_constructor("!", _short_function)


def read_template() -> dict[str, Any]:
    """The template with its short functions spelled out."""
    return deepcopy(_parsed_template())


@cache
def _parsed_template() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), Loader=_TemplateLoader)  # noqa: S506
    return loaded


def make_settings(**changes: object) -> Settings:
    """Settings as the template would give them in `dev`."""
    arn = f"arn:aws:{{}}:{REGION}:{ACCOUNT}:"
    values: dict[str, Any] = {
        "environment": "dev",
        "version": "1.2.3",
        "git_sha": "0" * 40,
        "build_time": "2030-01-01T00:00:00Z",
        "api_url": "",
        "git_base_url": "https://git.example.com",
        "git_api_url": "https://api.git.example.com",
        "jobs_table": "outpost-jobs-dev",
        "api_keys_table": "outpost-api-keys-dev",
        "tenants_table": "outpost-tenants-dev",
        "workspaces_table": "outpost-workspaces-dev",
        "audit_table": "outpost-audit-dev",
        "artifacts_bucket": f"outpost-artifacts-dev-{ACCOUNT}",
        "signing_key_secret": "outpost/signing-key-dev",
        "cluster_arn": arn.format("ecs") + "cluster/outpost-dev",
        "state_machine_arn": arn.format("states") + "stateMachine:outpost-run-agent-dev",
        "promotion_machine_arn": arn.format("states") + "stateMachine:outpost-promote-run-dev",
        "agent_log_group_prefix": "/outpost/dev/agents/",
        "concurrent_runs": 10,
        "queued_runs": 100,
        "deployment_runs": 100,
        "longest_timeout_seconds": 86_400,
        "run_budget_usd": 10.0,
        "trial_days": 14,
        "trial_dispatches": 50,
        "trial_agent_minutes": 500,
        "trial_workspaces": 20,
        "requests_per_minute": 600,
    }
    return Settings(**(values | changes))


@dataclass(frozen=True)
class Deployment:
    """Clients of the embedded AWS, and the settings that fit what was made there."""

    settings: Settings
    dynamodb: Any
    s3: Any
    states: Any
    ecs: Any
    logs: Any
    secrets: Any


@cache
def _shared_loader(_search_path: str | None = None) -> Loader:
    return create_loader()


@contextmanager
def embedded_aws() -> Iterator[None]:
    """moto in this process, with transactions that cost what their own items cost."""
    patches = Patches()
    bridge_transactions(patches)
    bridge_answers(patches)
    # Each test has sessions of its own, and each session would read the descriptions of AWS anew: a third of all time.
    patches.set_attribute(botocore.session, "create_loader", _shared_loader)
    try:
        with mock_aws():
            yield
    finally:
        patches.undo()


def deploy() -> Deployment:
    """Make what the adapters need, the tables exactly as the template describes them."""
    settings = make_settings()
    names = ("dynamodb", "s3", "stepfunctions", "ecs", "logs", "secretsmanager")
    deployment = Deployment(settings, *(boto3.client(name, region_name=REGION) for name in names))
    for resource in read_template()["Resources"].values():
        if resource["Type"] == "AWS::DynamoDB::Table":
            _make_table(deployment.dynamodb, resource["Properties"])
    deployment.s3.create_bucket(Bucket=settings.artifacts_bucket)
    deployment.secrets.create_secret(Name=settings.signing_key_secret, SecretString=SIGNING_KEY)
    deployment.ecs.create_cluster(clusterName="outpost-dev")
    for machine in ("run-agent", "promote-run"):
        deployment.states.create_state_machine(
            name=f"outpost-{machine}-dev",
            definition='{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": true}}}',
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/unused",
        )
    return deployment


def _make_table(dynamodb: Any, properties: dict[str, Any]) -> None:
    asked = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    name = properties["TableName"]["Fn::Sub"].replace("${Env}", "dev")
    dynamodb.create_table(TableName=name, **{key: properties[key] for key in asked if key in properties})
