"""Reading RecBole's sequential ``.inter`` files, whose rows have a history and the item after it:
``user_id:token``, ``item_id_list:token_seq`` (with blanks between) and ``item_id:token``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.datasets.readers.columns import history_beside
from engine.datasets.readers.delimited import Delimited, delimited_names, read_delimited
from engine.datasets.readers.joined import PARTS
from engine.datasets.readers.records import Part, Records, ratings_of
from engine.datasets.readers.source import CONTEXT, TRAIN, Ratings, encode_ids, text_of
from engine.datasets.readers.table import RECBOLE, column_names
from engine.datasets.readers.textlines import PLAIN, Form
from engine.errors import DataError
from engine.spec import Columns

History = tuple[list[str], list[int]]
"""Items, oldest first, and what part each is of."""


def is_sequential(path: Path, columns: Columns | None = None, form: Form = PLAIN) -> bool:
    """Whether a file has a column of histories. Raises `DataError`."""
    chosen = columns or RECBOLE
    return history_beside(column_names(path, chosen, form=form), chosen.item) is not None


def read_sequences(
    paths: Sequence[Path], columns: Columns | None = None, form: Form = PLAIN
) -> Ratings:
    """Read a file's histories, or those of the files of training, validation and test.

    A user's rows must continue one history: what one says after what is known already is added.
    What comes before a held-out item and in no row of training is not trained on.

    Raises:
        DataError: a file can't be read or lacks a column, or a row contradicts those before it.
    """
    histories: dict[str, History] = {}
    for part, path in zip(PARTS, paths, strict=False):
        records = _rows(path, columns or RECBOLE, form)
        ratings_of(records)  # for its checks
        columns_read = (records.columns[each] for each in ("user", "history", "item"))
        for at, (user, listed, item) in enumerate(zip(*columns_read, strict=True)):
            history = histories.setdefault(text_of(user), ([], []))
            before = listed.split() if isinstance(listed, str) else []
            if not _continued(history, before, text_of(item), part):
                raise DataError(
                    f"{path}, {records.where(at)}: the history of user {text_of(user)!r} doesn't "
                    "continue the rows before it: order the rows by time, or import a file with "
                    "one row per interaction."
                )
    return _ratings(histories, len(paths) > 1)


def _rows(path: Path, columns: Columns, form: Form) -> Records:
    table = Delimited(path, columns.separator, form=form)
    names = delimited_names(table)
    bare = {name.partition(":")[0]: name for name in reversed(names)}
    user, item = (name.partition(":")[0] for name in (columns.user, columns.item))
    fields: dict[Part, str] = {"user": user, "history": f"{item}_list", "item": item}
    for needed in fields.values():
        if needed not in bare:
            raise DataError(
                f"{path} has no column {needed}, which a file of histories needs: add it, or "
                "import a file with one row per interaction."
            )
    return read_delimited(table, {part: bare[name] for part, name in fields.items()})


def _continued(history: History, listed: list[str], item: str, part: int) -> bool:
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


def _ratings(histories: dict[str, History], split: bool) -> Ratings:
    if not histories:
        raise DataError("The files hold no histories: choose others.")
    lengths = [len(items) for items, _ in histories.values()]
    codes: dict[str, int] = {}
    flat = [codes.setdefault(item, len(codes)) for items, _ in histories.values() for item in items]
    users, user_ids = encode_ids(np.repeat(np.arange(len(lengths)), lengths), list(histories))
    items, item_ids = encode_ids(np.array(flat), list(codes))
    parts = [part for _, parts in histories.values() for part in parts]
    given = np.array(parts, np.int8) if split else None
    return Ratings(users, items, None, None, user_ids, item_ids, parts=given)
