"""The agent `claude`: Claude Code, from version 2.1."""

from collections.abc import Iterator
from contextlib import suppress

from outpost_runner.agents.adapter import AgentCommand, AgentTask
from outpost_runner.agents.json_output import JsonOutput
from outpost_runner.json_fields import JsonObject, MalformedJson
from outpost_runner.redaction import Redactor

# Hosted tools cost beside the tokens.
HOSTED_TOOLS = "WebSearch,WebFetch"
MAX_RETRIES = 2
# Whatever it calls a model for is done by the run's own: these names are aliases that move with its version.
MODEL_VARIABLES = (
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "CLAUDE_CODE_SUBAGENT_MODEL",
)


class ClaudeAgent:
    name = "claude"
    litter = ()

    def make_command(self, task: AgentTask) -> AgentCommand:
        """Settings, servers, skills and instructions of the repository stay unread."""
        argv = ["claude", "--print", "--output-format", "stream-json", "--verbose", "--dangerously-skip-permissions"]
        argv += ["--no-session-persistence", "--setting-sources", "user", "--strict-mcp-config"]
        argv += ["--disable-slash-commands", "--disallowedTools", HOSTED_TOOLS, "--model", task.model_id]
        environment = {
            "ANTHROPIC_BASE_URL": task.endpoint.url,
            "ANTHROPIC_API_KEY": task.endpoint.dummy_key,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_MAX_RETRIES": str(MAX_RETRIES),
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "DISABLE_TELEMETRY": "1",
            **dict.fromkeys(MODEL_VARIABLES, task.model_id),
        }
        return AgentCommand(argv, environment, stdin=task.prompt)

    def make_reader(self, redactor: Redactor) -> "ClaudeOutput":
        return ClaudeOutput(redactor)


class ClaudeOutput(JsonOutput):
    def read_event(self, kind: str, event: JsonObject) -> Iterator[str]:
        match kind:
            case "assistant":
                yield from self._read_message(event)
            case "user":
                yield from self._read_tool_results(event)
            case "system" if event.optional_text("subtype") == "api_retry":
                attempt, last = event.integer("attempt"), event.integer("max_retries")
                yield from self.stumble(f"The model call failed ({event.text('error')}); retry {attempt} of {last}.")
            case "result":
                yield from self._read_result(event)

    def _read_message(self, event: JsonObject) -> Iterator[str]:
        if event.optional_text("error") is not None:
            return  # not the model's words but those of an error, which the result repeats
        for block in event.object("message").objects("content"):
            match block.text("type"):
                case "text":
                    yield from self.say(block.text("text"))
                    yield from self.speech.end_message()
                case "tool_use":
                    yield from self.use_tool(block.text("name"), block.optional_object("input"))

    def _read_tool_results(self, event: JsonObject) -> Iterator[str]:
        with suppress(MalformedJson):  # what the user says is not always a list of results
            for block in event.object("message").objects("content"):
                if block.truth("is_error", default=False):
                    yield from self.warn(f"The tool failed: {block.text('content')}")

    def _read_result(self, event: JsonObject) -> Iterator[str]:
        words = event.optional_text("result")
        how = event.text("subtype")
        if how != "success" or event.truth("is_error", default=False):
            yield from self.fail(words or f"Claude Code ended with {how}.")
            return
        yield from self.succeed()
        if words and not self.speech.is_last_message(words):
            yield from self.say(words)
            yield from self.speech.end_message()
