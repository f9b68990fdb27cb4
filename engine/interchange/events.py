"""TensorBoard's events, as far as they are scalars: `tensorflow.Event` in protobuf's wire format
(tensorboard/compat/proto/event.proto, summary.proto, tensor.proto)."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

VERSION = "brain.Event:2"
"""What the first event of a file says."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DT_FLOAT, _DT_DOUBLE = 1, 2


@dataclass(frozen=True)
class Scalars:
    """One event: figures by tag, at a step and a time (seconds since 1970)."""

    t: float
    step: int
    values: Mapping[str, float]


def version_event(t: float) -> bytes:
    """The first event of a file."""
    return _fixed64(1, t) + _bytes(3, VERSION.encode())


def scalars_event(event: Scalars) -> bytes:
    """Figures become single precision, as everywhere in TensorBoard."""
    summary = b"".join(
        _bytes(1, _bytes(1, tag.encode()) + _key(2, _FIXED32) + _float32(value))
        for tag, value in event.values.items()
    )
    return (
        _fixed64(1, event.t)
        + _key(2, _VARINT)
        + _varint(event.step % (1 << 64))
        + _bytes(5, summary)
    )


def read_scalars(event: bytes) -> Scalars:
    """What an event says in scalars, which may be nothing.

    Raises:
        ValueError: it isn't one.
    """
    t, step = 0.0, 0
    values: dict[str, float] = {}
    for field, value in _fields(event):
        match field, value:
            case 1, float():
                t = value
            case 2, int():
                step = value if value < 1 << 63 else value - (1 << 64)
            case 5, bytes():
                for inner, each in _fields(value):
                    if inner == 1 and isinstance(each, bytes):
                        values.update(_value(each))
    return Scalars(t, step, values)


def _value(message: bytes) -> Iterator[tuple[str, float]]:
    """A ``Summary.Value``: `simple_value`, or a tensor of one element as newer writers have it."""
    tag: str | None = None
    figure: float | None = None
    for field, value in _fields(message):
        match field, value:
            case 1, bytes():
                tag = value.decode("utf-8", "replace")
            case 2, float():
                figure = _shortest(value)
            case 8, bytes():
                figure = _single(value)
    if tag is not None and figure is not None:
        yield tag, figure


def _single(tensor: bytes) -> float | None:
    kind = 0
    found: list[float] = []
    for field, value in _fields(tensor):
        match field, value:
            case 1, int():
                kind = value
            case ((5 | 6), float()):
                found.append(value)
            case ((4 | 5 | 6), bytes()):
                letter = {_DT_FLOAT: "f", _DT_DOUBLE: "d"}.get(kind, "")
                if letter and len(value) == struct.calcsize(letter):
                    found.append(struct.unpack(f"<{letter}", value)[0])
                    if kind == _DT_FLOAT:
                        found[-1] = _shortest(found[-1])
    return found[0] if len(found) == 1 and kind in (_DT_FLOAT, _DT_DOUBLE) else None


def _float32(value: float) -> bytes:
    """What is too large for single precision is infinite."""
    try:
        return struct.pack("<f", value)
    except OverflowError:
        return struct.pack("<f", math.copysign(math.inf, value))


def _shortest(value: float) -> float:
    """The number that somebody wrote in single precision: 0.001, not 0.0010000000474974513."""
    single = struct.pack("<f", value)
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        if struct.pack("<f", short) == single:
            return short
    return value


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field: an int, a float, or the bytes of anything longer."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        match key & 7:
            case 0:
                value, at = _read_varint(message, at)
                yield key >> 3, value
            case 1:
                yield key >> 3, _unpacked("<d", message, at)
                at += 8
            case 5:
                yield key >> 3, _unpacked("<f", message, at)
                at += 4
            case 2:
                length, at = _read_varint(message, at)
                if at + length > len(message):
                    raise ValueError("a field ends after its message")
                yield key >> 3, message[at : at + length]
                at += length
            case _:
                raise ValueError("a field of no known kind")


def _unpacked(form: str, message: bytes, at: int) -> float:
    try:
        return float(struct.unpack_from(form, message, at)[0])
    except struct.error:
        raise ValueError("a field ends after its message") from None


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number that doesn't end")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _fixed64(field: int, value: float) -> bytes:
    return _key(field, _FIXED64) + struct.pack("<d", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _key(field, _BYTES) + _varint(len(value)) + value
