"""The agent `grok`: xAI's Grok Build, from version 1.0."""

from collections.abc import Iterator

from outpost_runner.agents.adapter import AgentCommand, AgentTask
from outpost_runner.agents.json_output import JsonOutput
from outpost_runner.agents.toml_text import write_toml
from outpost_runner.json_fields import JsonObject
from outpost_runner.redaction import Redactor

FOLDER = ".grok"
PROMPT = "prompt.txt"
KEY_VARIABLE = "XAI_API_KEY"
CONTEXT_TOKENS = 256_000
MAX_RETRIES = 2
# One draws pictures beside the tokens, the other writes to the maker.
TOOLS_OFF = "image_edit,send_feedback"
FEATURES_OFF = (
    "campaigns",
    "codebase_indexing",
    "feedback",
    "image_gen",
    "managed_config",
    "remote_fetch",
    "session_recap",
    "session_search",
    "title_refresh",
    "turn_summary",
    "video_gen",
)


class GrokAgent:
    name = "grok"
    litter = ()

    def make_command(self, task: AgentTask) -> AgentCommand:
        """The prompt is a file: `grok` reads none from stdin."""
        argv = ["grok", "--prompt-file", str(task.files_folder / PROMPT), "--verbatim", "--always-approve"]
        argv += ["--output-format", "streaming-json", "--no-auto-update", "--no-subagents", "--disable-web-search"]
        argv += ["--disallowed-tools", TOOLS_OFF, "--model", task.model_id]
        environment = {
            KEY_VARIABLE: task.endpoint.dummy_key,
            "GROK_HOME": str(task.home / FOLDER),
            "GROK_CAMPAIGNS": "0",
            "GROK_DISABLE_AUTOUPDATER": "1",
            "GROK_FEEDBACK_ENABLED": "0",
            "GROK_TELEMETRY_ENABLED": "0",
            "GROK_TELEMETRY_TRACE_UPLOAD": "0",
            "GROK_TITLE_REFRESH": "0",
        }
        home_files = {f"{FOLDER}/config.toml": _write_settings(task.model_id, f"{task.endpoint.url}/v1")}
        return AgentCommand(argv, environment, files={PROMPT: task.prompt}, home_files=home_files)

    def make_reader(self, redactor: Redactor) -> "GrokOutput":
        return GrokOutput(redactor)


def _write_settings(model_id: str, url: str) -> str:
    return write_toml(
        {
            ("cli",): {"auto_update": False, "session_registry": False, "show_tips": False, "use_leader": False},
            ("endpoints",): {"models_base_url": url, "xai_api_base_url": url, "cli_chat_proxy_base_url": url},
            # Titles of sessions are made by a model too, and no setting turns that off.
            ("models",): {"default": model_id, "session_summary": model_id},
            ("model", model_id): {
                "model": model_id,
                "base_url": url,
                "env_key": KEY_VARIABLE,
                "api_backend": "chat_completions",
                "context_window": CONTEXT_TOKENS,
                "max_retries": MAX_RETRIES,
            },
            ("features",): {"telemetry": "off", **dict.fromkeys(FEATURES_OFF, False)},
            ("telemetry",): {"trace_upload": False},
        }
    )


class GrokOutput(JsonOutput):
    """An error comes twice: as an event, then in the same words on stderr."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__(redactor)
        self._error_lines: frozenset[str] = frozenset()

    def read_plain(self, line: str) -> Iterator[str]:
        if line.removeprefix("Error: ") not in self._error_lines:
            yield from super().read_plain(line)

    def read_event(self, kind: str, event: JsonObject) -> Iterator[str]:
        match kind:
            case "text":
                yield from self.say(event.text("data"))
            case "tool_call":
                yield from self.use_tool(event.text("toolName"), event.optional_object("rawInput"))
            case "tool_call_update" if event.optional_text("status") == "failed":
                yield from self.warn("The tool failed.")
            case "usage":  # the end of one answer of the model
                yield from self.speech.end_message()
            case "error":
                message = event.text("message")
                self._error_lines = frozenset(message.split("\n"))
                yield from self.fail(message)
            case "end" if (reason := event.text("stopReason")) != "end_turn":
                yield from self.fail(f"Grok stopped: {reason}.")
            case "end":
                yield from self.succeed()
