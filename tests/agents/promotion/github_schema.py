"""Cuts the pull requests' schemas out of GitHub's published description of its API.

    npm pack @octokit/openapi
    python tests/agents/promotion/github_schema.py octokit-openapi-*.tgz

The description is data from outside, under its own licence, which the extract repeats. What no validator needs is
dropped; what OpenAPI says in its own words (`nullable`) is said in those of JSON Schema.
"""

import json
import sys
import tarfile
from pathlib import Path

EXTRACT = Path(__file__).parent / "github_pulls.schema.json"
PATH = "/repos/{owner}/{repo}/pulls"
OPERATIONS = {"pulls/list": "get", "pulls/create": "post"}
JSON_TYPE = "application/json"
DROPPED = {"description", "title", "example", "examples", "externalDocs", "deprecated", "x-github", "nullable"}
# Below these are names that the API gives, which may be those of keywords.
NAMED = {"properties", "schemas"}


def extract(package: Path) -> dict:
    with tarfile.open(package) as archive:
        about = json.load(archive.extractfile("package/package.json"))
        licence = archive.extractfile("package/LICENSE").read().decode()
        whole = json.load(archive.extractfile("package/generated/api.github.com.json"))
    operations = {name: read_operation(whole, whole["paths"][PATH][verb]) for name, verb in OPERATIONS.items()}
    schemas = {}
    gather(whole, operations, schemas)
    source = {"package": about["name"], "version": about["version"], "license": about["license"], "notice": licence}
    return simplify({"source": source, "operations": operations, "components": {"schemas": schemas}})


def read_operation(whole: dict, operation: dict) -> dict:
    parameters = [follow(whole, parameter) for parameter in operation["parameters"]]
    body = operation.get("requestBody")
    answers = {status: follow(whole, answer).get("content") for status, answer in operation["responses"].items()}
    return {
        "query": {
            "type": "object",
            "properties": {each["name"]: each["schema"] for each in parameters if each["in"] == "query"},
            "additionalProperties": False,
        },
        "body": None if body is None else body["content"][JSON_TYPE]["schema"],
        "answers": {status: content[JSON_TYPE]["schema"] for status, content in answers.items() if content},
    }


def follow(whole: dict, node: dict) -> dict:
    for part in node.get("$ref", "").split("/")[1:]:
        node = whole if part == "components" else node
        node = node[part]
    return node


def gather(whole: dict, node: object, schemas: dict) -> None:
    """Every schema that is referred to, into `schemas` by its name."""
    if isinstance(node, dict):
        name = node.get("$ref", "").rpartition("/")[2] if isinstance(node.get("$ref"), str) else ""
        if name and name not in schemas:
            schemas[name] = follow(whole, node)
            gather(whole, schemas[name], schemas)
        node = [value for key, value in node.items() if key not in DROPPED]
    for child in node if isinstance(node, list) else []:
        gather(whole, child, schemas)


def simplify(node: object, *, holds_names: bool = False) -> object:
    if isinstance(node, list):
        return [simplify(child) for child in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: simplify(child, holds_names=key in NAMED and not holds_names)
        for key, child in node.items()
        if holds_names or key not in DROPPED
    }
    return {"anyOf": [kept, {"type": "null"}]} if node.get("nullable") is True and not holds_names else kept


if __name__ == "__main__":
    EXTRACT.write_text(json.dumps(extract(Path(sys.argv[1])), indent=1, sort_keys=True) + "\n")
