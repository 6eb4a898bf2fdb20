"""A tenant's own secrets: which names and values there may be. What is kept here is never a value."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from outpost.domain.errors import FieldError, InputInvalid, Limit, SecretsFull

MOST_SECRETS = 50
# What is shorter could not be blotted out of an agent's output without blotting out words.
LEAST_CHARACTERS = 8
# In UTF-8 at most 65,536 bytes: what Secrets Manager keeps.
MOST_CHARACTERS = 16_384

PROVIDERS = ("anthropic", "openai", "google", "deepseek", "xai")
GIT = "github"
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
# A key travels in a header.
_KEY = re.compile(r"[!-~]+")

# Names that are taken, for a value there would change how the run itself works.
_TAKEN = frozenset(
    [
        # Where a program finds others, its home and its user: the runner says so.
        *("PATH", "HOME", "PWD", "OLDPWD", "SHELL", "USER", "LOGNAME", "HOSTNAME", "TERM", "TZ", "LANG", "LANGUAGE"),
        *("TMPDIR", "TMP", "TEMP"),
        # What a shell obeys before it reads its script, or while it reads it.
        *("ENV", "IFS", "CDPATH", "GLOBIGNORE", "SHELLOPTS", "BASHOPTS", "PROMPT_COMMAND", "PS1", "PS2", "PS3", "PS4"),
        # What programs start by themselves.
        *("EDITOR", "VISUAL", "PAGER", "BROWSER", "LESSOPEN", "LESSCLOSE", "CLASSPATH"),
        # Whom programs trust.
        *("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"),
        # What a runner begins with.
        *("RUN_ID", "TENANT_ID", "ATTEMPT", "API_URL", "BOOTSTRAP_TOKEN", "AGENT_USER"),
    ]
)
_TAKEN_BEGINNINGS = (
    # The runner's own.
    "OUTPOST_",
    # Who the container is for AWS: nobody.
    *("AWS_", "ECS_"),
    # What loaders, shells, languages and package managers obey before a program begins.
    *("LD_", "DYLD_", "BASH_", "LC_", "XDG_", "PYTHON", "PIP_", "UV_", "VIRTUAL_ENV", "NODE_", "NPM_", "PERL", "RUBY"),
    *("JAVA_", "JDK_", "SSL_"),
    # How git and ssh reach a repository: with a credential that is not the agent's.
    *("GIT_", "SSH_"),
    # How an agent reaches its provider: through the gateway, which counts, and never with a key of its own.
    *("ANTHROPIC_", "CLAUDE_", "OPENAI_", "CODEX_", "GOOGLE_", "GEMINI_", "AIDER_", "LITELLM_", "DEEPSEEK_"),
    *("GROK_", "XAI_"),
)
_TAKEN_ENDS = ("_PROXY",)


class SecretKind(StrEnum):
    """What a secret is for."""

    PROVIDER = "provider"
    GIT = "git"
    ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Secret:
    """The record of a secret; `revision` grows with every change of its value."""

    tenant_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    updated_by: str
    revision: int = 1

    @property
    def kind(self) -> SecretKind:
        """What it is for."""
        return _kind_of(self.name)


def is_secret_name(name: str) -> bool:
    """Whether a secret can be called so."""
    return _wrong_name(name) is None


def is_variable_name(name: str) -> bool:
    """Whether a secret of that name can be placed in an agent's environment."""
    return is_secret_name(name) and _kind_of(name) is SecretKind.ENVIRONMENT


def require_fitting(name: str, value: str) -> None:
    """Refuse a name or a value that cannot be. Raises InputInvalid with both."""
    found = (("name", _wrong_name(name)), ("value", _wrong_value(name, value)))
    errors = tuple(FieldError(path, message) for path, message in found if message is not None)
    if errors:
        raise InputInvalid(errors)


def secrets_full(used: int) -> SecretsFull:
    """The refusal of one more secret."""
    return SecretsFull(Limit("secrets", MOST_SECRETS, used))


def _kind_of(name: str) -> SecretKind:
    if name in PROVIDERS:
        return SecretKind.PROVIDER
    return SecretKind.GIT if name == GIT else SecretKind.ENVIRONMENT


def _wrong_name(name: str) -> str | None:
    if _kind_of(name) is not SecretKind.ENVIRONMENT:
        return None
    if not _VARIABLE.fullmatch(name):
        return (
            f"must be one of {', '.join(PROVIDERS)}, {GIT}, or an environment variable: "
            "a capital letter, then at most 63 capital letters, digits and underscores"
        )
    if name in _TAKEN or name.startswith(_TAKEN_BEGINNINGS) or name.endswith(_TAKEN_ENDS):
        return f"must not be {name}, which changes how the run itself works: choose another name"
    return None


def _wrong_value(name: str, value: str) -> str | None:
    if not LEAST_CHARACTERS <= len(value) <= MOST_CHARACTERS:
        return f"must have {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters"
    if "\0" in value:
        return "must not contain the character NUL"
    if _kind_of(name) is not SecretKind.ENVIRONMENT and not _KEY.fullmatch(value):
        return "must be printable ASCII without spaces or line ends"
    return None
