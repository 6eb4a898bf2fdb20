"""The routes of promotions as typed methods."""

from dataclasses import dataclass

from outpost_cli.answers import interpret
from outpost_cli.ids import make_run_path
from outpost_cli.models.promotion import Promotion
from outpost_cli.transport import Transport
from outpost_cli.wishes import PromotionWish


@dataclass(frozen=True, slots=True)
class PromotionClient:
    """Promotions of runs. An error answer is raised as a ServiceRefusal of `outpost_cli.errors`."""

    transport: Transport

    def promote(self, run_id: str, wish: PromotionWish) -> Promotion:
        """The promotion that this begins; again it is the same one, and one that failed is tried again."""
        answer = self.transport.call("POST", f"{make_run_path(run_id)}/promote", body=wish.to_document())
        return interpret(lambda: Promotion.from_document(answer.data))

    def get_promotion(self, run_id: str) -> Promotion:
        """NotFound while there is none."""
        answer = self.transport.call("GET", f"{make_run_path(run_id)}/promotion")
        return interpret(lambda: Promotion.from_document(answer.data))
