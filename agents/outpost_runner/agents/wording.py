"""How the log words what an agent does: one short line, whatever the agent put into it."""

from contextlib import suppress

from outpost_runner.json_fields import JsonObject, MalformedJson

MAX_DEED_CHARACTERS = 200
MAX_TROUBLE_CHARACTERS = 500
# What a tool is about, by the first of these that its input has; file contents and replacements are not among them.
TELLING_FIELDS = (
    "command",
    "file_path",
    "target_file",
    "path",
    "dir_path",
    "target_directory",
    "pattern",
    "query",
    "url",
    "description",
    "prompt",
)


def make_valid(text: str) -> str:
    """JSON can hold half a character, which no file and no stream can."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def one_line(text: str, longest: int) -> str:
    """Without line ends and control characters, cut to `longest`."""
    visible = "".join(character if character.isprintable() else " " for character in make_valid(text[: longest * 4]))
    line = " ".join(visible.split())
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def word_tool(name: str, about: str) -> str:
    deed = f"{name}: {about}" if about else name
    return f"> {one_line(deed, MAX_DEED_CHARACTERS)}"


def word_trouble(message: str) -> str:
    return f"! {one_line(message, MAX_TROUBLE_CHARACTERS)}"


def tell_subject(tool_input: JsonObject | None) -> str:
    """What a tool's input says of its subject; the model wrote it, so that any field may be of any type."""
    if tool_input is None:
        return ""
    for field in TELLING_FIELDS:
        with suppress(MalformedJson):
            if subject := tool_input.optional_text(field):
                return subject
    return ""
