"""Reading RecBole's sequential ``.inter`` files, whose rows have a history and the item after it:
``user_id:token``, ``item_id_list:token_seq`` (with blanks between) and ``item_id:token``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.datasets.readers.joined import PARTS
from engine.datasets.readers.source import CONTEXT, TRAIN, Ratings, encode_ids, text_of
from engine.datasets.readers.textlines import malformed, numbered_lines
from engine.errors import DataError

USER, ITEM, LIST = "user_id", "item_id", "item_id_list"

History = tuple[list[bytes], list[int]]
"""Items, oldest first, and what part each is of."""


def is_sequential(path: Path) -> bool:
    """Whether a file's first line names a column of histories. Raises `DataError`."""
    return LIST in _fields(path)


def read_sequences(paths: Sequence[Path]) -> Ratings:
    """Read a file's histories, or those of the files of training, validation and test.

    A user's rows must continue one history: what one says after what is known already is added.
    What comes before a held-out item and in no row of training is not trained on.

    Raises:
        DataError: a file can't be read or lacks a column, or a row contradicts those before it.
    """
    histories: dict[bytes, History] = {}
    for part, path in zip(PARTS, paths, strict=False):
        fields = _fields(path)
        for needed in (USER, LIST, ITEM):
            if needed not in fields:
                raise DataError(
                    f"{path} has no column {needed}, which a file of histories has: add it, or "
                    "import a file with a row an interaction."
                )
        places = [fields.index(name) for name in (USER, LIST, ITEM)]
        for number, line in numbered_lines(path):
            if number == 1:
                continue
            values = line.split(b"\t")
            if len(values) != len(fields):
                raise malformed(path, number, f"{len(fields)} fields", line)
            user, listed, item = (values[place].strip() for place in places)
            if not _continued(histories.setdefault(user, ([], [])), listed.split(), item, part):
                raise DataError(
                    f"{path}, line {number}: the history of user {user.decode(errors='replace')!r} "
                    "doesn't go on from the rows before it: order the rows by time, or import a "
                    "file with a row an interaction."
                )
    return _ratings(histories, len(paths) > 1)


def _continued(history: History, listed: list[bytes], item: bytes, part: int) -> bool:
    """Add to a history what a row says of it; return whether they agree."""
    items, parts = history
    row = [*listed, item]
    if part == TRAIN and row == items[: len(row)]:
        return True
    if len(listed) >= len(items):
        if listed[: len(items)] != items:
            return False
        before = TRAIN if part == TRAIN else max(CONTEXT, parts[-1] if parts else CONTEXT)
        parts += [before] * (len(listed) - len(items))
        items += listed[len(items) :]
    elif not listed or items[-len(listed) :] != listed:
        return False
    items.append(item)
    parts.append(part)
    return True


def _ratings(histories: dict[bytes, History], split: bool) -> Ratings:
    if not histories:
        raise DataError("The files hold no histories: choose others.")
    lengths = [len(items) for items, _ in histories.values()]
    codes: dict[bytes, int] = {}
    flat = [codes.setdefault(item, len(codes)) for items, _ in histories.values() for item in items]
    users, user_ids = encode_ids(
        np.repeat(np.arange(len(lengths)), lengths), [text_of(user) for user in histories]
    )
    items, item_ids = encode_ids(np.array(flat), [text_of(item) for item in codes])
    parts = [part for _, parts in histories.values() for part in parts]
    given = np.array(parts, np.int8) if split else None
    return Ratings(users, items, None, None, user_ids, item_ids, parts=given)


def _fields(path: Path) -> list[str]:
    """Return the names of a file's columns, without their types."""
    for _, line in numbered_lines(path):
        names = line.decode("utf-8", "replace").split("\t")
        return [name.strip().partition(":")[0] for name in names]
    return []
