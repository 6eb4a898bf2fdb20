"""The whole local stack with the agents' real command lines, and a provider of models that plays scripts."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment import ROOT
from stack_caller import Caller, call_stack
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from outpost.domain.agents import AGENTS
from outpost_local import LocalStack
from outpost_local.git_server import GitServer

from ..agents.repository import make_bare_repository
from .interrupting import Interrupted, interrupt
from .playing import GIT_TOKEN, LOOK, NOTE, Played, Player
from .provider.model_provider import ModelProvider
from .provider.steps import Read, Replace, Say, Shell, Write
from .table import Table

# Those that take longest first, so that both of two workers end at about the same time.
REAL_AGENTS = ("aider", "gemini", "grok", "claude", "codex")
TABLE = Table()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "shows(column): the column of the table of agents that the test fills.")


@pytest.fixture(autouse=True)
def _cell(request: pytest.FixtureRequest, record_property) -> None:
    """Tell the table, which another process may keep, what the test is about."""
    column = request.node.get_closest_marker("shows")
    if column is not None:
        record_property("agent", request.getfixturevalue("agent"))
        record_property("column", column.args[0])


class ByAgent(LoadScopeScheduling):
    """All tests of an agent, which share its runs, go to the same worker."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.rpartition("[")[2]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByAgent:
    return ByAgent(config, log)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    TABLE.note(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("The agents")
    for line in TABLE.lines(REAL_AGENTS):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session", params=REAL_AGENTS)
def agent(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bare repository acme/site."""
    files = {"README.md": b"# A site\n\nold words\n", "AGENTS.md": f"{NOTE}\n".encode()}
    return make_bare_repository(tmp_path_factory.mktemp("git"), "acme/site", files)


@pytest.fixture(scope="session")
def stack(repository: Path) -> Iterator[LocalStack]:
    """One for all tests of a process; its git server wants the operator's token."""
    with GitServer(repository.parents[1], credential=("x-access-token", GIT_TOKEN)) as server:
        parameters = {"GitBaseUrl": server.url, "RequestsPerMinute": "100000"}
        with LocalStack.start(ROOT / "template.yaml", parameters) as running:
            _put_secret(running, "outpost/github", token=GIT_TOKEN)
            yield running


@pytest.fixture(scope="session")
def caller(stack: LocalStack) -> Iterator[Caller]:
    with call_stack(stack) as calling:
        yield calling


@pytest.fixture(scope="session")
def provider(stack: LocalStack, agent: str) -> Iterator[ModelProvider]:
    """The provider of the agent's models, whose key the operator has put into the vault."""
    name = AGENTS[agent].provider
    serving = ModelProvider(name, f"sk-canary-of-{name}-7f3a91c05e")
    _put_secret(stack, f"outpost/agents/{name}", apiKey=serving.key, baseUrl=serving.url)
    yield serving
    serving.close()
    assert serving.defects == []


@pytest.fixture(scope="session")
def player(caller: Caller, agent: str, provider: ModelProvider) -> Player:
    return Player(caller, agent, provider)


@pytest.fixture(scope="session")
def edited(player: Player) -> Played:
    """A run that edits a file, makes one, and looks around for secrets where its agent has a shell."""
    return player.play(
        Read("README.md"),
        Replace("README.md", "old words", "new words"),
        Write("made.txt", "made by the agent\n"),
        Shell(LOOK),
        Say("The words are new.", pause_seconds=0.05),
    )


@pytest.fixture(scope="session")
def interrupted(player: Player) -> Interrupted:
    """A run that was cancelled while its model was in the middle of a sentence."""
    return interrupt(player, Write("made.txt", "made by the agent\n"), Say("I begin, and then I pause.", is_held=True))


def _put_secret(stack: LocalStack, name: str, **fields: str) -> None:
    stack.aws.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(fields))
