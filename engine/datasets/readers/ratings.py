"""Reading MovieLens rating files: ``user SEP item SEP rating SEP time``, one rating a line.

The bytes are parsed with whole-array operations, a field of all lines of a block at a time, and
several blocks in parallel on threads (numpy releases the interpreter lock). Only a malformed block
is searched line by line, to name the line.
"""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.datasets.readers.source import Ratings
from engine.datasets.readers.textlines import BLOCK_BYTES, PLAIN, Form, open_text
from engine.errors import DataError
from engine.limits import process_limits

LONGEST_LINE = 1_000
MOST_DIGITS = 19
"""Digits of the largest int64; not all numbers of as many fit into one."""

MOST_THREADS = 4

_NEWLINE, _ZERO = b"\n"[0], b"0"[0]

Integers = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class RatingFile:
    """The layout of a rating file."""

    separator: bytes
    header: bytes = b""
    """The first line, if it isn't a rating."""


TAB = RatingFile(b"\t")
COLONS = RatingFile(b"::")
CSV = RatingFile(b",", b"userId,movieId,rating,timestamp")


def read_ratings(
    path: Path,
    layout: RatingFile,
    form: Form = PLAIN,
    *,
    with_ratings: bool = False,
    block_bytes: int = BLOCK_BYTES,
) -> Ratings:
    """Read a rating file.

    Ids and times are whole numbers. Any line ending, a missing last newline, a byte order mark,
    empty lines and lines equal to the header are accepted.

    Args:
        with_ratings: return the ratings too.

    Raises:
        DataError: the file can't be read, is empty, or has a malformed line, which is named.
    """
    columns: list[list[NDArray[Any]]] = [[], [], [], []]
    line = 1
    with open_text(path, form) as file:
        blocks = _blocks(file, block_bytes)
        if layout.header:
            blocks = _without_header(path, blocks, layout.header)
            line = 2
        for block, parsed in _in_parallel(
            blocks, lambda block: _parse(block, layout, with_ratings)
        ):
            if parsed is None:
                raise _malformed(path, line, block, layout)
            for column, values in zip(columns, parsed, strict=False):
                column.append(values)
            line += block.count(b"\n")
    if not sum(map(len, columns[0])):
        raise DataError(f"{path} holds no ratings: fetch or copy it again.")
    users, items, times = (_joined(column) for column in columns[:3])
    return Ratings(users, items, times, _joined(columns[3]) if with_ratings else None)


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    whole = np.concatenate(parts)
    parts.clear()  # frees memory before the other columns are joined
    return whole


def _in_parallel(
    blocks: Iterable[bytes], work: Callable[[bytes], list[NDArray[Any]] | None]
) -> Iterator[tuple[bytes, list[NDArray[Any]] | None]]:
    """Yield each block with the result of ``work``, in order, computed on threads."""
    threads = min(MOST_THREADS, process_limits().cores)
    waiting: deque[tuple[bytes, Future[list[NDArray[Any]] | None]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for block in blocks:
            waiting.append((block, pool.submit(work, block)))
            if len(waiting) > threads:
                oldest, result = waiting.popleft()
                yield oldest, result.result()
        while waiting:
            oldest, result = waiting.popleft()
            yield oldest, result.result()


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the file in blocks of whole lines, each ending with a newline."""
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


def _without_header(path: Path, blocks: Iterator[bytes], header: bytes) -> Iterator[bytes]:
    first = next(blocks, b"")
    found, _, rest = first.partition(b"\n")
    if found != header:
        shown = found[:60].decode("utf-8", "replace")
        raise DataError(
            f"{path}, line 1: expected the header {header.decode()!r}, found {shown!r}: "
            "fetch or copy the file again."
        )
    if rest:
        yield rest
    yield from blocks


def _parse(block: bytes, layout: RatingFile, with_ratings: bool) -> list[NDArray[Any]] | None:
    """Parse users, items, times and perhaps ratings, (lines,) each; ``None`` if a line is
    malformed."""
    found = _parse_lines(block, layout.separator, with_ratings)
    if found is None and layout.header and layout.header in block:
        rest = b"".join(each for each in block.splitlines(True) if not _is_header(each, layout))
        return _parse_lines(rest, layout.separator, with_ratings)
    return found


def _is_header(line: bytes, layout: RatingFile) -> bool:
    """Whether a line is the header once more: of files that were joined."""
    return line.rstrip(b"\n").removeprefix(codecs.BOM_UTF8) == layout.header


def _parse_lines(block: bytes, separator: bytes, with_ratings: bool) -> list[NDArray[Any]] | None:
    text = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(text == _NEWLINE).astype(np.int32)
    starts = np.concatenate([np.zeros(1, np.int32), ends[:-1] + np.int32(1)])
    filled = ends > starts
    if not filled.all():
        starts, ends = starts[filled], ends[filled]

    width = np.int32(len(separator))
    separating = np.flatnonzero(text == separator[0]).astype(np.int32)
    if separating.size != len(starts) * 3 * width:
        return None
    separators = separating.reshape(len(starts), 3, width)
    if (separators[:, :, -1] - separators[:, :, 0] != width - 1).any():
        return None
    marks = np.ascontiguousarray(separators[:, :, 0].T)
    if (marks[0] < starts).any() or (marks[2] >= ends).any():
        return None

    if not _are_decimals(text, marks[1] + width, marks[2]):
        return None
    columns: list[NDArray[Any]] = []
    for first, last in ((starts, marks[0]), (marks[0] + width, marks[1]), (marks[2] + width, ends)):
        column = _whole_numbers(text, first, last)
        if column is None:
            return None
        columns.append(column)
    if with_ratings:
        columns.append(_decimals(text, marks[1] + width, marks[2]))
    return columns


def _whole_numbers(text: NDArray[np.uint8], starts: Integers, ends: Integers) -> Integers | None:
    """Parse the whole numbers ``text[start:end]``, as int32 if all of them fit; ``None`` if one is
    malformed."""
    widths = ends - starts
    if not len(starts):
        return np.zeros(0, np.int32)
    fewest, most = int(widths.min()), int(widths.max())
    if fewest < 1 or most > MOST_DIGITS:
        return None
    values: NDArray[Any] = np.zeros(len(starts), np.int32 if most <= 9 else np.int64)
    ten = values.dtype.type(10)
    for place in range(most):
        # All numbers have the first ``fewest`` digits; some have ended at later ones.
        inside = None if place < fewest else place < widths
        at = starts + np.int32(place)
        digits = (text[at] if inside is None else text[np.where(inside, at, starts)]) - np.uint8(
            _ZERO
        )
        if digits.max() > 9:
            return None
        longer = values * ten
        longer += digits
        values = longer if inside is None else np.where(inside, longer, values)
    if most == MOST_DIGITS and values.min() < 0:  # the sign's bit is that of 2^63
        return None
    if values.dtype == np.int64 and values.max() < 2**31:
        return values.astype(np.int32)
    return values


def _are_decimals(text: NDArray[np.uint8], starts: Integers, ends: Integers) -> bool:
    """Whether every ``text[start:end]`` is one digit, or one digit, a point and one digit."""
    widths = ends - starts

    def digit(positions: Integers) -> NDArray[np.bool_]:
        return (text[positions] >= _ZERO) & (text[positions] <= _ZERO + 9)

    if not ((widths == 1) | (widths == 3)).all() or not digit(starts).all():
        return False
    long = starts[widths == 3]
    return bool((text[long + 1] == b"."[0]).all() and digit(long + 2).all())


def _decimals(text: NDArray[np.uint8], starts: Integers, ends: Integers) -> NDArray[np.float32]:
    """Parse texts that `_are_decimals` accepts, as float32."""
    long = ends - starts == 3
    whole = text[starts] - np.uint8(_ZERO)
    tenths = np.where(long, text[np.where(long, starts + 2, starts)] - np.uint8(_ZERO), 0)
    return (whole + tenths / np.float32(10)).astype(np.float32)


def _malformed(path: Path, first_line: int, block: bytes, layout: RatingFile) -> DataError:
    """Return the error that names the first malformed line of a block."""
    separator = layout.separator
    sep, number = re.escape(separator), rb"([0-9]{1,19})"
    good = re.compile(number + sep + number + sep + rb"[0-9](?:\.[0-9])?" + sep + number + rb"|")

    def is_good(line: bytes) -> bool:
        found = good.fullmatch(line)
        return found is not None and all(int(each) < 2**63 for each in found.groups(b"0"))

    lines = block.split(b"\n")
    wrong = next(
        (
            at
            for at, line in enumerate(lines)
            if not is_good(line) and not (layout.header and _is_header(line, layout))
        ),
        len(lines) - 1,
    )
    shown = lines[wrong][:60].decode("utf-8", "replace")
    named = {b"\t": "tabs", b",": "commas"}.get(separator, repr(separator.decode()))
    return DataError(
        f"{path}, line {first_line + wrong}: expected user, item, rating and time as numbers "
        f"separated by {named}, found {shown!r}: fetch or copy the file again."
    )
