"""Small checks of what each condition is for; each fails where its condition is dropped."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from builders import SECRET, a_caller, a_key, a_report, a_run, a_running_run, a_tenant, an_event, later
from deployment import Deployment
from ulid import ULID

from outpost.adapters.dynamo_accounts import DynamoAccounts
from outpost.adapters.dynamo_items import tenant_key, to_item
from outpost.adapters.dynamo_runs import DynamoRuns
from outpost.adapters.dynamo_slots import DynamoSlots
from outpost.domain.api_key import hash_secret
from outpost.domain.errors import CallerUnknown, OutpostError, QuotaExceeded
from outpost.domain.report import Artifact
from outpost.domain.run import Run, RunStatus
from outpost.ports import Admission, IdempotencyLock, RunChangedMeanwhile, RunExistsAlready

from .conditions import Watch


@dataclass
class Bench:
    """Adapters on empty tables with one tenant and its key."""

    deployment: Deployment
    watch: Watch

    def __post_init__(self) -> None:
        client, settings = self.deployment.dynamodb, self.deployment.settings
        self.runs = DynamoRuns(client, settings)
        self.accounts = DynamoAccounts(client, settings)
        self.slots = DynamoSlots(client, settings)
        assert self.accounts.create_tenant(a_tenant(), a_key(), [])

    def create(self, run: Run, event_id: str, lock: IdempotencyLock | None = None) -> type[OutpostError] | None:
        """None, or what it is refused with."""
        event = an_event(event_id=event_id, run_id=run.run_id)
        return refusal(lambda: self.runs.create(run, event, Admission(a_caller(), lock)))

    def stored(self) -> Run:
        """The run as it is written now."""
        run = self.runs.get("acme", a_run().run_id)
        assert run is not None
        return run

    def change_tenant(self, expression: str, values: dict[str, Any]) -> None:
        table = self.deployment.settings.tenants_table
        self.deployment.dynamodb.update_item(
            TableName=table,
            Key=tenant_key("acme"),
            UpdateExpression=expression,
            ExpressionAttributeValues=to_item(values),
        )


def refusal(act: Callable[[], object]) -> type[OutpostError] | None:
    """What the act is refused with."""
    try:
        act()
    except OutpostError as error:
        return type(error)
    return None


def other_run(number: int = 1) -> Run:
    """Another run of the same tenant."""
    return a_run(run_id=str(ULID.from_bytes(ULID.from_str(a_run().run_id).bytes[:15] + bytes([number]))))


ENDED = a_run(status=RunStatus.FAILED, ended_at=later(seconds=5))


def a_run_is_never_created_over(bench: Bench) -> None:
    bench.create(a_run(), "EVENT1")
    assert bench.create(a_run(task="another"), "EVENT2") is not None


def an_event_is_never_written_over(bench: Bench) -> None:
    bench.create(a_run(), "EVENT1")
    assert bench.create(other_run(), "EVENT1") is not None


def a_report_is_never_written_over(bench: Bench) -> None:
    bench.create(a_run(), "EVENT1")
    artifact = Artifact(1, "output.log", "log", 6, "0" * 64, "text/plain")
    running = bench.runs.save(a_run(), a_running_run(), None)
    reported = bench.runs.save(running, replace(running, report=a_report()), None, [artifact])
    again = replace(reported, report=a_report(exit_code=1))
    assert refusal(lambda: bench.runs.save(reported, again, None, [])) is RunChangedMeanwhile


def a_key_of_idempotency_makes_one_run(bench: Bench) -> None:
    lock = IdempotencyLock("once", "0" * 64, a_run().run_id, later(hours=24))
    bench.create(a_run(), "EVENT1", lock)
    assert bench.create(other_run(), "EVENT2", replace(lock, run_id=other_run().run_id)) is RunExistsAlready


def no_run_is_accepted_beyond_the_limit(bench: Bench) -> None:
    bench.change_tenant("SET concurrent_limit = :limit", {":limit": 1})
    bench.create(a_run(), "EVENT1")
    assert bench.create(other_run(), "EVENT2") is QuotaExceeded


def a_slot_is_freed_of_a_tenant_only(bench: Bench) -> None:
    bench.create(a_run(), "EVENT1")
    tables = bench.deployment.settings
    bench.deployment.dynamodb.delete_item(TableName=tables.tenants_table, Key=tenant_key("acme"))
    assert refusal(lambda: bench.runs.save(a_run(), ENDED, an_event(event_id="EVENT2"))) is not None


def a_key_revoked_meanwhile_starts_nothing(bench: Bench) -> None:
    bench.deployment.dynamodb.update_item(
        TableName=bench.deployment.settings.api_keys_table,
        Key=to_item({"key_hash": hash_secret(SECRET)}),
        UpdateExpression="SET #status = :revoked",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues=to_item({":revoked": "REVOKED"}),
    )
    assert bench.create(a_run(), "EVENT1") is CallerUnknown


def a_stale_change_is_refused(bench: Bench) -> None:
    bench.create(a_run(), "EVENT1")
    bench.runs.save(a_run(), a_running_run(), an_event(event_id="EVENT2"))
    assert refusal(lambda: bench.runs.save(a_run(), ENDED, an_event(event_id="EVENT3"))) is RunChangedMeanwhile


def a_stale_sign_of_life_is_refused(bench: Bench) -> None:
    bench.create(a_run(), "EVENT1")
    bench.runs.save(a_run(), a_running_run(), None)
    stale = replace(a_run(), check_at=later(seconds=90))
    assert refusal(lambda: bench.runs.save(a_run(), stale, None)) is RunChangedMeanwhile


def a_tenant_is_made_once(bench: Bench) -> None:
    assert not bench.accounts.create_tenant(a_tenant(), a_key(key_hash="f" * 64), [])


def a_key_is_made_once(bench: Bench) -> None:
    assert not bench.accounts.create_tenant(a_tenant(tenant_id="other"), a_key(tenant_id="other"), [])


def a_counter_that_moves_while_it_is_counted_is_left_alone(bench: Bench) -> None:
    bench.create(a_run(), "EVENT1")
    bench.change_tenant("SET active_runs = :drifted", {":drifted": 7})
    bench.watch.before_next("UpdateItem", lambda: bench.create(other_run(), "EVENT2"))
    assert bench.slots.correct("acme", later(seconds=1)) == 0


CHECKS: tuple[Callable[[Bench], None], ...] = (
    a_run_is_never_created_over,
    an_event_is_never_written_over,
    a_report_is_never_written_over,
    a_key_of_idempotency_makes_one_run,
    no_run_is_accepted_beyond_the_limit,
    a_slot_is_freed_of_a_tenant_only,
    a_key_revoked_meanwhile_starts_nothing,
    a_stale_change_is_refused,
    a_stale_sign_of_life_is_refused,
    a_tenant_is_made_once,
    a_key_is_made_once,
    a_counter_that_moves_while_it_is_counted_is_left_alone,
)
