"""The agent `aider`: Aider 0.86 on a model of DeepSeek."""

import json
import re
from collections import deque
from collections.abc import Sequence

from outpost_runner.agents.adapter import Account, AgentCommand, AgentTask
from outpost_runner.agents.wording import MAX_TROUBLE_CHARACTERS, one_line
from outpost_runner.log_lines import MAX_MESSAGE_CHARACTERS
from outpost_runner.redaction import Redactor

PROMPT = "prompt.txt"
SETTINGS = "aider.yml"
VARIABLES = "aider.env"
COMMANDS = "aider-commands.txt"
ABSENT = "none"
MODEL_SETTINGS = "aider-model-settings.yml"
MODEL_METADATA = "aider-model-metadata.json"
CONTEXT_TOKENS = 128_000
OUTPUT_TOKENS = 8192
# Without a terminal Aider breaks lines at 80 columns; its errors are to stay on one line.
COLUMNS = "1000"
SUMMARY_LINES = 50

SWITCHES = (
    "--yes-always",
    "--no-check-update",
    "--no-show-release-notes",
    "--analytics-disable",
    "--no-pretty",
    "--no-fancy-input",
    "--no-auto-commits",
    "--no-dirty-commits",
    "--no-show-model-warnings",
    "--no-gitignore",
    "--no-detect-urls",
    "--disable-playwright",
    "--no-suggest-shell-commands",
    "--no-auto-lint",
    "--no-auto-test",
    "--no-dry-run",
    "--no-notifications",
    "--no-watch-files",
    "--edit-format=diff",
    "--message=",
    "--test-cmd=",
    "--encoding=utf-8",
    "--chat-language=English",
)


class AiderAgent:
    name = "aider"
    litter = (".aider*",)

    def make_command(self, task: AgentTask) -> AgentCommand:
        base_url = f"DEEPSEEK_API_BASE={task.endpoint.url}"
        options = {**_name_files(task), "--set-env": base_url}
        options |= dict.fromkeys(("--model", "--weak-model", "--editor-model"), task.model_id)
        return AgentCommand(
            argv=["aider", *SWITCHES, *(f"{option}={value}" for option, value in options.items())],
            environment={
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "PYTHONDONTWRITEBYTECODE": "1",
                "COLUMNS": COLUMNS,
            },
            files={
                PROMPT: task.prompt,
                SETTINGS: "{}\n",
                VARIABLES: f"{base_url}\nDEEPSEEK_API_KEY={task.endpoint.dummy_key}\nNO_PROXY=*\nno_proxy=*\n",
                COMMANDS: "",
                MODEL_SETTINGS: json.dumps([_describe_use(task.model_id)], indent=2),
                MODEL_METADATA: json.dumps({task.model_id: _describe_model()}, indent=2),
            },
        )

    def make_reader(self, redactor: Redactor) -> "AiderOutput":  # noqa: ARG002 its lines come redacted
        return AiderOutput()


def _name_files(task: AgentTask) -> dict[str, str]:
    """Aider reads `.aider.conf.yml` and `.env` of the repository whatever other files are named.

    What is on the command line wins over the former, the last file of variables over the latter; so whatever would run
    a command, say something to the model or send it elsewhere is named, if only to be empty.
    """
    ours = {
        "--message-file": PROMPT,
        "--config": SETTINGS,
        "--env-file": VARIABLES,
        "--model-settings-file": MODEL_SETTINGS,
        "--model-metadata-file": MODEL_METADATA,
        "--load": COMMANDS,
        "--read": ABSENT,
    }
    histories = {"--input-history-file": "aider-input.history", "--chat-history-file": "aider-chat.history.md"}
    return {
        **{option: str(task.files_folder / name) for option, name in ours.items()},
        **{option: str(task.home / name) for option, name in histories.items()},
    }


def _describe_use(model_id: str) -> dict[str, object]:
    """Settings that win over the repository's of the same model, which could send it to another address."""
    return {
        "name": model_id,
        "edit_format": "diff",
        "use_repo_map": True,
        "reminder": "sys",
        "examples_as_sys_msg": True,
        "caches_by_default": True,
        "weak_model_name": model_id,
        "extra_params": {"max_tokens": OUTPUT_TOKENS, "stream_options": {"include_usage": True}},
    }


def _describe_model() -> dict[str, object]:
    """Without it Aider fetches a list of all models."""
    return {
        "max_tokens": OUTPUT_TOKENS,
        "max_input_tokens": CONTEXT_TOKENS,
        "max_output_tokens": OUTPUT_TOKENS,
        "litellm_provider": "deepseek",
        "mode": "chat",
    }


NOISE = re.compile(
    r"Analytics have been permanently disabled\.|Update git (name|email) with: "
    r"|Error: Read-only file \S+ does not exist\."
)
# Its figures are estimates, those of the run come from the model's own answers; it follows each whole answer.
ANSWERED = re.compile(r"Tokens: \S+ sent, ")
PROVIDER_ERROR = re.compile(r"litellm\.[A-Z]\w+: .*")
GAVE_UP = re.compile(r"Model \S+ has hit a token limit!|Only \d+ reflections allowed, stopping\.")
BEGINS_ANEW = ("Repo-map: ", "Retrying in ")
EDIT_BEGINS = "<<<<<<< SEARCH"
EDIT_ENDS = ">>>>>>> REPLACE"
FENCE_OR_PATH = re.compile(r"`{3,}.*|\S*\w[./]\S*\w")


class AiderOutput:
    """Text for people. Aider exits with 0 whatever happened, so that its lines must tell."""

    longest_line = MAX_MESSAGE_CHARACTERS

    def __init__(self) -> None:
        self._answer: deque[str] = deque(maxlen=SUMMARY_LINES)
        self._in_edit = False
        self._answered = False
        self._trouble: str | None = None
        self._last_words: str | None = None

    def read(self, stream: str, line: str) -> Sequence[str]:  # noqa: ARG002 both streams are alike to it
        if NOISE.match(line):
            return ()
        if ANSWERED.match(line):
            self._answered, self._trouble = True, None
            return ()
        if error := PROVIDER_ERROR.search(line) or GAVE_UP.match(line):
            self._trouble = one_line(error.group(), MAX_TROUBLE_CHARACTERS)
        self._last_words = one_line(line, MAX_TROUBLE_CHARACTERS) or self._last_words
        self._remember(line)
        return (line,)

    def finish(self) -> Sequence[str]:
        """Each line was shown when it came."""
        return ()

    def account(self) -> Account:
        if self._trouble is not None:
            return Account(complaint=self._trouble)
        summary = "\n".join(self._answer).strip() or None
        if self._answered:
            return Account(summary)
        return Account(summary, f"The model gave no answer. Aider's last line was: {self._last_words}")

    def _remember(self, line: str) -> None:
        """The prose of the last lines; edits are in the patch."""
        if line.startswith(BEGINS_ANEW):
            self._answer.clear()
            self._in_edit = False
        elif line == EDIT_BEGINS:
            self._in_edit = True
        elif line == EDIT_ENDS:
            self._in_edit = False
        elif not self._in_edit and not FENCE_OR_PATH.fullmatch(line):
            self._answer.append(line)
