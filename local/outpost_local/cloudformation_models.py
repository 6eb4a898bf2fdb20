"""Resources that moto's CloudFormation does not make, or not as this stack needs them."""

import json
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from moto.core.common_models import CloudFormationModel
from moto.core.utils import pascal_to_camelcase, remap_nested_keys
from moto.ecs.models import ecs_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends


@dataclass(frozen=True)
class Wanted:
    """What CloudFormation asks for: a resource with every reference resolved."""

    logical_id: str
    resource_type: str
    name: str
    properties: dict[str, Any]
    account_id: str
    region: str


@dataclass(frozen=True)
class Made:
    """What Ref and GetAtt answer."""

    reference: str
    attributes: dict[str, str]


class LocalResource(CloudFormationModel):  # type: ignore[misc] # moto is untyped
    """A resource made here; moto's CloudFormation only keeps it and reads its attributes."""

    makers: dict[str, Callable[[Wanted], Made]] = {}  # noqa: RUF012 - filled by the deployment, class-wide by moto's design

    def __init__(self, wanted: Wanted, made: Made) -> None:
        self.wanted = wanted
        self.made = made

    @property
    def physical_resource_id(self) -> str:
        return self.made.reference

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        return "Local::Resource"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return bool(attr)

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **facts: Any
    ) -> "LocalResource":
        resource_type = cloudformation_json["Type"]
        properties = cloudformation_json["Properties"]
        wanted = Wanted(facts["LogicalId"], resource_type, resource_name, properties, account_id, region_name)
        return cls(wanted, cls.makers[resource_type](wanted))

    def get_cfn_attribute(self, attribute_name: str) -> str:
        try:
            return self.made.attributes[attribute_name]
        except KeyError:
            raise LookupError(
                f"{self.wanted.resource_type} {self.wanted.logical_id} has no {attribute_name} on the local stack."
            ) from None

    def is_created(self) -> bool:
        return True


def make_stand_in(wanted: Wanted) -> Made:
    """A name and an ARN for what nothing here needs to exist."""
    service = wanted.resource_type.split("::")[1].lower()
    name = str(wanted.properties.get("Name") or wanted.name)
    arn = f"arn:aws:{service}:{wanted.region}:{wanted.account_id}:{name}"
    return Made(name, {"Arn": arn, "Id": name})


def make_role(wanted: Wanted) -> Made:
    name = str(wanted.properties.get("RoleName") or wanted.name)
    return Made(name, {"Arn": f"arn:aws:iam::{wanted.account_id}:role/{name}", "RoleId": name})


def make_api(_: Wanted) -> Made:
    api_id = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(10))
    return Made(api_id, {"RootResourceId": "root", "RestApiId": api_id})


def make_stage(wanted: Wanted) -> Made:
    return Made(str(wanted.properties["StageName"]), {})


def make_function(wanted: Wanted) -> Made:
    name = str(wanted.properties.get("FunctionName") or wanted.name)
    return Made(name, {"Arn": f"arn:aws:lambda:{wanted.region}:{wanted.account_id}:function:{name}"})


def make_function_version(wanted: Wanted) -> Made:
    """Of a version or an alias: there is one version here, so both mean the function itself."""
    name = str(wanted.properties["FunctionName"]).rsplit(":", 1)[-1]
    arn = f"arn:aws:lambda:{wanted.region}:{wanted.account_id}:function:{name}"
    qualifier = str(wanted.properties.get("Name", "1"))
    return Made(
        f"{arn}:{qualifier}", {"Version": "1", "FunctionArn": f"{arn}:{qualifier}", "AliasArn": f"{arn}:{qualifier}"}
    )


def make_layer(wanted: Wanted) -> Made:
    arn = f"arn:aws:lambda:{wanted.region}:{wanted.account_id}:layer:{wanted.name}:1"
    return Made(arn, {"Arn": arn, "LayerVersionArn": arn})


def make_secret(wanted: Wanted) -> Made:
    name = str(wanted.properties.get("Name") or wanted.name)
    generate = wanted.properties.get("GenerateSecretString")
    value = str(wanted.properties.get("SecretString", "")) if generate is None else _generate_secret(generate)
    backend = secretsmanager_backends[wanted.account_id][wanted.region]
    created = backend.create_secret(name, value, None, wanted.properties.get("Description"), [], None, None, [], False)
    arn = str((json.loads(created) if isinstance(created, str) else created)["ARN"])
    return Made(arn, {"Arn": arn, "Id": arn})


def _generate_secret(wish: dict[str, Any]) -> str:
    alphabet = "".join(
        characters
        for characters, excluded in [
            (string.ascii_lowercase, wish.get("ExcludeLowercase")),
            (string.ascii_uppercase, wish.get("ExcludeUppercase")),
            (string.digits, wish.get("ExcludeNumbers")),
            (string.punctuation, wish.get("ExcludePunctuation")),
            (" ", not wish.get("IncludeSpace")),
        ]
        if not excluded
    )
    allowed = [character for character in alphabet if character not in wish.get("ExcludeCharacters", "")]
    password = "".join(secrets.choice(allowed) for _ in range(int(wish.get("PasswordLength", 32))))
    if "GenerateStringKey" not in wish:
        return password
    return json.dumps({**json.loads(wish.get("SecretStringTemplate", "{}")), wish["GenerateStringKey"]: password})


def make_task_definition(wanted: Wanted) -> Made:
    """moto's own drops the sizes, the roles and the network mode."""
    camel = {
        pascal_to_camelcase(name): remap_nested_keys(value, pascal_to_camelcase)
        for name, value in wanted.properties.items()
    }
    definition = ecs_backends[wanted.account_id][wanted.region].register_task_definition(
        family=camel.get("family", wanted.name),
        container_definitions=camel["containerDefinitions"],
        volumes=camel.get("volumes"),
        network_mode=camel.get("networkMode"),
        requires_compatibilities=camel.get("requiresCompatibilities"),
        cpu=camel.get("cpu"),
        memory=camel.get("memory"),
        task_role_arn=camel.get("taskRoleArn"),
        execution_role_arn=camel.get("executionRoleArn"),
        runtime_platform=camel.get("runtimePlatform"),
        ephemeral_storage=camel.get("ephemeralStorage"),
    )
    return Made(definition.arn, {"TaskDefinitionArn": definition.arn})


def make_state_machine(wanted: Wanted, folder: Path) -> Made:
    """Substitutes in the text, as CloudFormation does, and only then reads the YAML or JSON."""
    location = wanted.properties.get("DefinitionS3Location")
    text = (folder / location["Key"]).read_text("utf-8") if location else wanted.properties["DefinitionString"]
    for name, value in wanted.properties.get("DefinitionSubstitutions", {}).items():
        text = text.replace("${" + name + "}", str(value))
    backend = stepfunctions_parser_backends[wanted.account_id][wanted.region]
    name = str(wanted.properties.get("StateMachineName") or wanted.name)
    definition = json.dumps(yaml.safe_load(text), ensure_ascii=False)
    machine = backend.create_state_machine(name, definition, str(wanted.properties["RoleArn"]), tags=[])
    return Made(machine.arn, {"Arn": machine.arn, "Name": name, "StateMachineRevisionId": "1"})
