"""GitHub's description of its pull requests, held against what is sent and answered."""

import json
from typing import Any

import jsonschema

from .github_schema import EXTRACT

DESCRIPTION: dict[str, Any] = json.loads(EXTRACT.read_text())
OPERATIONS = DESCRIPTION["operations"]
EXAMPLES = {"string": "text", "integer": 1, "number": 1, "boolean": False, "array": [], "null": None}
FORMATS = {"uri": "https://example.com/", "date-time": "2026-01-01T00:00:00Z"}


def find_faults(schema: dict[str, Any], value: object) -> list[str]:
    """What is wrong with the value, and where."""
    validator = jsonschema.Draft202012Validator({**schema, "components": DESCRIPTION["components"]})
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]


def make_example(schema: dict[str, Any]) -> Any:
    """The smallest value that the schema takes: of an object only what is required."""
    if "$ref" in schema:
        return make_example(DESCRIPTION["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return make_example(schema["anyOf"][-1])
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object" or "properties" in schema:
        return {name: make_example(schema["properties"][name]) for name in schema.get("required", [])}
    return FORMATS.get(schema.get("format", ""), EXAMPLES[schema["type"]])
