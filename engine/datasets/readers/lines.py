"""Reading sources without times, in time order: ``user item`` and ``user item item …`` lines."""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np

from engine.datasets.readers.columns import is_header
from engine.datasets.readers.source import Ratings, encode_ids, text_of
from engine.datasets.readers.textlines import PLAIN, Form, malformed, numbered_lines
from engine.errors import DataError


def read_pairs(path: Path, form: Form = PLAIN) -> Ratings:
    """Read ``user item`` lines, the format of the SASRec and BERT4Rec repositories.

    Lines that name columns (``user_id item_id``) are left out.

    Raises:
        DataError: the file can't be read, is empty, or has a line that isn't two words.
    """
    return _read(path, form, "a user and an item separated by a space", pairs=True)


def read_lines(path: Path, form: Form = PLAIN) -> Ratings:
    """Read ``user item item …`` lines, each a history; a user's lines are concatenated.

    Lines that name columns (``user_id items``) are left out.

    Raises:
        DataError: the file can't be read, is empty, or has a line without an item.
    """
    return _read(path, form, "a user and items separated by spaces", pairs=False)


def _read(path: Path, form: Form, expected: str, pairs: bool) -> Ratings:
    users: dict[bytes, int] = {}
    items: dict[bytes, int] = {}
    user_codes, item_codes = array("i"), array("i")
    for number, line in numbered_lines(path, form):
        words = line.split()
        if len(words) < 2 or (pairs and len(words) > 2):
            raise malformed(path, number, expected, line)
        user = users.get(words[0])
        if user is None:
            if is_header(map(text_of, words)):
                continue
            user = users[words[0]] = len(users)
        for item in words[1:]:
            user_codes.append(user)
            item_codes.append(items.setdefault(item, len(items)))
    if not user_codes:
        raise DataError(f"{path} holds no interactions: fetch or copy it again.")
    try:
        user_column, user_ids = encode_ids(np.asarray(user_codes), list(map(text_of, users)))
        item_column, item_ids = encode_ids(np.asarray(item_codes), list(map(text_of, items)))
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    return Ratings(user_column, item_column, None, None, user_ids, item_ids)
