"""Reading a source's text: unpacked, in UTF-8, with lines that end in a line feed."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from engine.datasets.readers.unpacking import open_unpacked
from engine.errors import DataError
from engine.spec import Packing

BLOCK_BYTES = 2**22
READ_BYTES = 2**18

LONGEST_LINE = 16 * 2**20
"""Most bytes of a line; a longer one means that the file is no text."""

_BOM = codecs.BOM_UTF8
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # begins like that of UTF-16
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SNIFFED_BYTES = 2**12
_TAR = slice(257, 262), b"ustar"
_CONTROLS = bytes({*range(32)} - set(b"\t\n\v\f\r\x1a\x1b\x1f"))
_LEAST_TEXT = 0.95
"""Least share of a text's bytes that aren't control characters."""


@dataclass(frozen=True)
class Form:
    """How a source's file holds its text, as far as it was said."""

    encoding: str | None = None
    """``None``: as a byte order mark tells, else UTF-8, in which other bytes are kept apart."""
    packing: Packing | None = None
    """``None``: as the first bytes tell."""


PLAIN = Form()
"""Nothing was said."""


@contextmanager
def open_text(path: Path, form: Form = PLAIN) -> Iterator[BinaryIO]:
    """Open a text as UTF-8 without byte order mark, whose lines all end with a line feed, however
    they do in the file.

    Raises:
        DataError: the file can't be read, is damaged, or is no text in its encoding; also for
        errors of reads within the context.
    """
    with open_unpacked(path, form.packing) as file:
        blocks = _unix_lines(_utf8(path, file, form.encoding))
        yield io.BufferedReader(Blocks(blocks), READ_BYTES)


def numbered_lines(path: Path, form: Form = PLAIN) -> Iterator[tuple[int, bytes]]:
    """Yield each non-empty line with its number, from 1, stripped.

    Raises:
        DataError: as `open_text`, or a line is too long.
    """
    with open_text(path, form) as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE:
                raise DataError(f"{path}, line {number} is longer than {LONGEST_LINE:,} bytes.")
            if stripped := line.strip():
                yield number, stripped


def malformed(path: Path, line: int, expected: str, found: bytes) -> DataError:
    """Return the error of a malformed line, which names it and shows its beginning."""
    shown = found[:60].decode("utf-8", "replace")
    return DataError(
        f"{path}, line {line}: expected {expected}, found {shown!r}: "
        "correct or copy the file again."
    )


class Blocks(io.RawIOBase):
    """Blocks of bytes as a file."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._left = memoryview(block)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def _utf8(path: Path, file: BinaryIO, said: str | None) -> Iterator[bytes]:
    """Yield a file's text in UTF-8, without byte order mark."""
    first = file.read(BLOCK_BYTES)
    encoding = said or next((each for bom, each in _BOMS.items() if first.startswith(bom)), None)
    if encoding in (None, "utf-8-sig"):
        _check_text(path, first, said)
        yield first.removeprefix(_BOM)
        while block := file.read(BLOCK_BYTES):
            yield block
        return
    decoder = codecs.getincrementaldecoder(str(encoding))()
    block, done = first, 0
    try:
        while block:
            text = decoder.decode(block)
            yield (text if done else text.removeprefix("\ufeff")).encode()
            done += len(block)
            block = file.read(BLOCK_BYTES)
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise DataError(
            f"{path} isn't {encoding} text ({getattr(error, 'reason', error)}): "
            "give another --encoding."
        ) from error


def _check_text(path: Path, first: bytes, said: str | None) -> None:
    """Refuse what can't be text in UTF-8, or in an encoding that is like it for ASCII."""
    start = first[:_SNIFFED_BYTES]
    where, magic = _TAR
    if start[where] == magic:
        raise DataError(f"{path} is a tar archive: unpack it, and import the file that is in it.")
    if said is None and len(start.translate(None, _CONTROLS)) < len(start) * _LEAST_TEXT:
        nulls = max(start[::2].count(0), start[1::2].count(0))
        remedy = (
            "give its --encoding, such as utf-16-le or utf-16-be"
            if nulls > len(start) // 4
            else "decompress it if it is compressed, or give its --format"
        )
        raise DataError(f"{path} isn't UTF-8 text: {remedy}.")


def _unix_lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """End all lines with a line feed: those that end with a carriage return, or with both."""
    held = b""
    for block in blocks:
        if held or b"\r" in block:
            text = held + block
            held = b"\r" if text.endswith(b"\r") else b""
            block = text[: len(text) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield block
    if held:
        yield b"\n"
