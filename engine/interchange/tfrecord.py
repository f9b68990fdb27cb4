"""TFRecord, the frame of TensorBoard's event files: a record is its length, that length's checksum,
its bytes and theirs (tensorflow/core/lib/io/record_writer.cc)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

LARGEST = 1 << 20
"""Bytes of a record that is read; larger ones hold pictures and graphs, and are passed over."""

_LENGTH = struct.Struct("<QI")
_CHECK = struct.Struct("<I")


class RecordError(ValueError):
    """What follows is no whole record."""


def record(data: bytes) -> bytes:
    """One record, framed."""
    length = struct.pack("<Q", len(data))
    return length + _CHECK.pack(_masked(length)) + data + _CHECK.pack(_masked(data))


def read_records(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The records of a file of ``size`` bytes, one after the other.

    Raises:
        RecordError: where it is damaged, or cut short as by a crash; what came before is whole.
    """
    at = 0
    while head := file.read(_LENGTH.size):
        if len(head) < _LENGTH.size:
            raise RecordError(f"is cut short at byte {at:,}")
        length, check = _LENGTH.unpack(head)
        if _masked(head[:8]) != check:
            raise RecordError(f"is damaged at byte {at:,}")
        end = at + _LENGTH.size + length + _CHECK.size
        if end > size:
            raise RecordError(f"is cut short at byte {at:,}")
        if length <= LARGEST:
            data = file.read(length)
            if file.read(_CHECK.size) != _CHECK.pack(_masked(data)):
                raise RecordError(f"is damaged at byte {at:,}")
            yield data
        else:
            file.seek(end)
        at = end


def _masked(data: bytes) -> int:
    """Rotated and shifted, so that a checksum of checksums is not weak."""
    check = crc32c(data)
    return ((check >> 15 | check << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _table() -> tuple[int, ...]:
    entries = []
    for entry in range(256):
        for _ in range(8):
            entry = entry >> 1 ^ (0x82F63B78 if entry & 1 else 0)
        entries.append(entry)
    return tuple(entries)


_TABLE = _table()


def crc32c(data: bytes) -> int:
    """Castagnoli's checksum (RFC 3720, appendix B.4), which neither zlib nor hashlib has."""
    check = 0xFFFFFFFF
    for byte in data:
        check = check >> 8 ^ _TABLE[(check ^ byte) & 0xFF]
    return check ^ 0xFFFFFFFF
