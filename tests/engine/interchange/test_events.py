"""Event files: what TensorBoard wrote is read, what we write it reads, what is damaged is told."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.interchange.events import Scalars, read_scalars, scalars_event, version_event
from engine.interchange.tfrecord import LARGEST, RecordError, crc32c, read_records, record


def test_the_checksum_is_castagnolis() -> None:
    """RFC 3720, appendix B.4."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


def records(data: bytes) -> list[bytes]:
    return list(read_records(io.BytesIO(data), len(data)))


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_records_come_back(contents: list[bytes]) -> None:
    assert records(b"".join(map(record, contents))) == contents


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=4), st.data())
def test_records_before_a_cut_or_a_change_are_whole(
    contents: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(map(record, contents))
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        broken = whole[:at]
    else:
        broken = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    found: list[bytes] = []
    with suppress(RecordError):
        found.extend(read_records(io.BytesIO(broken), len(broken)))
    assert found == contents[: len(found)]
    assert len(found) < len(contents)


def test_a_record_of_an_impossible_length_is_not_read() -> None:
    head = record(struct.pack("<Q", 1 << 60))
    check = head[-4:]  # of those eight bytes
    with pytest.raises(RecordError, match="cut short at byte 0"):
        records(head[12:20] + check)


def test_what_is_too_large_for_figures_is_passed_over() -> None:
    assert records(record(b"a") + record(bytes(LARGEST + 1)) + record(b"b")) == [b"a", b"b"]


FIGURES = st.dictionaries(st.text(max_size=20), st.floats(width=32, allow_nan=False), max_size=5)


@given(st.floats(0, 1e11), st.integers(0, 2**62), FIGURES)
def test_scalars_come_back(t: float, step: int, figures: dict[str, float]) -> None:
    tags = {tag.encode("utf-8", "replace").decode(): value for tag, value in figures.items()}
    found = read_scalars(scalars_event(Scalars(t, step, tags)))
    assert (found.t, found.step, list(found.values)) == (t, step, list(tags))
    for tag, value in tags.items():
        assert struct.pack("<f", found.values[tag]) == struct.pack("<f", value)


def test_figures_are_the_numbers_that_were_written() -> None:
    found = read_scalars(scalars_event(Scalars(1.0, 1, {"lr": 0.001, "loss": 4888.11})))
    assert found.values == {"lr": 0.001, "loss": 4888.11}


@given(st.binary(max_size=200))
def test_bytes_that_are_no_event_are_an_error_of_value(data: bytes) -> None:
    try:
        found = read_scalars(data)
    except ValueError:
        return
    assert all(isinstance(value, float) for value in found.values.values())


@pytest.mark.slow
def test_tensorboard_reads_what_is_written(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = [Scalars(100.5 + n, n, {"NDCG@10/test": n / 7, "größe": -1.5}) for n in range(1, 20)]
    data = record(version_event(100.0)) + b"".join(record(scalars_event(e)) for e in events)
    (tmp_path / "events.out.tfevents.0000000100.seqbench").write_bytes(data)
    found = EventAccumulator(str(tmp_path)).Reload()
    assert sorted(found.Tags()["scalars"]) == ["NDCG@10/test", "größe"]
    scalars = found.Scalars("NDCG@10/test")
    assert [(s.wall_time, s.step) for s in scalars] == [(e.t, e.step) for e in events]
    assert [s.value for s in scalars] == pytest.approx([n / 7 for n in range(1, 20)], rel=1e-6)


@pytest.mark.slow
def test_what_tensorboards_writers_write_is_read(tmp_path: Path) -> None:
    """Old scalars, and the tensors that newer writers make of them."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    from tensorboard.util import tensor_util

    writer = EventFileWriter(str(tmp_path))
    old = Summary(value=[Summary.Value(tag="Loss/train", simple_value=5.25)])
    writer.add_event(Event(wall_time=12.5, step=3, summary=old))
    tensors = [
        tensor_util.make_tensor_proto(0.125, dtype="float32"),
        tensor_util.make_tensor_proto(0.1, dtype="float64"),
        TensorProto(dtype=1, float_val=[0.5]),
        tensor_util.make_tensor_proto([1.0, 2.0]),
    ]
    new = Summary(value=[Summary.Value(tag=f"t{i}", tensor=t) for i, t in enumerate(tensors)])
    writer.add_event(Event(wall_time=13.5, step=4, summary=new))
    writer.close()
    (path,) = tmp_path.iterdir()
    events = [read_scalars(data) for data in records(path.read_bytes())]
    assert dict(events[1].values) == {"Loss/train": 5.25}
    assert (events[1].t, events[1].step) == (12.5, 3)
    assert dict(events[2].values) == {"t0": 0.125, "t1": 0.1, "t2": 0.5}, "one element each"
