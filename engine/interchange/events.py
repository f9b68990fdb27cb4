"""Scalars in TensorBoard's event files. The package that reads and writes these is an extra:
importing this module without it is a `UsageError` that says how to install it."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from engine.errors import UsageError
from engine.files.regular import open_regular

try:
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.types_pb2 import DT_DOUBLE, DT_FLOAT
    from tensorboard.compat.tensorflow_stub.errors import OpError, OutOfRangeError
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New
    from tensorboard.summary.writer.record_writer import RecordWriter
    from tensorboard.util.tensor_util import make_ndarray
except ImportError:
    raise UsageError(
        "TensorBoard's event files need the package tensorboard: "
        "pip install 'seqbench[tensorboard]', or use CSV."
    ) from None


class DamagedError(Exception):
    """The rest of an event file is damaged or missing."""


@dataclass(frozen=True)
class Scalars:
    """The scalars of one event, by tag, at a step and a time (seconds since 1970)."""

    t: float
    step: int
    values: Mapping[str, float]


def write_scalars(file: BinaryIO, t: float, events: Iterator[Scalars]) -> None:
    """Write an event file that begins at ``t``, seconds since 1970.

    Figures become single precision, as everywhere in TensorBoard.
    """
    writer = RecordWriter(file)
    writer.write(Event(wall_time=t, file_version="brain.Event:2").SerializeToString())
    for each in events:
        values = [Summary.Value(tag=tag, simple_value=v) for tag, v in each.values.items()]
        event = Event(wall_time=each.t, step=each.step, summary=Summary(value=values))
        writer.write(event.SerializeToString())


def read_scalars(path: Path) -> Iterator[Scalars]:
    """Read a file's events one after the other; one without scalars has no values.

    Raises:
        DamagedError: the file is damaged, or cut short as by a crash, after what was read so far.
        OSError: the file can't be read, or isn't one.
    """
    with open_regular(path) as file:
        # The package opens by name, and takes names for addresses: this one is of what was opened.
        reader = PyRecordReader_New(f"/proc/self/fd/{file.fileno()}")
        while True:
            try:
                reader.GetNext()
                event = Event.FromString(reader.record())
                values = dict(_scalars(event.summary))
            except OutOfRangeError:
                return
            except (OpError, DecodeError, ValueError, MemoryError, OverflowError):
                raise DamagedError("is damaged or truncated") from None
            yield Scalars(event.wall_time, event.step, values)


def _scalars(summary: Any) -> Iterator[tuple[str, float]]:
    """Yield tag and value of each scalar: `simple_value`, or a tensor of one element, as newer
    writers have it."""
    for value in summary.value:
        match value.WhichOneof("value"):
            case "simple_value":
                yield value.tag, _shortest(value.simple_value)
            case "tensor":
                tensor = value.tensor
                elements = math.prod(dim.size for dim in tensor.tensor_shape.dim)
                if tensor.dtype in (DT_FLOAT, DT_DOUBLE) and elements == 1:
                    figure = float(make_ndarray(tensor).item())
                    yield value.tag, _shortest(figure) if tensor.dtype == DT_FLOAT else figure


def _shortest(value: float) -> float:
    """Return the shortest decimal number that is ``value`` in single precision: 0.001, not
    0.0010000000474974513."""
    single = struct.pack("<f", value)
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        if struct.pack("<f", short) == single:
            return short
    return value
