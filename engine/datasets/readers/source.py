"""What a reader makes of a source: its interactions as columns, in the order of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError

LONGEST_ID = 200
"""Bytes, in UTF-8."""


@dataclass(frozen=True)
class Ratings:
    """The columns of a source, each (interactions,), in file order.

    Users and items are numbers in an order that stands for that of their ids: whole-number ids
    themselves, or the places of ids that are text among them in ascending order.
    """

    users: NDArray[np.integer[Any]]
    items: NDArray[np.integer[Any]]
    times: NDArray[np.integer[Any]] | None
    """Whatever unit the source has; None where the order of the file is that of time."""
    ratings: NDArray[np.float32] | None = None
    """What the ratings were, where somebody asked for it and the source has it."""
    user_ids: NDArray[np.bytes_] | None = None
    """Ascending, in UTF-8: what ``users`` number. None where ids are whole numbers."""
    item_ids: NDArray[np.bytes_] | None = None
    """The same for ``items``."""

    def __len__(self) -> int:
        return len(self.users)

    def at(self, chosen: NDArray[Any]) -> Ratings:
        """Some of the rows: a mask, or their positions."""
        return Ratings(
            self.users[chosen],
            self.items[chosen],
            None if self.times is None else self.times[chosen],
            None if self.ratings is None else self.ratings[chosen],
            self.user_ids,
            self.item_ids,
        )


Numbered = tuple[NDArray[np.integer[Any]], NDArray[np.bytes_] | None]


def numbered(codes: NDArray[np.integer[Any]], ids: Sequence[str]) -> Numbered:
    """Ids as a reader found them, ``ids[code]`` for each row, as `Ratings` wants them.

    Whole numbers without leading zeros stand for themselves, so that the same data in another
    layout gets the same numbers.

    Raises:
        DataError: an id is empty or too long to be one.
    """
    for text in ids:
        if not text or len(text) > LONGEST_ID:
            raise DataError(
                f"an id is {'empty' if not text else f'longer than {LONGEST_ID} characters'} "
                f"({text[:40]!r}): name the columns that hold users and items."
            )
    if all(_is_whole(text) for text in ids):
        return np.array([int(text) for text in ids], np.int64)[codes], None
    encoded = np.array([text.encode("utf-8", "surrogateescape") for text in ids])
    order = np.argsort(encoded, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place[codes], encoded[order]


def _is_whole(text: str) -> bool:
    plain = text.isascii() and text.isdigit() and len(text) <= 18
    return plain and (text == "0" or text[0] != "0")
