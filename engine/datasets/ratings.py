"""Reading MovieLens rating files: ``user SEP item SEP rating SEP time``, one rating a line.

The bytes are parsed with whole-array operations: a block of lines at a time, every field of all
its lines at once. Only when a block turns out malformed is it searched line by line, to name the
line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.regular import open_regular

BLOCK_BYTES = 16 * 2**20
LONGEST_LINE = 1_000
MOST_DIGITS = 18
"""What fits into an int64 whatever the digits."""

_BOM = b"\xef\xbb\xbf"
_NEWLINE, _RETURN, _ZERO = b"\n"[0], b"\r"[0], b"0"[0]


@dataclass(frozen=True)
class Ratings:
    """The columns of a rating file, in file order; what the rating was is not kept."""

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    times: NDArray[np.int64]


def read_ratings(path: Path, separator: bytes, block_bytes: int = BLOCK_BYTES) -> Ratings:
    """Read a rating file whose fields are separated by ``separator``.

    Ids and times are whole numbers. Either line ending, a missing last newline, a byte order mark
    and empty lines are accepted.

    Raises:
        DataError: the file can't be read, is empty, or has a malformed line, which is named.
    """
    columns = []
    line = 1
    try:
        with open_regular(path) as file:
            for block in _blocks(file, block_bytes):
                parsed = _parse(block, separator)
                if parsed is None:
                    raise _malformed(path, line, block, separator)
                columns.append(parsed)
                line += block.count(b"\n")
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    users, items, times = np.concatenate(columns, axis=1) if columns else np.zeros((3, 0), np.int64)
    if not users.size:
        raise DataError(f"{path} holds no ratings: fetch or copy it again.")
    return Ratings(users, items, times)


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield whole lines, each block ending with a newline."""
    rest = file.read(len(_BOM))
    if rest == _BOM:
        rest = b""
    while chunk := file.read(size):
        end = chunk.rfind(b"\n") + 1
        if end:
            yield rest + chunk[:end]
            rest = chunk[end:]
        else:
            rest += chunk
            if len(rest) > LONGEST_LINE:
                break
    if rest:
        yield rest + b"\n"


def _parse(block: bytes, separator: bytes) -> NDArray[np.int64] | None:
    """Users, items and times as int64 (3, lines), or None when a line is malformed."""
    text = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(text == _NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1])
    ends = ends - ((ends > starts) & (text[ends - 1] == _RETURN))
    filled = ends > starts
    starts, ends = starts[filled], ends[filled]

    width = len(separator)
    separating = np.flatnonzero(text == separator[0])
    if separating.size != len(starts) * 3 * width:
        return None
    separators = separating.reshape(len(starts), 3, width)
    if (separators[:, :, -1] - separators[:, :, 0] != width - 1).any():
        return None
    marks = separators[:, :, 0]
    if (marks[:, 0] < starts).any() or (marks[:, 2] >= ends).any():
        return None

    if not _are_decimals(text, marks[:, 1] + width, marks[:, 2]):
        return None
    columns = [
        _whole_numbers(text, starts, marks[:, 0]),
        _whole_numbers(text, marks[:, 0] + width, marks[:, 1]),
        _whole_numbers(text, marks[:, 2] + width, ends),
    ]
    found = [column for column in columns if column is not None]
    return np.stack(found) if len(found) == 3 else None


def _whole_numbers(
    text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """The numbers written in ``text[start:end]``; None when one isn't a whole number."""
    widths = ends - starts
    values = np.zeros(len(starts), np.int64)
    if not len(starts):
        return values
    if widths.min() < 1 or widths.max() > MOST_DIGITS:
        return None
    for place in range(int(widths.max())):
        written = place < widths
        digits = text[np.where(written, ends - 1 - place, starts)].astype(np.int64) - _ZERO
        if ((digits < 0) | (digits > 9)).any():
            return None
        values += np.where(written, digits, 0) * 10**place
    return values


def _are_decimals(
    text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> bool:
    """Whether every ``text[start:end]`` is one digit, or one digit, a point and one digit."""
    widths = ends - starts

    def digit(positions: NDArray[np.int64]) -> NDArray[np.bool_]:
        return (text[positions] >= _ZERO) & (text[positions] <= _ZERO + 9)

    if not ((widths == 1) | (widths == 3)).all() or not digit(starts).all():
        return False
    long = starts[widths == 3]
    return bool((text[long + 1] == b"."[0]).all() and digit(long + 2).all())


def _malformed(path: Path, first_line: int, block: bytes, separator: bytes) -> DataError:
    """Name the first malformed line of a block that `_parse` refused."""
    sep, number = re.escape(separator), rb"[0-9]{1,18}"
    good = re.compile(
        number + sep + number + sep + rb"[0-9](?:\.[0-9])?" + sep + number + rb"\r?|\r?"
    )
    lines = block.split(b"\n")
    wrong = next((i for i, line in enumerate(lines) if not good.fullmatch(line)), len(lines) - 1)
    shown = lines[wrong][:60].decode("utf-8", "replace")
    named = {b"\t": "tabs"}.get(separator, repr(separator.decode()))
    return DataError(
        f"{path}, line {first_line + wrong}: expected user, item, rating and time as numbers "
        f"separated by {named}, found {shown!r}: fetch or copy the file again."
    )
