"""The result of a reader: a source's interactions as columns, in file order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError

TRAIN, CONTEXT, VALID, TEST = range(4)
"""Parts of a split that is given, in the order of a user's history. Context is what comes before a
held-out item and is not trained on."""

LONGEST_ID = 200
"""Characters of an id."""


@dataclass(frozen=True)
class Ratings:
    """The columns of a source, each (interactions,), in file order.

    Users and items are numbers in the order of their ids: ids that are whole numbers themselves;
    for ids that are text, their index among the distinct ids in ascending order.
    """

    users: NDArray[np.integer[Any]]
    items: NDArray[np.integer[Any]]
    times: NDArray[np.integer[Any]] | None
    """``None`` if the rows of the file are in time order."""
    ratings: NDArray[np.float32] | None = None
    """The ratings, if they were asked for and the source has them."""
    user_ids: NDArray[np.bytes_] | None = None
    """The distinct ids that ``users`` index, in UTF-8, ascending; ``None`` if ids are whole
    numbers."""
    item_ids: NDArray[np.bytes_] | None = None
    """The same for ``items``."""
    per_second: float | None = None
    """Units of ``times`` in a second; ``None`` if their size tells it (`engine.datasets.times`)."""
    unit: int | None = None
    """Units in a second that the source's numbers count, where ``times`` aren't these numbers."""
    parts: NDArray[np.int8] | None = None
    """What each interaction is in a split that is given: `TRAIN`, `CONTEXT`, `VALID` or `TEST`."""

    def __len__(self) -> int:
        return len(self.users)

    def select(self, chosen: NDArray[Any]) -> Ratings:
        """Return some of the rows, by a mask or by index."""
        columns = ("users", "items", "times", "ratings", "parts")
        given = {name: getattr(self, name) for name in columns}
        return replace(
            self, **{name: each[chosen] for name, each in given.items() if each is not None}
        )


EncodedIds = tuple[NDArray[np.integer[Any]], NDArray[np.bytes_] | None]


def encode_ids(codes: NDArray[np.integer[Any]], ids: Sequence[str]) -> EncodedIds:
    """Encode the ids ``ids[code]`` of the rows as `Ratings` has them: a column, and its ids.

    If all ids are whole numbers without leading zeros, they are the column, so that equal data in
    another layout gets equal numbers.

    Raises:
        DataError: an id is empty or too long, or holds a NUL.
    """
    for text in ids:
        if not text or len(text) > LONGEST_ID:
            raise DataError(
                f"an id is {'empty' if not text else f'longer than {LONGEST_ID} characters'} "
                f"({text[:40]!r}): name the columns that hold users and items."
            )
        if "\0" in text:
            raise DataError(f"the id {text[:40]!r} holds a NUL: correct or copy the file again.")
    if all(_is_whole(text) for text in ids):
        return np.array([int(text) for text in ids], np.int64)[codes], None
    encoded = np.array([_encoded(text) for text in ids])
    order = np.argsort(encoded, kind="stable")
    index = np.empty(len(order), np.int64)
    index[order] = np.arange(len(order))
    return index[codes], encoded[order]


def text_of(raw: object) -> str:
    """Return an id as `encode_ids` takes it, or any value as a table of text has it."""
    return raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else str(raw)


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a pair, as JSON may name it
        return text.encode("utf-8", "surrogatepass")


def _is_whole(text: str) -> bool:
    plain = text.isascii() and text.isdigit() and len(text) <= 19
    return plain and (text == "0" or text[0] != "0") and int(text) < 2**63
