"""Where the stack on this machine has its AWS: a private file that `outpost local up` keeps while it runs."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from outpost_cli.errors import UsageRefused
from outpost_cli.json_fields import FieldMismatch, as_object, read_text
from outpost_cli.private_file import PrivateFile, locate_folder

ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL"
KEY_ID_VARIABLE = "AWS_ACCESS_KEY_ID"
SECRET_VARIABLE = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a variable
REGION_VARIABLE = "AWS_DEFAULT_REGION"
VARIABLES = (ENDPOINT_VARIABLE, KEY_ID_VARIABLE, SECRET_VARIABLE, REGION_VARIABLE)
HOW_TO_START = "Start the stack with `outpost local up`, in another terminal."


@dataclass(frozen=True, slots=True)
class LocalAwsFile:
    """The variables with which a program finds the AWS of the local stack that came up last, as JSON."""

    file: PrivateFile

    @classmethod
    def locate(cls, environment: Mapping[str, str] = os.environ) -> "LocalAwsFile":
        return cls(PrivateFile(path=locate_folder(environment) / "local-aws.json", noun="local stack's file"))

    def read(self) -> dict[str, str]:
        """Raises UsageRefused when no stack is up."""
        content = self.file.read()
        if content is None:
            raise UsageRefused("No stack is up on this machine.", remedy=HOW_TO_START)
        try:
            document = as_object(self.file.noun, json.loads(content))
            return {name: read_text(document, name) for name in VARIABLES}
        except (ValueError, FieldMismatch) as error:
            raise UsageRefused(f"The {self.file.noun} {self.file.path} is not valid.", remedy=HOW_TO_START) from error

    @contextlib.contextmanager
    def keep(self, variables: Mapping[str, str]) -> Iterator[None]:
        """Has the file there during the block, unless a stack that comes up meanwhile writes its own."""
        own = json.dumps({name: variables[name] for name in VARIABLES})
        self.file.write(own)
        try:
            yield
        finally:
            if self.file.read() == own.encode():
                self.file.remove()
