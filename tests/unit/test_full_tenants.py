"""A process remembers how a tenant's last run had to wait, and is not misled by it."""

from dataclasses import replace

import pytest
from builders import a_tenant

from outpost.domain.run import RunStatus

FULL = {"active_runs": 100}


def test_a_run_behind_its_own_is_tried_so_again_at_once(world):
    world.change_tenant(active_runs=10)
    world.admit(1)
    world.runs.tries = 0
    assert world.admit(2).status is RunStatus.QUEUED
    assert world.runs.tries == 1


def test_a_run_behind_others_is_tried_so_again_at_once(world):
    world.change_deployment(**FULL)
    world.admit(1)
    world.runs.tries = 0
    assert world.admit(2).status is RunStatus.QUEUED
    assert world.runs.tries == 1


@pytest.mark.parametrize(
    ("full", "free"),
    [
        ({"active_runs": 10}, {"active_runs": 9, "queued_runs": 0}),
        ({"queued_runs": 1}, {"queued_runs": 0}),
    ],
)
def test_a_tenant_that_was_full_is_not_taken_for_full_for_ever(world, full, free):
    world.change_tenant(**full)
    world.admit(1)
    world.change_tenant(**free)
    assert world.admit(2).status is RunStatus.PENDING
    assert world.full_tenants == {}


def test_a_deployment_that_was_full_is_not_taken_for_full_for_ever(world):
    world.change_deployment(**FULL)
    world.admit(1)
    world.change_tenant(queued_runs=0)
    world.change_deployment(active_runs=0)
    assert world.admit(2).status is RunStatus.PENDING


def test_how_one_tenant_had_to_wait_says_nothing_of_another(world):
    world.runs.tenants["other"] = a_tenant(tenant_id="other")
    world.change_tenant(active_runs=10)
    world.admit(1)
    world.runs.tries = 0
    assert world.admit(2, tenant_id="other").status is RunStatus.PENDING
    assert world.runs.tries == 1


def test_a_plan_without_a_queue_refuses_nothing_that_could_begin_at_once(world):
    world.change_deployment(**FULL)
    world.admit(1)
    world.change_tenant(queued_runs=0)
    world.change_deployment(active_runs=0)
    plan = replace(world.tenant().plan, queued_runs=0)
    world.change_tenant(plan=plan, plan_revision=2)
    assert world.admit(2).status is RunStatus.PENDING
