"""The records of batches."""

from typing import Protocol

from outpost.domain.batch import Batch


class Batches(Protocol):
    """The records."""

    def get(self, tenant_id: str, batch_id: str) -> Batch | None:
        """The batch as it is now."""
        ...

    def put(self, batch: Batch) -> None:
        """Record the batch, or record again what became of its entries; a promotion that is noted stays."""
        ...

    def note_promotion(self, tenant_id: str, batch_id: str, run_id: str) -> bool:
        """Record that this run of it is promoted; False, and nothing written, if another one is."""
        ...
