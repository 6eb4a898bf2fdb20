"""Reads a SAM template and turns it into the CloudFormation template that a deployment would send."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.utils.py27hash_fix import to_py27_compatible_template, undo_mark_unicode_str_in_template
from samtranslator.yaml_helper import yaml_parse

# Where a deployment would have uploaded code and definitions; here the keys name folders beside the template.
LOCAL_BUCKET = "local"

_LOCATION_PROPERTIES = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}


@dataclass(frozen=True)
class FunctionSource:
    """Where a function's code lies."""

    logical_id: str
    folder: Path


@dataclass(frozen=True)
class ApiRoute:
    """One Api event of a function; method is upper case or ANY."""

    logical_id: str
    method: str
    path: str


@dataclass(frozen=True)
class GatewayResponse:
    """What the API answers by itself, where the template says more than the default; values as written there."""

    response_type: str
    status_code: int | None
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Template:
    """A template after translation, and what the translation no longer shows."""

    folder: Path
    cloudformation: dict[str, Any]
    functions: tuple[FunctionSource, ...]
    layers: tuple[Path, ...]
    routes: tuple[ApiRoute, ...]
    gateway_responses: tuple[GatewayResponse, ...]


def read_template(path: Path, parameters: dict[str, str], region: str) -> Template:
    """Raises samtranslator's InvalidDocumentException for a template that SAM would refuse."""
    document: dict[str, Any] = yaml_parse(path.read_text(encoding="utf-8"))
    resources: dict[str, Any] = document["Resources"]
    functions = {name: item for name, item in resources.items() if item["Type"] == "AWS::Serverless::Function"}
    sources = tuple(
        FunctionSource(name, path.resolve().parent / item["Properties"]["CodeUri"]) for name, item in functions.items()
    )
    layers = tuple(
        path.resolve().parent / item["Properties"]["ContentUri"]
        for item in resources.values()
        if item["Type"] == "AWS::Serverless::LayerVersion"
    )
    routes = tuple(route for name, item in functions.items() for route in _read_routes(name, item["Properties"]))
    responses = tuple(_read_gateway_responses(resources))
    return Template(path.resolve().parent, _translate(document, parameters, region), sources, layers, routes, responses)


def _read_routes(logical_id: str, properties: dict[str, Any]) -> list[ApiRoute]:
    events = [event["Properties"] for event in properties.get("Events", {}).values() if event["Type"] == "Api"]
    return [ApiRoute(logical_id, str(event["Method"]).upper(), str(event["Path"])) for event in events]


def _read_gateway_responses(resources: dict[str, Any]) -> list[GatewayResponse]:
    found: list[GatewayResponse] = []
    for resource in resources.values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Api":
            for response_type, answer in properties.get("GatewayResponses", {}).items():
                found.append(_read_gateway_response(response_type, answer))
        if resource["Type"] == "AWS::ApiGateway::GatewayResponse":
            headers = {
                name.removeprefix("gatewayresponse.header."): value
                for name, value in properties.get("ResponseParameters", {}).items()
            }
            found.append(
                _read_gateway_response(
                    properties["ResponseType"], {**properties, "ResponseParameters": {"Headers": headers}}
                )
            )
    return found


def _read_gateway_response(response_type: str, answer: dict[str, Any]) -> GatewayResponse:
    status = answer.get("StatusCode")
    headers = answer.get("ResponseParameters", {}).get("Headers", {})
    body = answer.get("ResponseTemplates", {}).get("application/json", '{"message":$context.error.messageString}')
    return GatewayResponse(response_type, None if status is None else int(status), headers, body)


def _translate(document: dict[str, Any], parameters: dict[str, str], region: str) -> dict[str, Any]:
    for name, resource in document["Resources"].items():
        location = _LOCATION_PROPERTIES.get(resource["Type"])
        if location is not None:
            folder = resource["Properties"].get(location, name)
            resource["Properties"][location] = {"Bucket": LOCAL_BUCKET, "Key": str(folder)}
    values: dict[str, Any] = dict(parameters)
    to_py27_compatible_template(document, values)
    translator = Translator(None, Parser(), boto_session=boto3.session.Session(region_name=region))
    # Managed policies by short name would be looked up in IAM; nothing here enforces them.
    translated = translator.translate(document, parameter_values=values, get_managed_policy_map=dict)
    result: dict[str, Any] = undo_mark_unicode_str_in_template(translated)
    return result
