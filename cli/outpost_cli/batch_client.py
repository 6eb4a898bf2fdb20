"""The routes of batches as typed methods."""

from dataclasses import dataclass

from outpost_cli.answers import interpret
from outpost_cli.ids import check_id
from outpost_cli.models.batch import Batch, BatchPromotion
from outpost_cli.transport import Transport
from outpost_cli.wishes import NewBatch, PromotionWish


@dataclass(frozen=True, slots=True)
class BatchClient:
    """A tenant's batches. An error answer is raised as a ServiceRefusal of `outpost_cli.errors`."""

    transport: Transport

    def create_batch(self, wish: NewBatch) -> Batch:
        answer = self.transport.call("POST", "/batches", body=wish.to_document())
        return interpret(lambda: Batch.from_document(answer.data))

    def get_batch(self, batch_id: str) -> Batch:
        answer = self.transport.call("GET", self._path(batch_id))
        return interpret(lambda: Batch.from_document(answer.data))

    def promote(self, batch_id: str, run_id: str, wish: PromotionWish) -> BatchPromotion:
        """Promotes the run of the batch, and cancels those that are at work still."""
        body = {"runId": run_id, **wish.to_document()}
        answer = self.transport.call("POST", f"{self._path(batch_id)}/promote", body=body)
        return interpret(lambda: BatchPromotion.from_document(answer.data))

    @staticmethod
    def _path(batch_id: str) -> str:
        remedy = "Give the id that `outpost batch create` printed."
        return f"/batches/{check_id(batch_id, 'a batch id', remedy=remedy)}"
