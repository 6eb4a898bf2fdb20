"""Checks what is sent, whole: every wrong field is named at once, in words for whoever sent it."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from outpost.api.errors import BodyMalformed
from outpost.domain.errors import FieldError, InputInvalid

Model = TypeVar("Model", bound=BaseModel)


class Body(BaseModel):
    """A JSON object with camelCase names, no others, and no value taken for another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _under_their_own_names_alone(cls, sent: Any) -> Any:
        """What was sent, as Python has it: pydantic's own reading of JSON passes over a field under its Python name."""
        return sent


class Query(BaseModel):
    """Query parameters: texts that stand for numbers and times, and no names that mean nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)


def parse_json(model: type[Model], body: str) -> Model:
    """The body as the model. Raises BodyMalformed, InputInvalid with every wrong field."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _refusal(error) from error


def parse_texts(model: type[Model], values: dict[str, str | list[str]]) -> Model:
    """Query parameters as the model. Raises InputInvalid with every wrong parameter."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _refusal(error) from error


def _refusal(error: ValidationError) -> BodyMalformed | InputInvalid:
    problems = error.errors(include_url=False, include_input=False)
    if any(problem["type"] == "json_invalid" for problem in problems):
        return BodyMalformed()
    return InputInvalid(tuple(FieldError(_path(problem["loc"]), _sentence(problem)) for problem in problems))


def _path(steps: tuple[int | str, ...]) -> str:
    """Where in the body it is; pydantic marks the name of a pair, as against its value, by a step of its own."""
    return ".".join(str(step) for step in steps if step != "[key]") or "body"


# pydantic's own sentences name its types; these name the caller's. In braces: the bound that was broken.
_SENTENCES = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} character",
    "string_too_long": "must have at most {max_length} characters",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entries",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "enum": "must be one of {expected}",
    "literal_error": "must be {expected}",
    "string_pattern_mismatch": "must match {pattern}",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "list_type": "must be a list",
    "timezone_aware": "must have a time zone",
    "value_error": "{error}",
}


def _sentence(problem: ErrorDetails) -> str:
    known = _SENTENCES.get(problem["type"])
    return known.format(**problem.get("ctx", {})) if known else problem["msg"].replace("Input should ", "must ", 1)
