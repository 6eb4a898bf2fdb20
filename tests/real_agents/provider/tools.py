"""Puts a step into the tools that an agent offers its model, or into words for an agent that offers none."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .steps import Read, Replace, Say, Shell, Step, Write

# The tools that agents have for the same deed, and the names that they have for its arguments.
SHELL_TOOLS = ("Bash", "exec_command", "run_shell_command", "run_terminal_command")
READ_TOOLS = ("Read", "read_file")
REPLACE_TOOLS = ("Edit", "replace", "search_replace")
WRITE_TOOLS = ("Write", "write_file", "write")
# Of a request on the side, such as for a title.
AUXILIARY_TOOLS = frozenset({"session_title"})
WORKSPACE = re.compile(r"/[\w./-]*/workspace\b")

Tools = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class ToolCall:
    name: str
    arguments: dict[str, Any]


def find_workspace(request: str) -> str:
    """The working tree, as the agent tells its model where it is."""
    found = WORKSPACE.findall(request)
    assert found, "the agent does not say where it works"
    return min(found, key=len)  # agents name folders of their own after it


def call_tool(step: Step, tools: Tools, workspace: str) -> ToolCall:
    """The step as a call of one of the tools, which are given with the schema of their arguments."""
    match step:
        case Shell(command):
            return _shell(command, tools)
        case Read(path):
            file = f"{workspace}/{path}"
            wish = {"file_path": file, "target_file": file}
            return _first(READ_TOOLS, wish, tools) or _shell(shlex.join(["cat", file]), tools)
        case Replace(path, old, new):
            file = f"{workspace}/{path}"
            wish = {"file_path": file, "old_string": old, "new_string": new, "instruction": "As scripted."}
            return _first(REPLACE_TOOLS, wish, tools) or _shell(
                shlex.join(["sed", "-i", f"s/{old}/{new}/", file]), tools
            )
        case Write(path, content):
            file = f"{workspace}/{path}"
            wish = {"file_path": file, "content": content, "contents": content}
            return _first(WRITE_TOOLS, wish, tools) or _shell(
                f"{shlex.join(['printf', '%s', content])} > {shlex.quote(file)}", tools
            )
        case _:
            raise ValueError(f"{step} is no deed of a tool")


def tell(steps: Sequence[Step]) -> str:
    """The steps in one answer of words, for an agent that takes edits out of it."""
    return "\n\n".join(filter(None, map(_tell, steps)))


def _tell(step: Step) -> str:
    match step:
        case Say(text):
            return text
        case Read(path):
            return f"I need to see {path} first."
        case Replace(path, old, new):
            return f"{path}\n```\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n```"
        case Write(path, content):
            return f"{path}\n```\n<<<<<<< SEARCH\n=======\n{content.rstrip()}\n>>>>>>> REPLACE\n```"
        case _:
            return ""


def _shell(command: str, tools: Tools) -> ToolCall:
    wish = {"command": command, "cmd": command, "description": "As scripted."}
    call = _first(SHELL_TOOLS, wish, tools)
    assert call is not None, f"none of these tools runs a command: {', '.join(tools)}"
    return call


def _first(names: Sequence[str], arguments: Mapping[str, str], tools: Tools) -> ToolCall | None:
    """A call of the first tool that is offered, with those of the arguments that it knows."""
    for name in names:
        if name in tools:
            known = tools[name]["properties"]
            return ToolCall(name, {argument: value for argument, value in arguments.items() if argument in known})
    return None
