"""A small stack that goes through every bridge, started once per module that needs it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from outpost_local.stack import LocalStack

from .machine import Machine, WaitingMachine

SMALL_STACK = Path(__file__).parent / "small_stack" / "template.yaml"


@pytest.fixture(scope="module")
def small_stack() -> Iterator[LocalStack]:
    with LocalStack.start(SMALL_STACK) as stack:
        yield stack


@pytest.fixture
def machine(small_stack: LocalStack) -> Machine:
    return Machine(small_stack)


@pytest.fixture
def waiting_machine(small_stack: LocalStack) -> WaitingMachine:
    return WaitingMachine(small_stack)


@pytest.fixture
def api(small_stack: LocalStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=small_stack.api_url, trust_env=False, timeout=40) as client:
        yield client
