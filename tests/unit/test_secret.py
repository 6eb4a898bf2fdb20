"""Which names and values a secret can have."""

import pytest
from builders import a_secret

from outpost.domain.agents import AGENTS
from outpost.domain.credentials import Credentials, ProviderKey
from outpost.domain.errors import InputInvalid
from outpost.domain.secret import PROVIDERS, SecretKind, is_secret_name, is_variable_name, require_fitting

VALUE = "a value of some length"
CANARY = "canary-4f1d5c-of-a-tenant"
# With what a value there could lead astray.
TAKEN = {
    "the runner": ["PATH", "HOME", "USER", "TMPDIR", "SHELL", "LANG", "LC_ALL", "XDG_CONFIG_HOME", "OUTPOST_TASK_ROOT"],
    "a claim": ["RUN_ID", "TENANT_ID", "ATTEMPT", "API_URL", "BOOTSTRAP_TOKEN", "AGENT_USER"],
    "a shell": ["ENV", "BASH_ENV", "BASH_FUNC_x", "IFS", "PS4", "PROMPT_COMMAND", "SHELLOPTS", "CDPATH"],
    "the loader": ["LD_PRELOAD", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES"],
    "a language": ["PYTHONPATH", "PYTHONSTARTUP", "NODE_OPTIONS", "NODE_EXTRA_CA_CERTS", "PERL5OPT", "RUBYOPT"],
    "a build": ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "NPM_CONFIG_REGISTRY", "PIP_INDEX_URL"],
    "git": ["GIT_ASKPASS", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "SSH_AUTH_SOCK"],
    "what programs start": ["EDITOR", "VISUAL", "PAGER", "BROWSER", "LESSOPEN"],
    "AWS": ["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "ECS_CONTAINER_METADATA_URI_V4"],
    "a connection": ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"],
    "claude": ["ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "CLAUDE_CODE_MAX_RETRIES"],
    "codex": ["OPENAI_BASE_URL", "OPENAI_API_KEY", "CODEX_HOME"],
    "gemini": ["GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"],
    "aider": ["AIDER_MODEL", "DEEPSEEK_API_BASE", "LITELLM_LOG"],
    "grok": ["GROK_MODELS_BASE_URL", "XAI_API_KEY"],
}
TAKEN_NAMES = sorted({name.upper() for names in TAKEN.values() for name in names})


def refusals(name, value):
    """(path, message) of what is wrong."""
    with pytest.raises(InputInvalid) as found:
        require_fitting(name, value)
    return [(error.path, error.message) for error in found.value.errors]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((provider, SecretKind.PROVIDER) for provider in PROVIDERS),
        ("github", SecretKind.GIT),
        ("DATABASE_URL", SecretKind.ENVIRONMENT),
        ("GITHUB_TOKEN", SecretKind.ENVIRONMENT),
    ],
)
def test_a_name_says_what_a_secret_is_for(name, kind):
    assert is_secret_name(name)
    assert a_secret(name=name).kind is kind


def test_every_provider_of_the_catalogue_can_have_a_key():
    assert {agent.provider for agent in AGENTS.values() if agent.provider} == set(PROVIDERS)


@pytest.mark.parametrize("name", ["A", "A1", "A_", "X" * 64, "PATHS", "HOMEPAGE", "ENVIRONMENT", "TOKEN"])
def test_variables_that_can_be_set(name):
    require_fitting(name, VALUE)
    assert is_variable_name(name)


@pytest.mark.parametrize(
    "name", ["", "a", "1A", "_A", "A-B", "A B", "A\n", "Ä", "X" * 65, "Github", "anthropic/x", "../A", "azure"]
)
def test_names_that_are_none(name):
    assert [path for path, _ in refusals(name, VALUE)] == ["name"]
    assert not is_secret_name(name)


@pytest.mark.parametrize("name", TAKEN_NAMES)
def test_names_that_are_taken(name):
    assert refusals(name, VALUE) == [
        ("name", f"must not be {name}, which changes how the run itself works: choose another name")
    ]
    assert not is_variable_name(name)


@pytest.mark.parametrize("name", [*PROVIDERS, "github"])
def test_a_key_is_no_variable(name):
    assert not is_variable_name(name)


@pytest.mark.parametrize("length", [8, 16_384])
def test_lengths_that_are_taken(length):
    require_fitting("TOKEN", "ß" * length)


@pytest.mark.parametrize("length", [0, 7, 16_385])
def test_lengths_that_are_refused(length):
    assert refusals("TOKEN", "x" * length) == [("value", "must have 8 to 16384 characters")]


def test_a_value_is_kept_whole_by_secrets_manager():
    assert len(("\N{ROCKET}" * 16_384).encode()) <= 65_536


def test_a_value_of_several_lines_can_be_a_variable():
    require_fitting("SSHKEY", "-----BEGIN KEY-----\n\tumläut \n")


def test_no_environment_takes_nul():
    assert refusals("TOKEN", f"{VALUE}\0") == [("value", "must not contain the character NUL")]


@pytest.mark.parametrize("name", [*PROVIDERS, "github"])
@pytest.mark.parametrize("value", [f"{VALUE}", " sk-12345678", "sk-12345678\n", "sk-1234\r\n5678", "sk-1234567ä"])
def test_what_no_header_could_carry_is_no_key(name, value):
    assert refusals(name, value) == [("value", "must be printable ASCII without spaces or line ends")]


def test_all_that_is_wrong_is_told_at_once_and_never_the_value():
    assert [path for path, _ in refusals("PATH", "short")] == ["name", "value"]
    assert CANARY not in str(refusals("openai", f"{CANARY} "))


def test_credentials_do_not_show():
    key = ProviderKey(CANARY, f"https://{CANARY}.example.com", is_own=True)
    assert CANARY not in repr(Credentials(key, CANARY, {"TOKEN": CANARY}, ("openai",)))
