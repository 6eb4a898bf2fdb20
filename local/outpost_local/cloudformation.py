"""Makes the resources of a translated template in the embedded AWS."""

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.parsing import get_model_map, get_name_type_map

from outpost_local import cloudformation_models as models
from outpost_local.cloudformation_models import LocalResource, Made, Wanted
from outpost_local.embedded_aws import ACCOUNT_ID, REGION, EmbeddedAws
from outpost_local.template import Template

_MADE_BY_MOTO = frozenset(
    {
        "AWS::DynamoDB::Table",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::ECS::Cluster",
        "AWS::KMS::Alias",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
        "AWS::SSM::Parameter",
    }
)

_MADE_HERE: dict[str, Callable[[Wanted], Made]] = {
    "AWS::ApiGateway::RestApi": models.make_api,
    "AWS::ApiGateway::Stage": models.make_stage,
    "AWS::ECS::TaskDefinition": models.make_task_definition,
    "AWS::IAM::Role": models.make_role,
    "AWS::Lambda::Alias": models.make_function_version,
    "AWS::Lambda::Function": models.make_function,
    "AWS::Lambda::LayerVersion": models.make_layer,
    "AWS::Lambda::Version": models.make_function_version,
    "AWS::SecretsManager::Secret": models.make_secret,
    # Read by the local gateway, the event pumps and the clock.
    "AWS::Events::Rule": models.make_stand_in,
    "AWS::Lambda::EventInvokeConfig": models.make_stand_in,
    "AWS::Lambda::EventSourceMapping": models.make_stand_in,
    "AWS::Scheduler::Schedule": models.make_stand_in,
}

# Why nothing here needs them.
_NOT_NEEDED_LOCALLY = {
    "AWS::ApiGateway::Account": "access logs are not written",
    "AWS::ApiGateway::Deployment": "the gateway reads the template",
    "AWS::ApiGateway::GatewayResponse": "the gateway reads the template",
    "AWS::ApiGateway::UsagePlan": "the gateway does not throttle",
    "AWS::Budgets::Budget": "nothing costs anything",
    "AWS::CloudWatch::Alarm": "there are no metrics",
    "AWS::CloudWatch::CompositeAlarm": "there are no metrics",
    "AWS::CloudWatch::Dashboard": "there are no metrics",
    "AWS::CodeDeploy::Application": "there is one version",
    "AWS::CodeDeploy::DeploymentGroup": "there is one version",
    "AWS::ECR::Repository": "tasks are processes, not images",
    "AWS::IAM::ManagedPolicy": "permissions are not enforced",
    "AWS::IAM::Policy": "permissions are not enforced",
    "AWS::Lambda::Permission": "permissions are not enforced",
    "AWS::Logs::MetricFilter": "there are no metrics",
    "AWS::S3::BucketPolicy": "permissions are not enforced",
    "AWS::SNS::Subscription": "nobody is notified",
    "AWS::SNS::TopicPolicy": "permissions are not enforced",
    "AWS::SQS::QueuePolicy": "permissions are not enforced",
    "AWS::WAFv2::WebACL": "nobody but this machine can call",
    "AWS::WAFv2::WebACLAssociation": "nobody but this machine can call",
}


class UnsupportedResource(Exception):
    """The template has a resource that the local stack does not know what to do with."""


@dataclass(frozen=True)
class DeployedResource:
    """A resource as it came to be; properties and attributes only of what was made here."""

    logical_id: str
    resource_type: str
    physical_id: str
    properties: dict[str, Any]
    attributes: dict[str, str]


@dataclass(frozen=True)
class Deployment:
    """The resources that exist, and the stack's outputs."""

    resources: dict[str, DeployedResource]
    outputs: dict[str, str]

    def of_type(self, resource_type: str) -> list[DeployedResource]:
        return [resource for resource in self.resources.values() if resource.resource_type == resource_type]


def deploy_template(template: Template, parameters: dict[str, str], aws: EmbeddedAws) -> Deployment:
    """Raises UnsupportedResource before anything is made."""
    declared: dict[str, Any] = template.cloudformation["Resources"]
    _refuse_unsupported(declared)
    makers = {
        **dict.fromkeys(_NOT_NEEDED_LOCALLY, models.make_stand_in),
        **_MADE_HERE,
        "AWS::StepFunctions::StateMachine": functools.partial(models.make_state_machine, folder=template.folder),
    }
    aws.patches.set_attribute(LocalResource, "makers", makers)
    for resource_type in makers:
        aws.patches.set_entry(get_model_map(), resource_type, LocalResource)
        aws.patches.set_entry(get_name_type_map(), resource_type, "")
    backend = cloudformation_backends[ACCOUNT_ID][REGION]
    values = {name: str(value.get("Default", "")) for name, value in _parameters_of(template).items()} | parameters
    stack = backend.create_stack("outpost-local", json.dumps(template.cloudformation), values)
    made = {name: stack.resource_map[name] for name in declared}
    resources = {name: _describe(name, declared[name]["Type"], item) for name, item in made.items() if item is not None}
    return Deployment(resources, {output.key: str(output.value) for output in stack.output_map.values() if output})


def _parameters_of(template: Template) -> dict[str, Any]:
    parameters: dict[str, Any] = template.cloudformation.get("Parameters", {})
    return parameters


def _refuse_unsupported(declared: dict[str, Any]) -> None:
    known = _MADE_BY_MOTO | _MADE_HERE.keys() | _NOT_NEEDED_LOCALLY.keys() | {"AWS::StepFunctions::StateMachine"}
    unknown = sorted({f"{name} ({item['Type']})" for name, item in declared.items() if item["Type"] not in known})
    if unknown:
        raise UnsupportedResource(
            f"The local stack does not know {', '.join(unknown)}. Bridge the type or list it as not needed "
            "in outpost_local/cloudformation.py."
        )


def _describe(logical_id: str, resource_type: str, item: Any) -> DeployedResource:
    made_here = isinstance(item, LocalResource)
    properties = item.wanted.properties if made_here else {}
    attributes = item.made.attributes if made_here else {}
    return DeployedResource(logical_id, resource_type, str(item.physical_resource_id), properties, attributes)
