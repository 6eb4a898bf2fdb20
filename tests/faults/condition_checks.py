"""Small checks of what each condition is for; each fails where its condition is dropped."""

from contextlib import suppress
from dataclasses import replace

from builders import (
    NOON,
    a_key,
    a_plan,
    a_promotion,
    a_report,
    a_run,
    a_running_run,
    a_secret,
    a_tenant,
    later,
    taken,
)

from outpost.adapters.dynamo_items import ItemMalformed, secret_count_key, tenant_key
from outpost.domain.api_key import KeyStatus
from outpost.domain.batch import Batch
from outpost.domain.errors import SecretsFull, TenantSuspended
from outpost.domain.report import Artifact
from outpost.domain.run import RunStatus
from outpost.domain.secret import MOST_SECRETS
from outpost.ports import PromotionChangedMeanwhile, RunChangedMeanwhile, SlotRefused, WorkForbidden

from .admission_checks import ADMISSION_CHECKS, BEHIND_OWN, OPEN, SWITCH
from .bench import DEPLOYMENT_SLOTS, QUEUED, SLOTS, Bench, Check, other_run, refusal
from .workspace_checks import WORKSPACE_CHECKS

ENDED = a_run(status=RunStatus.FAILED, ended_at=later(seconds=5))
RELEASED = QUEUED.released(later(seconds=5))
SUCCESSOR = a_key(key_id="01Q3ENHRG0SUCCESSORSUCCESS", key_hash="e" * 64)
REPLACED = a_key(replaced_by=SUCCESSOR.key_id, expires_at=later(hours=1))
REVOKED = a_key(status=KeyStatus.REVOKED)
NEWER = a_secret(revision=2)


def a_report_is_never_written_over(bench: Bench) -> None:
    bench.create(a_run())
    artifact = Artifact(1, "output.log", "log", 6, "0" * 64, "text/plain")
    running = bench.runs.save(a_run(), a_running_run(), None)
    reported = bench.runs.save(running, replace(running, report=a_report()), None, [artifact])
    again = replace(reported, report=a_report(exit_code=1))
    assert refusal(lambda: bench.runs.save(reported, again, None, [])) is RunChangedMeanwhile


def a_slot_is_freed_of_a_tenant_only(bench: Bench) -> None:
    bench.create(a_run())
    bench.delete(bench.deployment.settings.tenants_table, tenant_key("acme"))
    assert bench.save(a_run(), ENDED) is not None


def a_stale_change_is_refused(bench: Bench) -> None:
    bench.create(a_run())
    bench.save(a_run(), a_running_run())
    assert bench.save(a_run(), ENDED) is RunChangedMeanwhile


def a_stale_sign_of_life_is_refused(bench: Bench) -> None:
    bench.create(a_run())
    bench.runs.save(a_run(), a_running_run(), None)
    stale = replace(a_run(), check_at=later(seconds=90))
    assert refusal(lambda: bench.runs.save(a_run(), stale, None)) is RunChangedMeanwhile


def a_suspended_tenant_gets_no_slot(bench: Bench) -> None:
    _wait_for_a_free_slot(bench)
    bench.set_tenant(status="SUSPENDED")
    assert bench.save(QUEUED, RELEASED) is SlotRefused


def a_tenant_gets_no_slot_while_its_switch_is_on(bench: Bench) -> None:
    _wait_for_a_free_slot(bench)
    bench.set_tenant(kill_switch=SWITCH)
    assert bench.save(QUEUED, RELEASED) is SlotRefused


def a_tenant_gets_no_slot_beyond_its_limit(bench: Bench) -> None:
    _wait_for_a_free_slot(bench)
    bench.set_tenant(active_runs=SLOTS)
    assert bench.save(QUEUED, RELEASED) is SlotRefused


def nobody_gets_a_slot_while_the_deployments_switch_is_on(bench: Bench) -> None:
    _wait_for_a_free_slot(bench)
    bench.set_deployment(kill_switch=SWITCH)
    assert bench.save(QUEUED, RELEASED) is SlotRefused


def nobody_gets_a_slot_beyond_the_deployments_limit(bench: Bench) -> None:
    _wait_for_a_free_slot(bench)
    bench.set_deployment(active_runs=DEPLOYMENT_SLOTS)
    assert bench.save(QUEUED, RELEASED) is SlotRefused


def nobody_gets_a_slot_while_the_agents_breaker_is_open(bench: Bench) -> None:
    _wait_for_a_free_slot(bench)
    bench.set_deployment(**OPEN)
    assert bench.save(QUEUED, RELEASED) is SlotRefused


def _wait_for_a_free_slot(bench: Bench) -> None:
    assert bench.create_as(BEHIND_OWN) is None
    bench.set_tenant(active_runs=SLOTS - 1)


def a_suspended_tenants_run_is_not_claimed(bench: Bench) -> None:
    bench.create(a_run())
    bench.set_tenant(status="SUSPENDED")
    assert bench.save(a_run(), a_running_run()) is WorkForbidden


def a_run_is_not_claimed_while_its_tenants_switch_is_on(bench: Bench) -> None:
    bench.create(a_run())
    bench.set_tenant(kill_switch=SWITCH)
    assert bench.save(a_run(), a_running_run()) is WorkForbidden


def a_run_is_not_claimed_while_the_deployments_switch_is_on(bench: Bench) -> None:
    bench.create(a_run())
    bench.set_deployment(kill_switch=SWITCH)
    assert bench.save(a_run(), a_running_run()) is WorkForbidden


def a_tenant_is_made_once(bench: Bench) -> None:
    again = a_key(key_hash="f" * 64, key_id="01Q3ENHRG0ANOTHERKEYANOTHE")
    assert not bench.accounts.create_tenant(a_tenant(), again, [])


def a_key_is_made_once(bench: Bench) -> None:
    assert not bench.accounts.create_tenant(a_tenant(tenant_id="other"), a_key(tenant_id="other"), [])


def a_name_of_a_key_is_given_once(bench: Bench) -> None:
    assert refusal(lambda: bench.keyring.create(a_key(key_hash="f" * 64), bench.event())) is not None


def a_key_gets_the_plan_that_its_tenant_has(bench: Bench) -> None:
    bench.watch.before_next("TransactWriteItems", lambda: bench.set_tenant(plan_revision=2))
    bench.keyring.create(SUCCESSOR, bench.event())
    use = bench.api_keys.use(SUCCESSOR.key_hash, NOON)
    assert use is not None
    assert use.terms.plan_revision == 2


def a_suspended_tenant_gets_no_key(bench: Bench) -> None:
    bench.watch.before_next("TransactWriteItems", lambda: bench.set_tenant(status="SUSPENDED"))
    assert refusal(lambda: bench.keyring.create(SUCCESSOR, bench.event())) is TenantSuspended


def a_key_is_replaced_once(bench: Bench) -> None:
    bench.set_key(replaced_by="another")
    assert not bench.keyring.rotate(a_key(), REPLACED, SUCCESSOR, bench.event())


def a_revoked_key_is_not_replaced(bench: Bench) -> None:
    bench.set_key(status="REVOKED")
    assert not bench.keyring.rotate(a_key(), REPLACED, SUCCESSOR, bench.event())


def a_key_is_revoked_once(bench: Bench) -> None:
    bench.set_key(status="REVOKED")
    assert not bench.keyring.revoke(a_key(), REVOKED, bench.event())


def a_copy_of_a_plan_never_gets_older(bench: Bench) -> None:
    bench.set_key(plan_revision=3)
    bench.keyring.refresh_copies(a_tenant(plan=a_plan(concurrent_runs=1), plan_revision=2))
    use = bench.api_keys.use(a_key().key_hash, NOON)
    assert use is not None
    assert use.terms.plan_revision == 3


def a_key_that_is_not_there_is_not_made_by_its_use(bench: Bench) -> None:
    with suppress(ItemMalformed):
        bench.api_keys.use("f" * 64, NOON)
    assert bench.count_keys() == 1


def a_plan_changed_meanwhile_is_not_written_over(bench: Bench) -> None:
    tenant = bench.stored_tenant()
    bench.set_tenant(plan_revision=2)
    assert not bench.accounts.change(tenant, replace(tenant, name="Another"), bench.event())


def a_tenant_suspended_meanwhile_is_not_changed(bench: Bench) -> None:
    tenant = bench.stored_tenant()
    bench.set_tenant(status="SUSPENDED")
    assert not bench.accounts.change(tenant, replace(tenant, name="Another"), bench.event())


def a_tenant_with_runs_that_wait_stays_in_the_index(bench: Bench) -> None:
    _wait_for_a_free_slot(bench)
    bench.queue.settle("acme")
    assert [tenant.tenant_id for tenant in bench.queue.waiting_tenants(10)] == ["acme"]


def a_counter_that_moves_while_it_is_counted_is_left_alone(bench: Bench) -> None:
    bench.create(a_run())
    bench.set_tenant(active_runs=0)
    bench.watch.before_next("UpdateItem", lambda: bench.create(other_run()))
    assert bench.slots.correct("acme", later(seconds=1)) == 0


def a_counter_of_the_deployment_that_moves_meanwhile_is_left_alone(bench: Bench) -> None:
    bench.create(a_run())
    bench.set_deployment(active_runs=0)
    bench.watch.before_next("UpdateItem", lambda: bench.create(other_run()))
    assert bench.slots.correct_deployment() == 0


def a_secret_is_recorded_once(bench: Bench) -> None:
    assert bench.secrets.record(None, a_secret(), bench.event())
    assert not bench.secrets.record(None, a_secret(), bench.event())


def a_secret_that_changed_meanwhile_is_not_written_over(bench: Bench) -> None:
    bench.secrets.record(None, NEWER, bench.event())
    assert not bench.secrets.record(a_secret(), NEWER, bench.event())


def a_secret_that_changed_meanwhile_is_not_removed(bench: Bench) -> None:
    bench.secrets.record(None, NEWER, bench.event())
    assert not bench.secrets.remove(a_secret(), bench.event())


def a_tenant_has_no_more_secrets_than_it_may(bench: Bench) -> None:
    bench.set_item(bench.deployment.settings.tenants_table, secret_count_key("acme"), {"secrets": MOST_SECRETS})
    assert refusal(lambda: bench.secrets.record(None, a_secret(), bench.event())) is SecretsFull


def a_run_has_one_promotion(bench: Bench) -> None:
    bench.promotions.create(a_promotion(), bench.event())
    assert refusal(lambda: bench.promotions.create(a_promotion(), bench.event())) is PromotionChangedMeanwhile


def a_promotion_that_changed_meanwhile_is_not_written_over(bench: Bench) -> None:
    bench.promotions.create(a_promotion(), bench.event())
    claimed = taken(a_promotion(), later(minutes=3))
    bench.promotions.save(a_promotion(), claimed, bench.event())
    assert refusal(lambda: bench.promotions.save(a_promotion(), claimed, bench.event())) is PromotionChangedMeanwhile


def one_run_of_a_batch_is_promoted(bench: Bench) -> None:
    bench.batches.put(Batch("acme", "batch", NOON, "echo hello", ()))
    assert bench.batches.note_promotion("acme", "batch", "first")
    assert not bench.batches.note_promotion("acme", "batch", "second")


def a_batch_is_not_made_by_its_promotion(bench: Bench) -> None:
    assert not bench.batches.note_promotion("acme", "batch", "first")


CHECKS: tuple[Check, ...] = (
    *ADMISSION_CHECKS,
    *WORKSPACE_CHECKS,
    a_report_is_never_written_over,
    a_slot_is_freed_of_a_tenant_only,
    a_stale_change_is_refused,
    a_stale_sign_of_life_is_refused,
    a_suspended_tenant_gets_no_slot,
    a_tenant_gets_no_slot_while_its_switch_is_on,
    a_tenant_gets_no_slot_beyond_its_limit,
    nobody_gets_a_slot_while_the_deployments_switch_is_on,
    nobody_gets_a_slot_beyond_the_deployments_limit,
    nobody_gets_a_slot_while_the_agents_breaker_is_open,
    a_suspended_tenants_run_is_not_claimed,
    a_run_is_not_claimed_while_its_tenants_switch_is_on,
    a_run_is_not_claimed_while_the_deployments_switch_is_on,
    a_tenant_is_made_once,
    a_key_is_made_once,
    a_name_of_a_key_is_given_once,
    a_key_gets_the_plan_that_its_tenant_has,
    a_suspended_tenant_gets_no_key,
    a_key_is_replaced_once,
    a_revoked_key_is_not_replaced,
    a_key_is_revoked_once,
    a_copy_of_a_plan_never_gets_older,
    a_key_that_is_not_there_is_not_made_by_its_use,
    a_plan_changed_meanwhile_is_not_written_over,
    a_tenant_suspended_meanwhile_is_not_changed,
    a_tenant_with_runs_that_wait_stays_in_the_index,
    a_counter_that_moves_while_it_is_counted_is_left_alone,
    a_counter_of_the_deployment_that_moves_meanwhile_is_left_alone,
    a_secret_is_recorded_once,
    a_secret_that_changed_meanwhile_is_not_written_over,
    a_secret_that_changed_meanwhile_is_not_removed,
    a_tenant_has_no_more_secrets_than_it_may,
    a_run_has_one_promotion,
    a_promotion_that_changed_meanwhile_is_not_written_over,
    one_run_of_a_batch_is_promoted,
    a_batch_is_not_made_by_its_promotion,
)
