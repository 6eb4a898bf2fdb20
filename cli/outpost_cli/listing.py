"""Lists of the service that come in pages, each under the name of its route."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from outpost_cli.answers import interpret
from outpost_cli.json_fields import JsonObject, read_list
from outpost_cli.models.page import Page
from outpost_cli.paging import iterate_pages
from outpost_cli.transport import Transport

Item = TypeVar("Item")


def iterate_list(
    transport: Transport, noun: str, read_item: Callable[[JsonObject], Item], *, limit: int | None
) -> Iterator[Item]:
    """The items in their order, page by page, until `limit` of them (None: all)."""

    def read_page(size: int, cursor: str | None) -> tuple[tuple[Item, ...], Page]:
        query = [("limit", str(size)), *([("cursor", cursor)] if cursor else [])]
        answer = transport.call("GET", f"/{noun}", query=query)
        return interpret(lambda: (read_list(answer.data, noun, read_item), Page.from_meta(answer.meta)))

    return iterate_pages(read_page, limit=limit)
