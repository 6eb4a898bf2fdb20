from dataclasses import replace

import pytest
from builders import SMALL, a_caller, a_plan, a_tenant, terms_of

from outpost.domain.errors import IdempotencyConflict
from outpost.domain.run import RunStatus
from outpost.domain.token import Purpose, verify
from outpost.use_cases.dispatch_run import INLINE_TASK_BYTES, Dispatch, dispatch_run

PORTS = (
    *("runs", "accounts", "secrets", "workspaces", "api_keys", "full_tenants", "files", "executions", "signing_key"),
    *("clock", "identifiers"),
)

TERMS = terms_of(a_tenant())


def a_dispatch(**changes):
    dispatch = Dispatch(
        agent="shell",
        model_id="none",
        task="echo hello",
        timeout_seconds=600,
        body_sha256="1" * 64,
        api_url="https://api.example.com/dev",
        git_base_url="https://git.example.com",
        size=SMALL,
    )
    return replace(dispatch, **changes)


def test_a_dispatch_is_recorded_with_its_event_and_started(world):
    run = dispatch_run(a_caller(), a_dispatch(), TERMS, **world.ports(*PORTS)).run
    assert world.run() == run
    assert run.status is RunStatus.PENDING
    assert world.event_types() == ["run.accepted"]
    assert world.runs.tenants["acme"].active_runs == 1


def test_the_bootstrap_token_is_bound_to_run_and_attempt(world):
    run = dispatch_run(a_caller(), a_dispatch(), TERMS, **world.ports(*PORTS)).run
    claims = verify(
        world.signing_key.value(), Purpose.RUNNER_BOOTSTRAP, world.executions.started[run.run_id], world.clock.now()
    )
    assert (claims["tenant"], claims["run"], claims["attempt"]) == ("acme", run.run_id, 1)


def test_a_start_that_fails_after_the_record_loses_nothing(world):
    world.executions.is_down = True
    run = dispatch_run(a_caller(), a_dispatch(), TERMS, **world.ports(*PORTS)).run
    assert world.run() == run


def test_a_long_task_lies_in_the_bucket_and_only_its_beginning_in_the_record(world):
    task = "é" * INLINE_TASK_BYTES
    run = dispatch_run(a_caller(), a_dispatch(task=task), TERMS, **world.ports(*PORTS)).run
    assert run.task_in_bucket
    assert run.task == task[:1000]
    assert world.files.tasks["acme", run.run_id] == task


def test_the_same_key_and_body_give_the_same_run(world):
    first = dispatch_run(a_caller(), a_dispatch(idempotency_key="k"), TERMS, **world.ports(*PORTS))
    again = dispatch_run(a_caller(), a_dispatch(idempotency_key="k"), TERMS, **world.ports(*PORTS))
    assert (first.is_replay, again.is_replay) == (False, True)
    assert again.run == first.run
    assert world.event_types() == ["run.accepted"]


def test_the_same_key_with_another_body_is_a_conflict(world):
    dispatch_run(a_caller(), a_dispatch(idempotency_key="k"), TERMS, **world.ports(*PORTS))
    with pytest.raises(IdempotencyConflict):
        dispatch_run(a_caller(), a_dispatch(idempotency_key="k", body_sha256="2" * 64), TERMS, **world.ports(*PORTS))


def test_a_key_is_free_again_after_a_day(world):
    first = dispatch_run(a_caller(), a_dispatch(idempotency_key="k"), TERMS, **world.ports(*PORTS)).run
    world.clock.move(hours=24)
    second = dispatch_run(a_caller(), a_dispatch(idempotency_key="k"), TERMS, **world.ports(*PORTS)).run
    assert second.run_id != first.run_id


def test_a_run_of_a_full_tenant_waits_in_its_execution(world):
    world.runs.tenants["acme"] = a_tenant(plan=a_plan(concurrent_runs=1))
    dispatch_run(a_caller(), a_dispatch(), TERMS, **world.ports(*PORTS))
    waiting = dispatch_run(a_caller(), a_dispatch(), TERMS, **world.ports(*PORTS)).run
    assert waiting.status is RunStatus.QUEUED
    assert world.executions.started[waiting.run_id] == ""
    assert world.queue.order("acme") == (waiting.run_id,)
