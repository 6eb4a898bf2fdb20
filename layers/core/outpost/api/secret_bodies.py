"""What callers may send about their own secrets."""

from typing import Annotated

from pydantic import Field

from outpost.api.parsing import Body, Query
from outpost.api.queries import WholeNumber
from outpost.domain.secret import LEAST_CHARACTERS, MOST_CHARACTERS

# What a value has to be depends on the name in the path: the domain checks both at once.
SecretValue = Annotated[
    str, Field(repr=False, json_schema_extra={"minLength": LEAST_CHARACTERS, "maxLength": MOST_CHARACTERS})
]


class PutSecretBody(Body):
    """PUT /secrets/{name}."""

    value: SecretValue


class SecretsQuery(Query):
    """GET /secrets."""

    limit: Annotated[WholeNumber, Field(ge=1, le=100)] = 20
    cursor: str | None = None
