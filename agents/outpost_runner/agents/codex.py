"""The agent `codex`: OpenAI's Codex CLI, from version 0.101."""

import shlex
from collections.abc import Iterator

from outpost_runner.agents.adapter import AgentCommand, AgentTask, ModelEndpoint
from outpost_runner.agents.json_output import JsonOutput
from outpost_runner.agents.toml_text import write_toml
from outpost_runner.json_fields import JsonObject
from outpost_runner.redaction import Redactor

FOLDER = ".codex"
PROVIDER = "outpost"
KEY_VARIABLE = "OUTPOST_MODEL_KEY"
MAX_RETRIES = 2
IDLE_MILLISECONDS = 300_000
MAX_PARSED_CHARACTERS = 2000
# Each of these reaches for other hosts, waits without an end, or writes the environment to a file.
FEATURES_OFF = (
    "api_key_model_discovery",
    "apps",
    "daemon_auto_start",
    "goals",
    "image_generation",
    "plugin_sharing",
    "plugins",
    "remote_plugin",
    "shell_snapshot",
    "tool_suggest",
    "unbounded_connection_retries",
)


class CodexAgent:
    name = "codex"
    litter = ()

    def make_command(self, task: AgentTask) -> AgentCommand:
        argv = ["codex", "exec", "--json", "--dangerously-bypass-approvals-and-sandbox", "--skip-git-repo-check"]
        argv += ["--ephemeral", "--model", task.model_id, "-"]
        return AgentCommand(
            argv,
            environment={"CODEX_HOME": str(task.home / FOLDER), KEY_VARIABLE: task.endpoint.dummy_key},
            home_files={f"{FOLDER}/config.toml": _write_settings(task.endpoint)},
            stdin=task.prompt,
        )

    def make_reader(self, redactor: Redactor) -> "CodexOutput":
        return CodexOutput(redactor)


def _write_settings(endpoint: ModelEndpoint) -> str:
    return write_toml(
        {
            (): {
                "model_provider": PROVIDER,
                "check_for_update_on_startup": False,
                # The repository's instructions come with the prompt, as far as the run's context goes.
                "project_doc_max_bytes": 0,
                "web_search": "disabled",
            },
            ("model_providers", PROVIDER): {
                "name": PROVIDER,
                "base_url": f"{endpoint.url}/v1",
                "wire_api": "responses",
                "env_key": KEY_VARIABLE,
                "request_max_retries": MAX_RETRIES,
                "stream_max_retries": MAX_RETRIES,
                "stream_idle_timeout_ms": IDLE_MILLISECONDS,
            },
            ("analytics",): {"enabled": False},
            ("history",): {"persistence": "none"},
            # The repository may bring skills, whose descriptions would go to the model.
            ("skills",): {"include_instructions": False},
            ("features",): dict.fromkeys(FEATURES_OFF, False),
            ("shell_environment_policy",): {"inherit": "all", "exclude": [KEY_VARIABLE]},
        }
    )


class CodexOutput(JsonOutput):
    def read_event(self, kind: str, event: JsonObject) -> Iterator[str]:
        match kind:
            case "item.started":
                yield from self._read_begun(event.object("item"))
            case "item.completed":
                yield from self._read_done(event.object("item"))
            case "error":
                yield from self.stumble(event.text("message"))
            case "turn.failed":
                yield from self.fail(event.object("error").text("message"))
            case "turn.completed":
                yield from self.succeed()

    def _read_begun(self, item: JsonObject) -> Iterator[str]:
        match item.text("type"):
            case "command_execution":
                yield from self.use_tool("shell", _unwrap(item.text("command")))
            case "file_change":
                for change in item.objects("changes"):
                    yield from self.use_tool(change.text("kind"), change.text("path"))
            case "mcp_tool_call":
                yield from self.use_tool(item.text("server"), item.text("tool"))

    def _read_done(self, item: JsonObject) -> Iterator[str]:
        match item.text("type"):
            case "agent_message":
                yield from self.say(item.text("text"))
                yield from self.speech.end_message()
            case "error":
                yield from self.warn(item.text("message"))
            case "command_execution" if (exit_code := item.integer("exit_code")) != 0:
                yield from self.warn(f"The command failed: exit code {exit_code}")
            case "file_change" if item.text("status") != "completed":
                yield from self.warn(f"The change is {item.text('status')}.")


def _unwrap(command: str) -> str:
    """The line that a shell was given, without the shell."""
    if len(command) > MAX_PARSED_CHARACTERS:
        return command
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    match words:
        case [_, "-lc", line]:
            return line
        case _:
            return command
