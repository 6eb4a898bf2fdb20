"""What an agent of the catalogue needs elsewhere, part by part."""

import re
from collections.abc import Iterator

from deployment import ROOT, read_template

from outpost.domain.agents import Agent
from outpost_runner.agents import ADAPTERS
from outpost_runner.gateway.known_providers import KNOWN_PROVIDERS

IMAGES = ROOT / "agents"
API_PAGE = ROOT / "docs" / "api.md"


def missing_parts(agent: Agent) -> list[str]:
    """What is still to be made for the agent."""
    return [part for part, is_there in _parts(agent) if not is_there]


def _parts(agent: Agent) -> Iterator[tuple[str, bool]]:
    name, resources = agent.name, list(read_template()["Resources"].values())
    own = [resource for resource in resources if f"outpost-{name}" in str(resource)]
    yield (
        f"an adapter in agents/outpost_runner/agents/{name}.py, listed in ADAPTERS",
        name in [a.name for a in ADAPTERS],
    )
    yield f"agents/{name}/Dockerfile", (IMAGES / name / "Dockerfile").is_file()
    bake = (IMAGES / "docker-bake.hcl").read_text()
    yield f'target "{name}" in agents/docker-bake.hcl', f'target "{name}"' in bake
    yield f"a task definition outpost-{name}-${{Env}}", _has(own, "AWS::ECS::TaskDefinition")
    yield f"a repository outpost-{name}", _has(own, "AWS::ECR::Repository")
    groups = [resource for resource in resources if f"/outpost/${{Env}}/agents/{name}" in str(resource)]
    yield f"a log group /outpost/${{Env}}/agents/{name}", _has(groups, "AWS::Logs::LogGroup")
    if agent.provider is not None:
        yield f"the provider {agent.provider} in the gateway's KNOWN_PROVIDERS", agent.provider in KNOWN_PROVIDERS
    row = re.compile(rf"^\| `{re.escape(name)}` \|.*`{re.escape(agent.default_model_id)}`", re.MULTILINE)
    yield "its row, with its default model, in docs/api.md", row.search(API_PAGE.read_text()) is not None


def _has(resources: list[dict[str, object]], kind: str) -> bool:
    return any(resource["Type"] == kind for resource in resources)
