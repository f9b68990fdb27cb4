"""Reading the three files of a split that is given as one source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.datasets.readers.source import (
    TEST,
    TRAIN,
    VALID,
    EncodedIds,
    Ratings,
    encode_ids,
    text_of,
)
from engine.datasets.times import to_microseconds
from engine.errors import DataError
from engine.spec.moments import SECOND

PARTS = (TRAIN, VALID, TEST)


def join(files: Sequence[Ratings]) -> Ratings:
    """Join what the files of training, validation and test hold, in this order.

    Raises:
        DataError: some have times and others none.
    """
    times = [each.times for each in files]
    known = [each for each in times if each is not None]
    if 0 < len(known) < len(times):
        raise DataError(
            "Some of the files for training, validation and test have times and others don't: give "
            "all of them times, or none."
        )
    as_they_are = all(each.per_second is None for each in files)
    if not as_they_are:
        known = [
            to_microseconds(each.times, each.per_second) for each in files if each.times is not None
        ]
    units = {each.unit for each in files}
    ratings = [each.ratings for each in files if each.ratings is not None]
    users, user_ids = _ids([(each.users, each.user_ids) for each in files])
    items, item_ids = _ids([(each.items, each.item_ids) for each in files])
    return Ratings(
        users,
        items,
        np.concatenate(known) if known else None,
        np.concatenate(ratings) if len(ratings) == len(files) else None,
        user_ids,
        item_ids,
        None if as_they_are else SECOND,
        units.pop() if len(units) == 1 else None,
        np.repeat(np.array(PARTS, np.int8), [len(each) for each in files]),
    )


def _ids(columns: Sequence[EncodedIds]) -> EncodedIds:
    """Encode the ids of several files as `encode_ids` does those of one."""
    if all(ids is None for _, ids in columns):
        return np.concatenate([numbers.astype(np.int64) for numbers, _ in columns]), None
    codes: list[NDArray[np.int64]] = []
    texts: dict[str, int] = {}
    for numbers, ids in columns:
        distinct, code = np.unique(numbers, return_inverse=True)
        own: list[Any] = distinct.tolist() if ids is None else ids[distinct].tolist()
        place = [texts.setdefault(text_of(each), len(texts)) for each in own]
        codes.append(np.array(place, np.int64)[code])
    return encode_ids(np.concatenate(codes), list(texts))
