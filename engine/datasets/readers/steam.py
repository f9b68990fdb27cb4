"""Reading Steam's reviews as J. McAuley's group publishes them: a Python or JSON literal a line.

Lines are parsed by a regular expression that consumes whole strings, so that the text of a review
can't be taken for a key; lines that it doesn't fit are evaluated as literals.
"""

from __future__ import annotations

import ast
import json
import re
from array import array
from datetime import date
from pathlib import Path

import numpy as np

from engine.datasets.readers.source import Ratings, encode_ids
from engine.datasets.readers.textlines import malformed, numbered_lines
from engine.errors import DataError

DAY = 86_400
"""Seconds."""

_STRING = rb"""u?(?:'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")"""
_PAIR = re.compile(rb"u?['\"](\w+)['\"]:\s*(" + _STRING + rb"|[^\s,{}\[\]'\"]+)(?=\s*[,}])")
_EXPECTED = "a review with username, product_id and date"


def read_reviews(path: Path) -> Ratings:
    """Read the reviews, each an interaction, repeated ones included. Times are days since 1970.

    Raises:
        DataError: the file can't be read, is damaged or empty, or has a malformed line.
    """
    users: dict[str, int] = {}
    items: dict[str, int] = {}
    days: dict[str, int] = {}
    user_codes, item_codes, times = array("i"), array("i"), array("i")
    for number, line in numbered_lines(path):
        try:
            user, item, day = _review(line)
            if day not in days:
                days[day] = date.fromisoformat(day).toordinal() - date(1970, 1, 1).toordinal()
        except (ValueError, KeyError, SyntaxError, TypeError, RecursionError, MemoryError):
            raise malformed(path, number, _EXPECTED, line) from None
        user_codes.append(users.setdefault(user, len(users)))
        item_codes.append(items.setdefault(item, len(items)))
        times.append(days[day])
    if not user_codes:
        raise DataError(f"{path} holds no reviews: fetch or copy it again.")
    try:
        user_column, user_ids = encode_ids(np.asarray(user_codes), list(users))
        item_column, item_ids = encode_ids(np.asarray(item_codes), list(items))
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    moments = np.asarray(times)
    return Ratings(user_column, item_column, moments, None, user_ids, item_ids, 1 / DAY)


def _review(line: bytes) -> tuple[str, str, str]:
    """Return user, item and ISO date of a review. Raises an error of many kinds if it has none."""
    if not (line.startswith(b"{") and line.endswith(b"}")):
        raise ValueError
    found = dict(_PAIR.findall(line))
    try:
        user, item, day = (found[key] for key in (b"username", b"product_id", b"date"))
        return _text(user), _text(item), _text(day)
    except KeyError:
        review = _literal(line.decode("utf-8", "surrogateescape"))
        return str(review["username"]), str(review["product_id"]), str(review["date"])


def _text(value: bytes) -> str:
    """Return the text of a string literal, or any other value as it is written."""
    if not value.endswith((b"'", b'"')):
        return value.decode()
    text = value.decode("utf-8", "surrogateescape")
    return str(_literal(text)) if "\\" in text else text.removeprefix("u")[1:-1]


def _literal(text: str) -> dict[str, object]:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = json.loads(text)
    return value  # type: ignore[no-any-return]
