"""Reading the lines of a text file, gzipped or not."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from engine.errors import DataError
from engine.regular import open_regular

GZIP = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"

LONGEST_LINE = 16 * 2**20
"""Most bytes of a line; a longer one means that the file is no text."""


@contextmanager
def open_unpacked(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, decompressed if its content is gzip, whatever its name.

    Raises:
        DataError: the file can't be read or is damaged; also for errors of reads within the
        context.
    """
    try:
        with open_regular(path) as file:
            packed = file.read(len(GZIP)) == GZIP
            file.seek(0)
            if packed:
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is damaged ({error}): fetch or copy it again.") from error
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror or error}.") from error


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield each non-empty line with its number, from 1, stripped and without byte order mark.

    Raises:
        DataError: as `open_unpacked`, or a line is too long.
    """
    with open_unpacked(path) as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE:
                raise DataError(f"{path}, line {number} is longer than {LONGEST_LINE:,} bytes.")
            if number == 1:
                line = line.removeprefix(BOM)
            if stripped := line.strip():
                yield number, stripped


def malformed(path: Path, line: int, expected: str, found: bytes) -> DataError:
    """Return the error of a malformed line, which names it and shows its beginning."""
    shown = found[:60].decode("utf-8", "replace")
    return DataError(
        f"{path}, line {line}: expected {expected}, found {shown!r}: "
        "correct or copy the file again."
    )
