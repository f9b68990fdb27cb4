"""Event files: what TensorBoard wrote is read, what we write it reads, what is damaged is told."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util import tensor_util

from engine.interchange.events import DamagedError, Scalars, read_scalars, write_scalars

one_file = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def written(path: Path, events: list[Scalars], t: float = 100.0) -> bytes:
    with path.open("wb") as file:
        write_scalars(file, t, iter(events))
    return path.read_bytes()


def raw(path: Path, *records: bytes) -> Path:
    with path.open("wb") as file:
        writer = RecordWriter(file)
        for record in records:
            writer.write(record)
    return path


FIGURES = st.dictionaries(st.text(max_size=20), st.floats(width=32, allow_nan=False), max_size=5)


@one_file
@given(st.floats(0, 1e11), st.integers(0, 2**62), FIGURES)
def test_scalars_come_back(tmp_path: Path, t: float, step: int, figures: dict[str, float]) -> None:
    written(tmp_path / "x", [Scalars(t, step, figures)])
    _, found = read_scalars(tmp_path / "x")
    assert (found.t, found.step, list(found.values)) == (t, step, list(figures))
    for tag, value in figures.items():
        assert struct.pack("<f", found.values[tag]) == struct.pack("<f", value)


def test_figures_are_the_numbers_that_were_written(tmp_path: Path) -> None:
    figures = {"lr": 0.001, "loss": 4888.11, "large": 1e300}
    written(tmp_path / "x", [Scalars(1.0, 1, figures)])
    _, found = read_scalars(tmp_path / "x")
    assert found.values == figures | {"large": float("inf")}


@one_file
@given(st.data())
def test_events_before_a_cut_or_a_change_are_whole(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "x"
    events = [Scalars(float(n), n, {"a": n / 2, "b": 1.0}) for n in range(1, 4)]
    whole = written(path, events)
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        path.write_bytes(whole[:at])
    else:
        changed = bytes([whole[at] ^ data.draw(st.integers(1, 255))])
        path.write_bytes(whole[:at] + changed + whole[at + 1 :])
    found: list[Scalars] = []
    with suppress(DamagedError):
        found.extend(read_scalars(path))
    assert found[1:] == events[: max(len(found) - 1, 0)]
    assert len(found) <= len(events)


@one_file
@given(st.binary(max_size=200))
def test_bytes_that_are_no_event_are_damage(tmp_path: Path, data: bytes) -> None:
    with suppress(DamagedError):
        for found in read_scalars(raw(tmp_path / "x", data)):
            assert all(isinstance(value, float) for value in found.values.values())
    (tmp_path / "y").write_bytes(data)
    with suppress(DamagedError):
        assert list(read_scalars(tmp_path / "y")) == []


def test_a_record_of_an_impossible_length_is_not_read(tmp_path: Path) -> None:
    head = raw(tmp_path / "x", struct.pack("<Q", 1 << 60)).read_bytes()
    (tmp_path / "x").write_bytes(head[12:24])  # those eight bytes and their checksum
    with pytest.raises(DamagedError):
        list(read_scalars(tmp_path / "x"))


def test_a_pipe_is_not_waited_for_and_any_name_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a file"):
        list(read_scalars(tmp_path / "pipe"))
    odd = tmp_path / os.fsdecode(b"s3:\xff")
    written(odd, [Scalars(1.0, 1, {"a": 1.0})])
    assert len(list(read_scalars(odd))) == 2


def test_tensors_that_lie_are_damage_or_nothing(tmp_path: Path) -> None:
    """A tensor of one number that says it is 2^40 of them, and others."""
    huge = tensor_util.make_tensor_proto([1.0], dtype="float32")
    huge.tensor_shape.dim[0].size = 1 << 40
    negative = tensor_util.make_tensor_proto([1.0], dtype="float32")
    for _ in range(2):
        negative.tensor_shape.dim.add().size = -1
    for tensor in (huge, negative, TensorProto(dtype=1, tensor_content=b"abc")):
        event = Event(summary=Summary(value=[Summary.Value(tag="t", tensor=tensor)]))
        path = raw(tmp_path / "x", event.SerializeToString())
        with suppress(DamagedError):
            assert [dict(each.values) for each in read_scalars(path)] in ([{}], [{"t": 1.0}])


def test_what_tensorboards_writers_write_is_read(tmp_path: Path) -> None:
    """Old scalars, and the tensors that newer writers make of them."""
    old = Summary(value=[Summary.Value(tag="Loss/train", simple_value=5.25)])
    tensors = [
        tensor_util.make_tensor_proto(0.125, dtype="float32"),
        tensor_util.make_tensor_proto(0.1, dtype="float64"),
        TensorProto(dtype=1, float_val=[0.5]),
        tensor_util.make_tensor_proto([1.0, 2.0]),
    ]
    new = Summary(value=[Summary.Value(tag=f"t{i}", tensor=t) for i, t in enumerate(tensors)])
    events = [Event(wall_time=12.5, step=3, summary=old), Event(step=4, summary=new)]
    path = raw(tmp_path / "x", *(event.SerializeToString() for event in events))
    first, second = read_scalars(path)
    assert (first.t, first.step, dict(first.values)) == (12.5, 3, {"Loss/train": 5.25})
    assert dict(second.values) == {"t0": 0.125, "t1": 0.1, "t2": 0.5}, "one element each"


def test_without_the_package_there_is_one_sentence(tmp_path: Path) -> None:
    """The rest of import and export works."""
    code = (
        "import sys; sys.modules['tensorboard'] = None\n"
        "import engine.interchange.history, engine.interchange.epochs\n"
        "from pathlib import Path\n"
        "from engine.errors import UsageError\n"
        "from engine.interchange.history import read_history\n"
        "try: read_history(Path(sys.argv[1]))\n"
        "except UsageError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True
    )
    assert "pip install 'seqbench[tensorboard]'" in done.stdout
    assert done.stdout.count("\n") == 1
