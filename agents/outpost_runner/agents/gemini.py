"""The agent `gemini`: Google's Gemini CLI, from version 0.61."""

import json
import re
from collections.abc import Iterator

from outpost_runner.agents.adapter import AgentCommand, AgentTask
from outpost_runner.agents.json_output import JsonOutput
from outpost_runner.json_fields import JsonObject
from outpost_runner.redaction import Redactor

SYSTEM_SETTINGS = "gemini-settings.json"
HOME_SETTINGS = ".gemini/settings.json"
MAX_ATTEMPTS = 3
NO_SERVER = "none-allowed"
# Hosted tools cost beside the tokens.
HOSTED_TOOLS = ["google_web_search", "web_fetch"]
# A variable that is set is not taken from the repository's `.gemini/.env`, which could send the calls elsewhere.
PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
# The system's settings win over the repository's, whose servers, hooks and commands would run before any model does.
SETTINGS = json.dumps(
    {
        "security": {
            "auth": {"selectedType": "gemini-api-key", "enforcedType": "gemini-api-key"},
            "folderTrust": {"enabled": False},
        },
        "general": {
            "enableAutoUpdate": False,
            "enableAutoUpdateNotification": False,
            "maxAttempts": MAX_ATTEMPTS,
            "sessionRetention": {"enabled": False},
            "checkpointing": {"enabled": False},
        },
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
        "mcp": {"allowed": [NO_SERVER]},
        "tools": {"exclude": HOSTED_TOOLS, "discoveryCommand": "", "callCommand": ""},
        "hooksConfig": {"enabled": False},
        "skills": {"enabled": False},
        "advanced": {"ignoreLocalEnv": True},
    },
    indent=2,
)
NOISE = re.compile(
    r"YOLO mode is enabled\.|Ripgrep is not available\."
    r"|Warning: 256-color support not detected\.|Warning: tools\.exclude "
    r"|    at |  (cause|retryDelayMs|status): |\}$"
)


class GeminiAgent:
    name = "gemini"
    litter = ()

    def make_command(self, task: AgentTask) -> AgentCommand:
        argv = ["gemini", "--yolo", "--output-format", "stream-json", "--model", task.model_id]
        argv += ["--allowed-mcp-server-names", NO_SERVER]
        environment = {
            "GOOGLE_GEMINI_BASE_URL": task.endpoint.url,
            "GEMINI_API_KEY": task.endpoint.dummy_key,
            "GEMINI_CLI_SYSTEM_SETTINGS_PATH": str(task.files_folder / SYSTEM_SETTINGS),
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
            "GEMINI_CLI_NO_RELAUNCH": "true",
            "NO_COLOR": "1",
            **dict.fromkeys(PROXY_VARIABLES, ""),
        }
        files, home_files = {SYSTEM_SETTINGS: SETTINGS}, {HOME_SETTINGS: SETTINGS}
        return AgentCommand(argv, environment, files, home_files, stdin=task.prompt)

    def make_reader(self, redactor: Redactor) -> "GeminiOutput":
        return GeminiOutput(redactor)


class GeminiOutput(JsonOutput):
    def read_plain(self, line: str) -> Iterator[str]:
        if not NOISE.match(line):
            yield from super().read_plain(line)

    def read_event(self, kind: str, event: JsonObject) -> Iterator[str]:
        match kind:
            case "message" if event.text("role") == "assistant":
                yield from self.say(event.text("content"))
            case "tool_use":
                yield from self.use_tool(event.text("tool_name"), event.optional_object("parameters"))
            case "tool_result" if event.text("status") != "success":
                error = event.optional_object("error")
                reason = error.text("message") if error else event.text("status")
                yield from self.warn(f"The tool failed: {reason}")
            case "error":
                yield from self.stumble(event.text("message"))
            case "result":
                yield from self._read_result(event)

    def _read_result(self, event: JsonObject) -> Iterator[str]:
        status = event.text("status")
        if status == "success":
            yield from self.succeed()
            return
        error = event.optional_object("error")
        yield from self.fail(error.text("message") if error else self.trouble or f"Gemini CLI ended with {status}.")
