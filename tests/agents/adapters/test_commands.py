"""What each adapter runs: where the prompt, the model, the gateway and the dummy key go."""

import json
import tomllib
from pathlib import Path

import pytest

from outpost.domain.agents import AGENTS
from outpost_runner.agents import ADAPTERS, find_adapter
from outpost_runner.agents.adapter import AgentCommand, AgentTask, ModelEndpoint

WITH_MODEL = ("claude", "codex", "gemini", "aider", "grok")
KEY = "dummy-canary-5f1c"
URL = "http://127.0.0.1:8099"
PROMPT = "The task:\n/help `x` $(y) \"z\" 'q' @file !ls 😀"


def make_command(agent: str, model_id: str = "some-model-1") -> AgentCommand:
    task = AgentTask(
        model_id=model_id,
        task=PROMPT.split("\n")[1],
        prompt=PROMPT,
        files_folder=Path("/task/agent"),
        home=Path("/task/home"),
        models=ModelEndpoint(URL, KEY),
    )
    return find_adapter(agent).make_command(task)


def test_every_agent_of_the_catalogue_has_an_adapter() -> None:
    assert sorted(adapter.name for adapter in ADAPTERS) == sorted(AGENTS)


@pytest.mark.parametrize("agent", WITH_MODEL)
def test_the_program_is_named_as_the_agent(agent: str) -> None:
    assert make_command(agent).argv[0] == agent


@pytest.mark.parametrize("agent", WITH_MODEL)
def test_neither_key_nor_prompt_is_on_the_command_line(agent: str) -> None:
    line = "\0".join(make_command(agent).argv)

    assert KEY not in line
    assert "/help" not in line


@pytest.mark.parametrize("agent", WITH_MODEL)
def test_the_command_line_holds_the_model(agent: str) -> None:
    assert "some-model-1" in "\0".join(make_command(agent).argv)


@pytest.mark.parametrize("agent", ["claude", "codex", "gemini"])
def test_the_prompt_is_read_from_stdin(agent: str) -> None:
    assert make_command(agent).stdin == PROMPT


@pytest.mark.parametrize(
    ("agent", "option"),
    [("aider", "--message-file=/task/agent/prompt.txt"), ("grok", "--prompt-file\0/task/agent/prompt.txt")],
)
def test_the_prompt_is_read_from_a_file(agent: str, option: str) -> None:
    command = make_command(agent)

    assert command.files["prompt.txt"] == PROMPT
    assert option in "\0".join(command.argv)
    assert command.stdin is None


@pytest.mark.parametrize(
    ("agent", "key", "url"),
    [("claude", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"), ("gemini", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL")],
)
def test_the_gateway_and_the_dummy_key_are_variables(agent: str, key: str, url: str) -> None:
    environment = make_command(agent).environment

    assert environment[key] == KEY
    assert environment[url] == URL


def test_claude_asks_the_run_s_model_whatever_it_asks_a_model_for() -> None:
    environment = make_command("claude").environment

    assert environment["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "some-model-1"
    assert environment["CLAUDE_CODE_SUBAGENT_MODEL"] == "some-model-1"


def test_claude_reads_no_settings_of_the_repository() -> None:
    options = "\0".join(make_command("claude").argv)

    assert "--setting-sources\0user" in options
    assert "--strict-mcp-config" in options
    assert "--disallowedTools\0WebSearch,WebFetch" in options


def test_codex_is_told_of_the_gateway_in_its_settings() -> None:
    command = make_command("codex")
    settings = tomllib.loads(command.home_files[".codex/config.toml"])

    assert command.environment == {"CODEX_HOME": "/task/home/.codex", "OUTPOST_MODEL_KEY": KEY}
    assert settings["model_provider"] == "outpost"
    assert settings["model_providers"] == {
        "outpost": {
            "name": "outpost",
            "base_url": f"{URL}/v1",
            "wire_api": "responses",
            "env_key": "OUTPOST_MODEL_KEY",
            "request_max_retries": 2,
            "stream_max_retries": 2,
            "stream_idle_timeout_ms": 300_000,
        }
    }


def test_codex_takes_nothing_from_the_repository_and_searches_nothing() -> None:
    settings = tomllib.loads(make_command("codex").home_files[".codex/config.toml"])

    assert settings["project_doc_max_bytes"] == 0
    assert settings["skills"] == {"include_instructions": False}
    assert settings["web_search"] == "disabled"
    assert settings["shell_environment_policy"] == {"inherit": "all", "exclude": ["OUTPOST_MODEL_KEY"]}


def test_grok_is_told_of_the_gateway_in_its_settings() -> None:
    command = make_command("grok", "grok-4.1")
    settings = tomllib.loads(command.home_files[".grok/config.toml"])

    assert command.environment["XAI_API_KEY"] == KEY
    assert command.environment["GROK_HOME"] == "/task/home/.grok"
    assert settings["models"] == {"default": "grok-4.1", "session_summary": "grok-4.1"}
    assert settings["model"] == {
        "grok-4.1": {
            "model": "grok-4.1",
            "base_url": f"{URL}/v1",
            "env_key": "XAI_API_KEY",
            "api_backend": "chat_completions",
            "context_window": 256_000,
            "max_retries": 2,
        }
    }


def test_a_model_s_name_cannot_break_out_of_the_settings() -> None:
    name = 'x"]\nmodel = "other" # \\ \x01 😀'
    settings = tomllib.loads(make_command("grok", name).home_files[".grok/config.toml"])

    assert settings["models"] == {"default": name, "session_summary": name}


def test_gemini_s_settings_are_the_system_s_too_which_win_over_the_repository_s() -> None:
    command = make_command("gemini")

    assert command.environment["GEMINI_CLI_SYSTEM_SETTINGS_PATH"] == "/task/agent/gemini-settings.json"
    assert command.files["gemini-settings.json"] == command.home_files[".gemini/settings.json"]


def test_gemini_starts_nothing_of_the_repository_and_searches_nothing() -> None:
    settings = json.loads(make_command("gemini").files["gemini-settings.json"])

    assert settings["mcp"] == {"allowed": ["none-allowed"]}
    assert settings["hooksConfig"] == {"enabled": False}
    assert settings["tools"] == {
        "exclude": ["google_web_search", "web_fetch"],
        "discoveryCommand": "",
        "callCommand": "",
    }


def test_gemini_s_calls_cannot_be_sent_through_a_proxy_of_the_repository() -> None:
    environment = make_command("gemini").environment

    assert [environment[name] for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")] == [""] * 4


def test_aider_s_variables_are_in_the_file_that_it_reads_after_the_repository_s() -> None:
    command = make_command("aider", "deepseek/deepseek-coder")

    assert "--env-file=/task/agent/aider.env" in command.argv
    assert command.files["aider.env"].splitlines() == [
        f"DEEPSEEK_API_BASE={URL}",
        f"DEEPSEEK_API_KEY={KEY}",
        "NO_PROXY=*",
        "no_proxy=*",
    ]


def test_aider_s_model_is_described_so_that_no_list_is_fetched_and_no_other_address_is_asked() -> None:
    files = make_command("aider", "deepseek/deepseek-coder").files
    (use,) = json.loads(files["aider-model-settings.yml"])

    assert list(json.loads(files["aider-model-metadata.json"])) == ["deepseek/deepseek-coder"]
    assert use["name"] == use["weak_model_name"] == "deepseek/deepseek-coder"
    assert use["extra_params"] == {"max_tokens": 8192, "stream_options": {"include_usage": True}}


@pytest.mark.parametrize(
    "option",
    [
        "--load=/task/agent/aider-commands.txt",
        "--message=",
        "--no-auto-test",
        "--no-auto-lint",
        "--test-cmd=",
        f"--set-env=DEEPSEEK_API_BASE={URL}",
    ],
)
def test_aider_takes_no_command_and_no_address_from_the_repository_s_settings(option: str) -> None:
    assert option in make_command("aider").argv


def test_what_aider_leaves_in_the_tree_is_not_its_work() -> None:
    assert find_adapter("aider").litter == (".aider*",)
