"""DynamoDB streams of the template, read and handed to their functions in order, batch by batch."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from outpost_local.invocation import Invocation

_POLL_SECONDS = 0.2
_RETRY_SECONDS = 1.0

InvokeFunction = Callable[[str, Any], Invocation]


@dataclass(frozen=True)
class StreamMapping:
    """A function that gets a table's changes; a batch is tried again until it succeeds, or `retries` are used up."""

    stream_arn: str
    function: str
    batch_size: int
    retries: int | None


class StreamPump:
    """One thread per mapping and shard; moto's streams have one shard that never ends."""

    def __init__(self, streams: Any, invoke_function: InvokeFunction) -> None:
        self._streams = streams
        self._invoke_function = invoke_function
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, mappings: list[StreamMapping]) -> None:
        for mapping in mappings:
            description = self._streams.describe_stream(StreamArn=mapping.stream_arn)["StreamDescription"]
            for shard in description["Shards"]:
                iterator = self._streams.get_shard_iterator(
                    StreamArn=mapping.stream_arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
                work = threading.Thread(target=self._follow, args=(mapping, iterator), name="stream", daemon=True)
                self._threads.append(work)
                work.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def _follow(self, mapping: StreamMapping, iterator: str | None) -> None:
        while iterator is not None and not self._stopping.is_set():
            answer = self._streams.get_records(ShardIterator=iterator, Limit=mapping.batch_size)
            iterator = answer.get("NextShardIterator")
            if answer["Records"]:
                self._deliver(mapping, [_describe(record, mapping.stream_arn) for record in answer["Records"]])
            else:
                self._stopping.wait(_POLL_SECONDS)

    def _deliver(self, mapping: StreamMapping, records: list[dict[str, Any]]) -> None:
        tries = 0
        while self._invoke_function(mapping.function, {"Records": records}).failed:
            if tries == mapping.retries or self._stopping.wait(_RETRY_SECONDS):
                return
            tries += 1


def _describe(record: dict[str, Any], stream_arn: str) -> dict[str, Any]:
    """A record as Lambda gets it: the stream's own, with its time in seconds and the ARN of its source."""
    change = record["dynamodb"]
    created = change.get("ApproximateCreationDateTime")
    seconds = created.timestamp() if isinstance(created, datetime) else created
    return {**record, "dynamodb": {**change, "ApproximateCreationDateTime": seconds}, "eventSourceARN": stream_arn}
