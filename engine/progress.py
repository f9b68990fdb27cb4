"""How far a long piece of work has come, for whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

OnProgress = Callable[[int, int | None], None]
"""Called with how much is done, and of how much; None if that isn't known."""

Item = TypeVar("Item")


def untold(done: int, total: int | None) -> None:
    """Tell nobody."""


def counted(
    items: Sequence[Item], on_progress: OnProgress, part: tuple[int, int] = (1, 1)
) -> Iterator[Item]:
    """Go through items, telling before each how many are done, and at the end.

    Args:
        part: which part of the work this is, and of how many parts with as many items.
    """
    number, parts = part
    before, total = (number - 1) * len(items), parts * len(items)
    for place, item in enumerate(items):
        on_progress(before + place, total)
        yield item
    on_progress(before + len(items), total)
