"""The help and docs/cli.md: both know every command and every exit code."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from outpost_cli.errors import ExitCode
from outpost_cli.main import app

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")


def list_commands(group, path=()):
    """The paths of all commands below a group, at whatever depth."""
    inner = [(command, (*path, name)) for name, command in group.commands.items()]
    return [
        found
        for command, name in inner
        for found in (list_commands(command, name) if hasattr(command, "commands") else [" ".join(name)])
    ]


COMMANDS = sorted(list_commands(get_command(app)))


def test_the_page_lists_exactly_the_commands_that_exist():
    assert sorted(re.findall(r"^\| `outpost ([a-z -]+)` \|", PAGE, re.MULTILINE)) == COMMANDS


def test_the_page_lists_exactly_the_exit_codes_that_exist():
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)] == sorted(ExitCode)


def test_the_apps_help_lists_the_exit_codes(run_program):
    told = run_program("--help").stdout.split("Exit codes:")[1]
    assert {int(code) for code in re.findall(r"\d+", told)} == set(ExitCode)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(run_program, command):
    result = run_program(*command.split(), "--help")
    assert result.exit_code == 0
    assert re.search(rf"Examples:.*outpost {command}", result.stdout, re.DOTALL)


def test_a_flag_shows_no_type(run_program):
    told = run_program("dispatch", "--help").stdout
    assert re.search(r"--wait +-w +Wait for", told)
    assert re.search(r"--json +One JSON", told)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_comes_for_each_shell(run_program, monkeypatch, shell):
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    assert "_OUTPOST_COMPLETE" in run_program("--show-completion", shell).stdout


def test_no_command_at_all_shows_the_help(run_program):
    assert "Usage: outpost" in run_program().output
