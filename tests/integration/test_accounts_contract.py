"""What every `Accounts`, `Keyring` and `ApiKeys` promises, of the tables and of the fake alike."""

from dataclasses import replace

import pytest
from builders import NOON, a_key, a_plan, a_tenant, later

from outpost.domain.admission import Allowance, Usage
from outpost.domain.api_key import KeyStatus, Restrictions, Scope
from outpost.domain.errors import TenantSuspended
from outpost.domain.event import EventType
from outpost.domain.plan import PlanKind, month_of
from outpost.domain.tenant import TenantStatus
from outpost.ports import Terms

from .both import MONTH, SWITCH, numbered, waiting

PLAN = a_plan(
    kind=PlanKind.TRIAL,
    ends_at=later(days=14),
    dispatches=50,
    agent_minutes=500,
    workspaces=20,
    monthly_budget_microusd=1_000_000,
    largest_cpu_units=1_024,
    largest_memory_mb=4_096,
    agents=("shell",),
    allowed_repositories=("acme/*",),
    denied_repositories=("acme/secret",),
    own_secrets_required=True,
)


def key_number(number, **changes):
    """Another key of the tenant; a higher number is newer."""
    return a_key(key_hash=f"{number:064x}", key_id=f"01Q3ENHRG1{number:016d}", **changes)


def add_keys(ports, *numbers):
    """Further keys of the tenant."""
    for number in numbers:
        ports.keyring.create(key_number(number), ports.event())


def test_a_tenant_comes_back_as_it_was_made(ports):
    tenant = a_tenant(tenant_id="other", plan=PLAN, name="Öther")
    assert ports.accounts.create_tenant(tenant, key_number(1, tenant_id="other"), [])
    assert ports.accounts.get("other") == tenant


def test_a_tenant_that_was_never_made_is_none(ports):
    assert ports.accounts.get("other") is None


def test_a_tenant_is_made_once(ports):
    assert not ports.accounts.create_tenant(a_tenant(name="Another"), key_number(1), [])
    assert ports.tenant.name == "Acme"
    assert ports.api_keys.use(key_number(1).key_hash, NOON) is None


def pages_of_tenants(ports, limit):
    """The ids of the tenants on the first two pages, and what comes after."""
    first, last = ports.accounts.page(after_tenant_id=None, limit=limit)
    second, end = ports.accounts.page(after_tenant_id=last, limit=limit)
    return [tenant.tenant_id for tenant in first], [tenant.tenant_id for tenant in second], end


def test_pages_of_tenants_are_disjoint_and_complete(ports):
    ports.add_tenant("beta")
    ports.add_tenant("gamma")
    first, second, end = pages_of_tenants(ports, limit=2)
    assert (len(first), len(second), end) == (2, 1, None)
    assert {*first, *second} == {"acme", "beta", "gamma"}


def test_a_page_of_tenants_that_ends_exactly_has_no_more(ports):
    ports.add_tenant("beta")
    assert ports.accounts.page(after_tenant_id=None, limit=2)[1] is None


def test_a_page_shows_tenants_and_nothing_else_of_theirs(ports):
    ports.create(numbered(1))
    tenants, _ = ports.accounts.page(after_tenant_id=None, limit=10)
    assert tenants == (ports.tenant,)


def test_a_change_is_kept_with_the_counters_as_they_are(ports):
    before = ports.tenant
    ports.create(numbered(1))
    suspended = replace(before, status=TenantStatus.SUSPENDED, suspended_reason="unpaid", name="New")
    assert ports.accounts.change(before, suspended, ports.event())
    assert (ports.tenant.status, ports.tenant.suspended_reason, ports.tenant.name) == ("SUSPENDED", "unpaid", "New")
    assert ports.counters == (1, 0, 1)


def test_what_a_change_takes_away_is_gone(ports):
    ports.change_tenant(status=TenantStatus.SUSPENDED, suspended_reason="unpaid")
    ports.change_tenant(status=TenantStatus.ACTIVE, suspended_reason=None)
    assert (ports.tenant.status, ports.tenant.suspended_reason) == (TenantStatus.ACTIVE, None)


def test_a_switch_is_put_on_and_lifted(ports):
    assert ports.change_tenant(kill_switch=SWITCH).kill_switch == SWITCH
    assert ports.change_tenant(kill_switch=None).kill_switch is None


def test_a_change_decided_upon_another_plan_is_refused(ports):
    stale = ports.tenant
    ports.change_tenant(plan=PLAN, plan_revision=2)
    assert not ports.accounts.change(stale, replace(stale, plan=a_plan(dispatches=1), plan_revision=2), ports.event())
    assert ports.tenant.plan == PLAN


def test_a_change_decided_upon_another_status_is_refused(ports):
    stale = ports.tenant
    ports.change_tenant(status=TenantStatus.SUSPENDED)
    assert not ports.accounts.change(stale, replace(stale, kill_switch=SWITCH), ports.event())
    assert ports.tenant.kill_switch is None


def test_the_copies_of_the_plan_that_keys_carry_follow_it(ports):
    add_keys(ports, 1)
    ports.accounts.refresh_copies(ports.change_tenant(plan=PLAN, plan_revision=2))
    carried = [ports.api_keys.use(key.key_hash, NOON).terms for key in (a_key(), key_number(1))]
    assert carried == [Terms(PLAN, 2), Terms(PLAN, 2)]


def test_nothing_was_used_at_first(ports):
    assert ports.accounts.usage("acme", MONTH) == Usage()


def test_use_is_the_tenants_own(ports):
    others = ports.add_tenant("other")
    ports.runs.create(numbered(1, tenant_id="other"), ports.event(tenant_id="other"), others)
    assert ports.accounts.usage("acme", MONTH) == Usage()
    assert ports.accounts.usage("other", MONTH).dispatches == 1


def test_use_is_counted_by_period_and_by_key(ports):
    ports.create(numbered(1))
    february = Allowance(month_of(later(days=31)))
    assert ports.accounts.usage("acme", february) == Usage()
    assert ports.accounts.usage("acme", Allowance(MONTH.period, key_id=a_key().key_id)) == Usage()


def test_a_key_comes_back_as_it_was_made(ports):
    key = key_number(
        1,
        scopes=frozenset({Scope.STATUS, Scope.CANCEL}),
        created_by=a_key().key_id,
        expires_at=later(days=30),
        restrictions=Restrictions(("shell",), ("acme/*",), 5_000_000),
    )
    ports.keyring.create(key, ports.event())
    assert ports.keyring.get("acme", key.key_id) == key


def test_a_key_carries_its_tenants_plan_from_the_beginning(ports):
    ports.change_tenant(plan=PLAN, plan_revision=2)
    add_keys(ports, 1)
    assert ports.api_keys.use(key_number(1).key_hash, NOON).terms == Terms(PLAN, 2)


def test_a_key_is_not_found_under_another_tenant(ports):
    ports.add_tenant("other")
    assert ports.keyring.get("other", key_number(1).key_id) is None
    assert ports.keyring.get("acme", "01Q3ENHRG0NNNNNNNNNNNNNNNN") is None


def test_a_suspended_tenant_gets_no_key(ports):
    ports.change_tenant(status=TenantStatus.SUSPENDED)
    with pytest.raises(TenantSuspended):
        add_keys(ports, 1)
    assert ports.keyring.get("acme", key_number(1).key_id) is None


def test_a_tenant_that_is_not_there_gets_no_key(ports):
    with pytest.raises(TenantSuspended):
        ports.keyring.create(key_number(1, tenant_id="other"), ports.event(tenant_id="other"))


def rotate(ports, number=1, **changes):
    """Whether the tenant's first key was replaced by the key of that number."""
    before = changes.get("before", ports.keyring.get("acme", a_key().key_id))
    after = replace(before, expires_at=later(hours=1), replaced_by=key_number(number).key_id)
    return ports.keyring.rotate(before, after, key_number(number), ports.event(type=EventType.KEY_ROTATED))


def test_a_rotated_key_knows_its_successor_and_its_end(ports):
    assert rotate(ports)
    old = ports.keyring.get("acme", a_key().key_id)
    assert (old.replaced_by, old.expires_at, old.status) == (key_number(1).key_id, later(hours=1), KeyStatus.ACTIVE)
    assert ports.keyring.get("acme", key_number(1).key_id) == key_number(1)


def test_a_key_is_rotated_once(ports):
    before = ports.keyring.get("acme", a_key().key_id)
    assert rotate(ports, 1, before=before)
    assert not rotate(ports, 2, before=before)
    assert ports.keyring.get("acme", a_key().key_id).replaced_by == key_number(1).key_id
    assert ports.keyring.get("acme", key_number(2).key_id) is None


def revoke(ports, before=None):
    """Whether the tenant's first key was revoked."""
    before = before or ports.keyring.get("acme", a_key().key_id)
    revoked = replace(before, status=KeyStatus.REVOKED)
    return ports.keyring.revoke(before, revoked, ports.event(type=EventType.KEY_REVOKED))


def test_a_revoked_key_is_not_active(ports):
    assert revoke(ports)
    assert ports.keyring.get("acme", a_key().key_id).status is KeyStatus.REVOKED


def test_a_revoked_key_is_not_rotated(ports):
    before = ports.keyring.get("acme", a_key().key_id)
    revoke(ports)
    assert not rotate(ports, before=before)
    assert ports.keyring.get("acme", key_number(1).key_id) is None


def test_a_key_is_revoked_once(ports):
    before = ports.keyring.get("acme", a_key().key_id)
    assert revoke(ports, before)
    assert not revoke(ports, before)


def test_a_rotated_key_can_be_revoked_within_its_grace(ports):
    rotate(ports)
    assert revoke(ports)
    assert ports.keyring.get("acme", a_key().key_id).status is KeyStatus.REVOKED


def test_a_key_can_be_revoked_by_one_who_did_not_know_that_it_was_rotated(ports):
    before = ports.keyring.get("acme", a_key().key_id)
    rotate(ports)
    assert revoke(ports, before)
    assert ports.keyring.get("acme", a_key().key_id).replaced_by == key_number(1).key_id


def test_pages_of_keys_are_newest_first_disjoint_and_complete(ports):
    add_keys(ports, 1, 2)
    first = ports.keyring.page("acme", before_key_id=None, limit=2)
    second = ports.keyring.page("acme", before_key_id=first.last_key_id, limit=2)
    assert [key.key_id for key in first.keys] == [key_number(2).key_id, key_number(1).key_id]
    assert [key.key_id for key in second.keys] == [a_key().key_id]
    assert second.last_key_id is None


def test_a_key_that_nobody_made_is_none(ports):
    assert ports.api_keys.use("f" * 64, NOON) is None
    assert ports.api_keys.use("f" * 64, NOON) is None


def test_a_use_of_a_key_tells_what_is_left_of_its_rate(make_ports):
    ports = make_ports(requests_per_minute=3)
    rates = [ports.api_keys.use(a_key().key_hash, NOON).rate for _ in range(3)]
    assert [(rate.limit, rate.remaining, rate.is_exceeded) for rate in rates] == [
        (3, 2, False),
        (3, 1, False),
        (3, 0, False),
    ]


def test_one_request_too_many_is_told(make_ports):
    ports = make_ports(requests_per_minute=1)
    ports.api_keys.use(a_key().key_hash, NOON)
    rate = ports.api_keys.use(a_key().key_hash, NOON).rate
    assert (rate.is_exceeded, rate.remaining) == (True, 0)


def test_a_use_is_confirmed_by_key_and_tenant_as_they_are_now(ports):
    use = ports.api_keys.use(a_key().key_hash, NOON)
    ports.change_tenant(status=TenantStatus.SUSPENDED)
    key, tenant = ports.api_keys.confirm(use)
    assert (key.key_id, tenant.status) == (a_key().key_id, TenantStatus.SUSPENDED)


def test_a_later_use_is_confirmed_by_the_key_as_it_is_now(ports):
    ports.api_keys.use(a_key().key_hash, NOON)
    use = ports.api_keys.use(a_key().key_hash, NOON)
    revoke(ports)
    key, _ = ports.api_keys.confirm(use)
    assert key.status is KeyStatus.REVOKED


def test_a_key_that_was_forgotten_is_read_anew(ports):
    ports.api_keys.use(a_key().key_hash, NOON)
    revoke(ports)
    ports.api_keys.forget(a_key().key_hash)
    assert ports.api_keys.use(a_key().key_hash, NOON).key.status is KeyStatus.REVOKED


def test_tenants_with_use_of_the_queue_come_back_whole(make_ports):
    ports = make_ports(plan=a_plan(concurrent_runs=1))
    ports.create(numbered(1))
    ports.create(waiting(2))
    assert (ports.tenant.active_runs, ports.tenant.queued_runs, ports.tenant.plan) == (1, 1, a_plan(concurrent_runs=1))
