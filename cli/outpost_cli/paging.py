"""Going through a list page by page."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from outpost_cli.models.page import Page

Item = TypeVar("Item")
LONGEST_PAGE = 100


def iterate_pages(
    read_page: Callable[[int, str | None], tuple[tuple[Item, ...], Page]], *, limit: int | None
) -> Iterator[Item]:
    """The items in their order until `limit` of them (None: all); `read_page` takes a size and a cursor."""
    cursor: str | None = None
    left = limit
    while left is None or left > 0:
        items, page = read_page(min(left or LONGEST_PAGE, LONGEST_PAGE), cursor)
        yield from items
        left = left if left is None else left - len(items)
        cursor = page.next_cursor
        if not page.has_more or cursor is None:
            return
