"""Every agent has an image that is built the same way, from locks that hold nothing but versions and hashes."""

import json
import os
import re
import subprocess

import pytest
import yaml
from deployment import ROOT, read_template

from outpost.domain.agents import AGENTS
from outpost_runner.agents import ADAPTERS

FOLDER = ROOT / "agents"
BAKE = (FOLDER / "docker-bake.hcl").read_text()
TARGETS = dict(re.findall(r'^target "(\w+)" \{\n(.+?)^\}', BAKE, re.MULTILINE | re.DOTALL))
IMAGES = sorted([*AGENTS, "base"])
NPM_LOCKS = sorted(FOLDER.glob("*/package-lock.json"))
PIP_LOCKS = sorted(FOLDER.glob("*/requirements.txt"))
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "images.yaml").read_text())
TASKS = {
    task["Properties"]["Family"]["Fn::Sub"]: task["Properties"]
    for task in read_template()["Resources"].values()
    if task["Type"] == "AWS::ECS::TaskDefinition"
}


def dockerfile(image):
    return (FOLDER / image / "Dockerfile").read_text()


def platforms(image):
    """The architectures that the bake file builds an image for, as Docker calls them."""
    own = re.search(r"platforms +=.+", TARGETS[image]) or re.search(r"platforms +=.+", TARGETS["_image"])
    return set(re.findall(r'"linux/(\w+)"', own.group()))


def by_folder(path):
    return path.parent.name


def test_every_agent_has_its_adapter_in_the_runner():
    assert sorted(adapter.name for adapter in ADAPTERS) == sorted(AGENTS)


def test_every_image_has_its_target_in_the_bake_file():
    assert sorted(name for name in TARGETS if not name.startswith("_")) == IMAGES


def test_the_bake_file_builds_every_image_unasked():
    default = re.search(r'group "default" \{\s+targets = \[(.+)\]', BAKE).group(1)
    assert sorted(re.findall(r'"(\w+)"', default)) == IMAGES


@pytest.mark.parametrize("image", IMAGES)
def test_a_target_builds_its_own_dockerfile_under_its_own_name(image):
    assert f'dockerfile = "{image}/Dockerfile"' in TARGETS[image]
    assert f'= tags("{image}")' in TARGETS[image]


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_is_labelled_with_its_name_version_and_revision(image):
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]+)"', dockerfile(image)))
    expected = {"title": f"outpost-{image}", "version": "${VERSION}", "revision": "${REVISION}"}
    assert labels.items() >= expected.items()


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agents_image_ends_on_the_base(agent):
    assert "ARG BASE_IMAGE=outpost-base\n" in dockerfile(agent)
    assert re.findall(r"^FROM (.+)$", dockerfile(agent), re.MULTILINE)[-1] == "${BASE_IMAGE}"
    assert 'inherits   = ["_agent"]' in TARGETS[agent]
    assert 'outpost-base = "target:base"' in TARGETS["_agent"]


def test_the_images_from_outside_are_pinned_each_to_one_tag():
    tags = {tag for image in IMAGES for tag in re.findall(r"^ARG (\w+_TAG=.*)$", dockerfile(image), re.MULTILINE)}
    outside = {
        source
        for image in IMAGES
        for source in re.findall(r"^FROM (?:--\S+ )?(\S+)", dockerfile(image), re.MULTILINE)
        if source != "${BASE_IMAGE}"
    }
    assert outside == {"debian:${DEBIAN_TAG}", "node:${NODE_TAG}"}
    assert sorted(re.sub(r"=.*\d.*-slim$", "=pinned", tag) for tag in tags) == ["DEBIAN_TAG=pinned", "NODE_TAG=pinned"]


@pytest.mark.parametrize("agent", AGENTS)
def test_an_image_is_built_for_the_processor_that_its_task_asks_for(agent):
    processor = TASKS[f"outpost-{agent}-${{Env}}"]["RuntimePlatform"]["CpuArchitecture"]
    assert {"ARM64": "arm64", "X86_64": "amd64"}[processor] in platforms(agent)


@pytest.mark.parametrize("lock", [*NPM_LOCKS, *PIP_LOCKS], ids=by_folder)
def test_an_image_takes_the_steps_that_its_installer_takes_natively(lock):
    agent = by_folder(lock)
    assert f"RUN /agents/install-agent.sh {agent} /opt/agents\n" in dockerfile(agent)
    assert f"RUN ln -s /opt/agents/bin/{agent} /usr/local/bin/{agent}\n" in dockerfile(agent)


def test_every_agent_with_a_model_is_installed_from_a_lock():
    locked = sorted(by_folder(lock) for lock in (*NPM_LOCKS, *PIP_LOCKS))
    assert locked == sorted(agent.name for agent in AGENTS.values() if agent.provider)


@pytest.mark.parametrize("path", NPM_LOCKS, ids=by_folder)
def test_an_npm_lock_pins_exactly_what_its_package_asks_for(path):
    package, lock = (json.loads(file.read_text()) for file in (path.with_name("package.json"), path))
    (version,) = package["dependencies"].values()
    assert package["private"] is True
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert lock["packages"][""]["dependencies"] == package["dependencies"]


@pytest.mark.parametrize("path", NPM_LOCKS, ids=by_folder)
def test_an_npm_lock_holds_hashes_and_no_address(path):
    packages = [entry for name, entry in json.loads(path.read_text())["packages"].items() if name]
    assert packages
    assert [entry for entry in packages if not entry["integrity"].startswith("sha512-")] == []
    assert "resolved" not in path.read_text()
    assert "//" not in re.sub(r'"integrity": "[^"]+"', "", path.read_text())


def native_builds(path):
    """The processors, as Docker calls them, that a lock has a program for."""
    entries = [entry for name, entry in json.loads(path.read_text())["packages"].items() if name]
    built = {cpu for entry in entries if "linux" in entry.get("os", []) for cpu in entry.get("cpu", [])}
    return {{"x64": "amd64"}.get(cpu, cpu) for cpu in built}


@pytest.mark.parametrize("path", NPM_LOCKS, ids=by_folder)
def test_an_npm_lock_has_a_build_for_every_processor_of_its_image(path):
    assert native_builds(path) >= platforms(by_folder(path))


@pytest.mark.parametrize("path", PIP_LOCKS, ids=by_folder)
def test_a_pip_lock_pins_what_is_asked_for_with_hashes_and_no_address(path):
    asked = path.with_name("requirements.in").read_text().strip()
    requirements = re.split(r"\n(?=\w)", path.read_text())
    assert re.fullmatch(r"[\w-]+==\d+\.\d+\.\d+", asked)
    assert f"{asked} \\" in [requirement.splitlines()[0] for requirement in requirements]
    assert [requirement for requirement in requirements if "--hash=sha256:" not in requirement] == []
    assert "//" not in path.read_text()


def test_every_agents_image_is_scanned_before_any_is_pushed():
    assert WORKFLOW["jobs"]["build-and-scan"]["strategy"]["matrix"]["image"] == sorted(AGENTS)
    assert WORKFLOW["jobs"]["push"]["needs"] == "build-and-scan"


def test_an_agent_that_nobody_can_install_is_refused(tmp_path):
    command = [FOLDER / "install-agent.sh", "clippy", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "install-agent.sh: there is no command line to install by the name of clippy\n",
    )
    assert list(tmp_path.iterdir()) == []


AWS = """#!/bin/sh
case "$1 $2" in
  "ecr describe-repositories") echo 123456789012.dkr.ecr.us-east-1.amazonaws.com/outpost-base ;;
  "ecr get-login-password") echo a-password ;;
  "cloudformation describe-stacks") [ "$4" = outpost-prod ] && echo "$RUNNING" ;;
esac
"""
DOCKER = """#!/bin/sh
echo "$@" >> "$CALLS"
if [ "$1" = login ]; then cat >> "$CALLS"; else echo "$REGISTRY $VERSION $REVISION $IMAGE_TAG" >> "$CALLS"; fi
"""


@pytest.fixture
def push(tmp_path):
    """Pushes to `prod` with stand-ins for the two tools; returns how it ended and what Docker was asked for."""
    for name, text in (("aws", AWS), ("docker", DOCKER)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    calls = tmp_path / "calls"
    calls.touch()

    def run(version, running="stable"):
        path = f"{tmp_path}:{os.environ['PATH']}"
        environment = {"PATH": path, "CALLS": str(calls), "VERSION": version, "REVISION": "abc", "RUNNING": running}
        command = [FOLDER / "push-images.sh", "prod"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done, calls.read_text().splitlines()

    return run


def test_a_push_tags_with_the_version_and_with_what_the_environments_tasks_run(push):
    done, calls = push("v1.2.3")
    registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    assert done.returncode == 0, done.stderr
    assert calls == [
        f"login --username AWS --password-stdin {registry}",
        "a-password",
        "buildx bake --file agents/docker-bake.hcl --push",
        f"{registry} v1.2.3 abc stable",
    ]


def test_a_push_leaves_an_environment_at_the_version_that_it_is_held_at(push):
    done, calls = push("v1.2.3", running="v1.0.0")
    assert calls[-1].split()[1:] == ["v1.2.3", "abc", "v1.2.3"]
    assert done.stdout == "prod is held at v1.0.0, and stays there\n"


def test_what_is_not_committed_is_not_pushed(push):
    done, calls = push("v1.2.3-1-gabc-dirty")
    assert (done.returncode, calls) == (1, [])
    assert "commit first" in done.stderr
