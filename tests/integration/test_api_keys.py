"""Keys on the tables: counted by the minute, remembered between, and their copies of the plan kept new."""

from dataclasses import replace
from functools import partial

import pytest
from botocore.exceptions import ClientError
from builders import NOON, a_key, a_plan, a_tenant, an_event, later

from outpost.adapters import dynamo_batch, dynamo_update
from outpost.adapters.dynamo_accounts import DynamoAccounts
from outpost.adapters.dynamo_api_keys import WINDOWS_LEFT, DynamoApiKeys
from outpost.adapters.dynamo_items import to_item
from outpost.adapters.dynamo_keyring import DynamoKeyring
from outpost.adapters.dynamo_update import TRIES
from outpost.domain.errors import TenantSuspended, Unavailable
from outpost.domain.tenant import TenantStatus

KEY = a_key().key_hash
MINUTE = 60


@pytest.fixture
def make_keys(deployment, dynamo_runs):
    """Makes what one process knows of the keys."""

    def make(client=None, requests_per_minute=600):
        settings = replace(deployment.settings, requests_per_minute=requests_per_minute)
        return DynamoApiKeys(client or deployment.dynamodb, settings)

    return make


@pytest.fixture
def read_key(deployment):
    """Reads the key's item."""

    def read(key_hash=KEY):
        return deployment.dynamodb.get_item(
            TableName=deployment.settings.api_keys_table, Key=to_item({"key_hash": key_hash})
        ).get("Item")

    return read


def windows(item):
    """The minutes that the item counts."""
    return [name for name in item if name.startswith("taken_")]


def test_a_key_that_nobody_made_is_not_made_by_its_use(make_keys, read_key):
    assert make_keys().use("f" * 64, NOON) is None
    assert read_key("f" * 64) is None


def reads_of(keys, uses):
    """Which of so many uses in one minute were read, the others remembered."""
    return [number for number in range(uses) if keys.use(KEY, NOON).is_fresh]


def test_a_process_takes_two_requests_at_first_and_twice_as_many_each_time(make_keys):
    assert reads_of(make_keys(), 20) == [0, 2, 6, 14]


def test_a_process_takes_at_most_a_twentieth_of_the_rate_at_once(make_keys, calls):
    keys = make_keys(requests_per_minute=100)
    calls.clear()
    assert reads_of(keys, 17) == [0, 2, 6, 11, 16]
    assert calls == ["UpdateItem"] * 5


def test_a_use_is_noted_with_its_time(make_keys, read_key):
    make_keys().use(KEY, later(seconds=5))
    assert read_key()["last_used_at"] == {"S": "2030-01-01T12:00:05.000Z"}


def test_what_is_over_costs_no_call_for_the_rest_of_the_minute(make_keys, calls):
    keys = make_keys(requests_per_minute=1)
    keys.use(KEY, NOON)
    calls.clear()
    assert [keys.use(KEY, later(seconds=59)).rate.is_exceeded for _ in range(3)] == [True, True, True]
    assert calls == []


def test_processes_never_let_more_through_than_the_rate(make_keys):
    first, second, third = (make_keys(requests_per_minute=45) for _ in range(3))
    uses = [keys.use(KEY, NOON) for _ in range(40) for keys in (first, second, third)]
    assert sum(not use.rate.is_exceeded for use in uses) <= 45


def test_one_process_lets_exactly_the_rate_through(make_keys):
    keys = make_keys(requests_per_minute=45)
    uses = [keys.use(KEY, NOON) for _ in range(60)]
    assert sum(not use.rate.is_exceeded for use in uses) == 45


def test_a_process_that_comes_late_is_told_that_nothing_is_left(make_keys):
    first, second = make_keys(requests_per_minute=2), make_keys(requests_per_minute=2)
    assert [first.use(KEY, NOON).rate.is_exceeded for _ in range(2)] == [False, False]
    assert second.use(KEY, NOON).rate.is_exceeded


def test_the_next_minute_is_counted_anew(make_keys):
    keys = make_keys(requests_per_minute=1)
    keys.use(KEY, later(seconds=59.999))
    use = keys.use(KEY, later(seconds=MINUTE))
    assert (use.rate.is_exceeded, use.rate.resets_at) == (False, later(seconds=2 * MINUTE))


def counted(*minutes):
    """The attributes that count these minutes after noon."""
    return [f"taken_{int(later(minutes=minute).timestamp()) // MINUTE}" for minute in minutes]


def test_a_minute_that_is_long_over_leaves_nothing_behind(make_keys, read_key):
    keys = make_keys()
    keys.use(KEY, NOON)
    keys.use(KEY, later(minutes=2))
    assert windows(read_key()) == counted(2)


def test_a_minute_that_another_clock_may_still_be_at_is_kept(make_keys, read_key):
    keys = make_keys()
    keys.use(KEY, NOON)
    keys.use(KEY, later(minutes=1))
    assert windows(read_key()) == counted(0, 1)


def test_minutes_that_other_processes_left_are_cleared_away(make_keys, read_key):
    uses = [make_keys().use(KEY, later(minutes=minute)) for minute in range(WINDOWS_LEFT + 1)]
    assert len(windows(read_key())) == len(uses)
    make_keys().use(KEY, later(minutes=WINDOWS_LEFT + 1))
    assert windows(read_key()) == counted(WINDOWS_LEFT, WINDOWS_LEFT + 1)


def test_a_key_that_was_forgotten_is_read_anew(make_keys):
    keys = make_keys()
    keys.use(KEY, NOON)
    keys.forget(KEY)
    assert keys.use(KEY, NOON).is_fresh


def test_a_fresh_use_is_confirmed_by_its_tenant_alone(make_keys, calls):
    keys = make_keys()
    use = keys.use(KEY, NOON)
    calls.clear()
    keys.confirm(use)
    assert calls == ["GetItem"]


def test_a_remembered_use_is_confirmed_by_one_read_of_both(make_keys, calls):
    keys = make_keys()
    keys.use(KEY, NOON)
    use = keys.use(KEY, NOON)
    calls.clear()
    keys.confirm(use)
    assert calls == ["BatchGetItem"]


@pytest.mark.parametrize("table", ["api_keys_table", "tenants_table"])
def test_a_use_of_what_is_gone_is_not_confirmed(make_keys, deployment, table):
    keys = make_keys()
    keys.use(KEY, NOON)
    use = keys.use(KEY, NOON)
    gone = {
        "api_keys_table": to_item({"key_hash": KEY}),
        "tenants_table": to_item({"pk": "TENANT#acme", "sk": "TENANT"}),
    }
    deployment.dynamodb.delete_item(TableName=getattr(deployment.settings, table), Key=gone[table])
    assert keys.confirm(use) is None


class BusyClient:
    """The client, whose updates meet transactions, and whose batches are answered in part, a number of times."""

    def __init__(self, client, times):
        self.client, self.times, self.tried = client, times, 0

    def __getattr__(self, name):
        return getattr(self.client, name)

    def update_item(self, **request):
        self.tried += 1
        if self.tried <= self.times:
            raise ClientError({"Error": {"Code": "TransactionConflictException"}}, "UpdateItem")
        return self.client.update_item(**request)

    def batch_get_item(self, RequestItems):  # noqa: N803 boto3's name
        self.tried += 1
        if self.tried <= self.times:
            return {"Responses": {}, "UnprocessedKeys": RequestItems}
        return self.client.batch_get_item(RequestItems=RequestItems)


@pytest.fixture
def no_waiting(monkeypatch):
    monkeypatch.setattr(dynamo_update.time, "sleep", lambda _: None)
    monkeypatch.setattr(dynamo_batch.time, "sleep", lambda _: None)


def test_a_use_waits_for_a_transaction_that_holds_the_key(make_keys, deployment, no_waiting):
    busy = BusyClient(deployment.dynamodb, times=TRIES - 1)
    assert make_keys(busy).use(KEY, NOON).key.key_id == a_key().key_id


def test_a_use_does_not_wait_for_ever(make_keys, deployment, no_waiting):
    busy = BusyClient(deployment.dynamodb, times=10**6)
    with pytest.raises(Unavailable):
        make_keys(busy).use(KEY, NOON)
    assert busy.tried == TRIES


def test_what_a_batch_has_put_off_is_asked_for_again(make_keys, deployment, no_waiting):
    keys = make_keys(BusyClient(deployment.dynamodb, times=0))
    keys.use(KEY, NOON)
    use = keys.use(KEY, NOON)
    keys._client = BusyClient(deployment.dynamodb, times=2)
    key, tenant = keys.confirm(use)
    assert (key.key_id, tenant.tenant_id) == (a_key().key_id, "acme")


def test_a_batch_that_is_put_off_every_time_is_unavailable(make_keys, deployment, no_waiting):
    keys = make_keys()
    keys.use(KEY, NOON)
    use = keys.use(KEY, NOON)
    keys._client = BusyClient(deployment.dynamodb, times=10**6)
    with pytest.raises(Unavailable):
        keys.confirm(use)


@pytest.fixture
def keyring(deployment, dynamo_runs):
    return DynamoKeyring(deployment.dynamodb, deployment.settings)


def test_a_copy_of_the_plan_is_never_replaced_by_an_older_one(keyring, make_keys):
    newer = a_tenant(plan=a_plan(dispatches=3), plan_revision=3)
    keyring.refresh_copies(newer)
    keyring.refresh_copies(a_tenant(plan=a_plan(dispatches=2), plan_revision=2))
    terms = make_keys().use(KEY, NOON).terms
    assert (terms.plan_revision, terms.plan.dispatches) == (3, 3)


def test_every_copy_is_refreshed_however_many_keys_there_are(keyring, make_keys, deployment):
    accounts = DynamoAccounts(deployment.dynamodb, deployment.settings)
    tenant = accounts.get("acme")
    writes = [
        write["Put"]
        for number in range(120)
        for write in keyring.writes_of(a_key(key_hash=f"{number:064}", key_id=f"01Q3ENHRG1{number:016d}"), tenant)
    ]
    for write in writes:
        deployment.dynamodb.put_item(TableName=write["TableName"], Item=write["Item"])
    keyring.refresh_copies(replace(tenant, plan=a_plan(dispatches=7), plan_revision=2))
    carried = [make_keys().use(f"{number:064}", NOON).terms.plan_revision for number in (0, 60, 119)]
    assert carried == [2, 2, 2]


def test_a_copy_that_stayed_old_is_no_harm(keyring, make_keys, deployment):
    stale = make_keys().use(KEY, NOON)
    keyring.refresh_copies(a_tenant(plan=a_plan(dispatches=3), plan_revision=3))
    assert (stale.terms.plan_revision, make_keys().use(KEY, NOON).terms.plan_revision) == (1, 3)


def test_a_key_is_never_written_over(keyring):
    with pytest.raises(Unavailable):
        keyring.create(a_key(name="another", key_id="01Q3ENHRG0ANOTHER"), an_event())
    assert keyring.get("acme", a_key().key_id).name == "first key"
    assert keyring.get("acme", "01Q3ENHRG0ANOTHER") is None


class InterruptedClient:
    """The client, with something that comes between reading the tenant and writing its key."""

    def __init__(self, client, meanwhile):
        self.client, self.meanwhile = client, [meanwhile]

    def __getattr__(self, name):
        return getattr(self.client, name)

    def transact_write_items(self, **request):
        while self.meanwhile:
            self.meanwhile.pop()()
        return self.client.transact_write_items(**request)


@pytest.fixture
def make_key_while(deployment, dynamo_runs):
    """Makes a key of the tenant while the tenant changes."""
    accounts = DynamoAccounts(deployment.dynamodb, deployment.settings)

    def make(**changes):
        before = accounts.get("acme")
        change = partial(accounts.change, before, replace(before, **changes), an_event(event_id="01Q3ENHRG0MEANWHILE"))
        key = a_key(key_hash="f" * 64, key_id="01Q3ENHRG0ANOTHER")
        interrupted = InterruptedClient(deployment.dynamodb, change)
        DynamoKeyring(interrupted, deployment.settings).create(key, an_event())

    return make


def test_a_key_that_is_made_while_the_plan_changes_carries_the_new_plan(make_key_while, make_keys):
    make_key_while(plan=a_plan(dispatches=7), plan_revision=2)
    terms = make_keys().use("f" * 64, NOON).terms
    assert (terms.plan_revision, terms.plan.dispatches) == (2, 7)


def test_a_tenant_that_is_suspended_meanwhile_gets_no_key(make_key_while, make_keys):
    with pytest.raises(TenantSuspended):
        make_key_while(status=TenantStatus.SUSPENDED)
    assert make_keys().use("f" * 64, NOON) is None
