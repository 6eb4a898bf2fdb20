"""Keys and items of the tables: the only place where either is built.

outpost-jobs      pk             sk                  what
                  TENANT#<id>    RUN#<ulid>          a run
                  TENANT#<id>    ARTIFACTS#<ulid>#n  the files that the runner of an attempt stored
                  TENANT#<id>    IDEM#<key>          the lock of an idempotency key; expires_at (TTL)
                  TENANT#<id>    QUEUE#<rank>#<ulid> a place in the queue: priority first, then age
                  TENANT#<id>    PROMOTION#<ulid>    the promotion of a run
                  TENANT#<id>    BATCH#<ulid>        a batch: one task, given to several agents
  index active    active_shard   check_at            runs that are not terminal, and promotions that have not ended
outpost-audit     TENANT#<id>    EVENT#<ulid>        an event
  index timeline  timeline       number              the events of one run, TENANT#<id>#RUN#<ulid>, in their order
outpost-tenants   TENANT#<id>    TENANT              a tenant, its plan and its counters
                  TENANT#<id>    USAGE#<period>#<of> what was used in a period: by the tenant, or by a key with a budget
                  TENANT#<id>    KEY#<ulid>          where the tenant's key lies in outpost-api-keys
                  TENANT#<id>    SECRET#<name>       the record of a secret of the tenant's, without its value
                  TENANT#<id>    SECRETS             how many of them there are
                  DEPLOYMENT     DEPLOYMENT          what all tenants share: counter, kill switch, breakers
  index waiting   waiting        served_at           tenants with runs in the queue
outpost-api-keys  key_hash                           a key, by the SHA-256 of its secret
outpost-workspaces TENANT#<id>   WORKSPACE#<ulid>    a persistent workspace
                  TENANT#<id>    WORKSPACES          how many of them there are
  index expiring  expiring       expires_at          workspaces that no run has: of those told of it, and of the others
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from pydantic import TypeAdapter, ValidationError

from outpost.domain.run import Run

Item = dict[str, Any]
T = TypeVar("T")


class ItemMalformed(Exception):
    """A stored item does not have the shape that this program writes: a defect, or a hand in the table."""


_serializer = TypeSerializer()
_deserializer = TypeDeserializer()
KEYS = frozenset({"pk", "sk", "active_shard", "waiting", "timeline", "expiring"})


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: texts that sort as the times do."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def tenant_partition(tenant_id: str) -> str:
    """The partition that holds everything of one tenant."""
    return f"TENANT#{tenant_id}"


def run_key(tenant_id: str, run_id: str) -> Item:
    """The key of a run."""
    return to_item({"pk": tenant_partition(tenant_id), "sk": f"RUN#{run_id}"})


def artifacts_key(tenant_id: str, run_id: str, attempt: int) -> Item:
    """The key of the list of an attempt's files."""
    return to_item({"pk": tenant_partition(tenant_id), "sk": f"ARTIFACTS#{run_id}#{attempt}"})


def lock_key(tenant_id: str, idempotency_key: str) -> Item:
    """The key of an idempotency key's lock."""
    return to_item({"pk": tenant_partition(tenant_id), "sk": f"IDEM#{idempotency_key}"})


def event_key(tenant_id: str, event_id: str) -> Item:
    """The key of an event."""
    return to_item({"pk": tenant_partition(tenant_id), "sk": f"EVENT#{event_id}"})


def timeline_of(tenant_id: str, run_id: str) -> str:
    """The partition of the index that holds the events of one run."""
    return f"{tenant_partition(tenant_id)}#RUN#{run_id}"


def queue_key(run: Run) -> Item:
    """The key of a run's place in the queue."""
    return to_item({"pk": tenant_partition(run.tenant_id), "sk": f"QUEUE#{run.priority.rank}#{run.run_id}"})


def promotion_key(tenant_id: str, run_id: str) -> Item:
    """The key of a run's promotion."""
    return to_item({"pk": tenant_partition(tenant_id), "sk": f"PROMOTION#{run_id}"})


def batch_key(tenant_id: str, batch_id: str) -> Item:
    """The key of a batch."""
    return to_item({"pk": tenant_partition(tenant_id), "sk": f"BATCH#{batch_id}"})


def usage_key(tenant_id: str, period: str, key_id: str | None) -> Item:
    """The key of what was used in a period by the tenant, or by one of its keys."""
    return to_item({"pk": tenant_partition(tenant_id), "sk": f"USAGE#{period}#{key_id or 'TENANT'}"})


def key_pointer_key(tenant_id: str, key_id: str) -> Item:
    """The key of the item that says where a tenant's key lies."""
    return to_item({"pk": tenant_partition(tenant_id), "sk": f"KEY#{key_id}"})


def secret_key(tenant_id: str, name: str) -> Item:
    """The key of the record of a tenant's secret."""
    return to_item({"pk": tenant_partition(tenant_id), "sk": f"SECRET#{name}"})


def secret_count_key(tenant_id: str) -> Item:
    """The key of the item that counts a tenant's secrets."""
    return to_item({"pk": tenant_partition(tenant_id), "sk": "SECRETS"})


def workspace_key(tenant_id: str, workspace_id: str) -> Item:
    """The key of a workspace."""
    return to_item({"pk": tenant_partition(tenant_id), "sk": f"WORKSPACE#{workspace_id}"})


def workspace_count_key(tenant_id: str) -> Item:
    """The key of the item that counts a tenant's workspaces."""
    return to_item({"pk": tenant_partition(tenant_id), "sk": "WORKSPACES"})


def deployment_key() -> Item:
    """The key of what all tenants share: the one item that is no tenant's."""
    return to_item({"pk": "DEPLOYMENT", "sk": "DEPLOYMENT"})


def tenant_key(tenant_id: str) -> Item:
    """The key of a tenant."""
    return to_item({"pk": tenant_partition(tenant_id), "sk": "TENANT"})


_adapters: dict[type, TypeAdapter[Any]] = {}


def _adapter(kind: type) -> TypeAdapter[Any]:
    """The codec of a dataclass: made at its first use, for a function rarely needs them all."""
    return _adapters.get(kind) or _adapters.setdefault(kind, TypeAdapter(kind))


def encode(value: object) -> dict[str, Any]:
    """A frozen dataclass as plain attributes; those that are None are left out."""
    attributes: dict[str, Any] = _adapter(type(value)).dump_python(value, mode="json")
    return {name: attribute for name, attribute in attributes.items() if attribute is not None}


def decode(kind: type[T], item: Mapping[str, Any]) -> T:
    """The frozen dataclass that an item holds."""
    plain = {name: _deserializer.deserialize(value) for name, value in item.items() if name not in KEYS}
    try:
        decoded: T = _adapter(kind).validate_python(plain)
    except ValidationError as error:
        # pydantic's own message repeats the values, and one of them may be the text of a task.
        where = [".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False)]
        raise ItemMalformed(f"{kind.__name__}: {', '.join(where)}") from None
    return decoded


def encode_run(run: Run) -> dict[str, Any]:
    """A run as plain attributes, with those of the sweep's index."""
    attributes = encode(run) | {"check_at": timestamp(run.check_at)}
    return attributes if run.active_shard is None else attributes | {"active_shard": run.active_shard}


def to_item(attributes: Mapping[str, Any]) -> Item:
    """Plain attributes in DynamoDB's own form."""
    return {name: _serializer.serialize(value) for name, value in attributes.items()}


def text(item: Mapping[str, Any], name: str) -> str:
    """A text attribute of an item."""
    return str(_deserializer.deserialize(item[name]))
