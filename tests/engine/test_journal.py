"""A journal loses nothing that was promised, and a reader never takes half a line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import journal as journal_module
from engine.journal import BadLine, JournalLine, JournalWriter, read_journal

finite = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
field_values = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | finite | texts
field_maps = st.dictionaries(st.text("abcdefgh_", min_size=1, max_size=6), field_values, max_size=4)
kinds = st.sampled_from(["start", "step", "epoch", "telemetry", "checkpoint", "warning", "end"])


def line(seq: int, **fields: Any) -> bytes:
    return json.dumps({"seq": seq, "t": 1.5, "kind": "step", **fields}).encode() + b"\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal-1.jsonl"


def test_what_is_written_is_read(path: Path) -> None:
    before = time.time()
    with JournalWriter(path) as journal:
        journal.write("start", run="r", epochs=3)
        journal.write("step", loss=0.25, note="é\n\x1b[31m", nothing=None)
        journal.write("end", status="done")
    chunk = read_journal(path)
    assert [(entry.seq, entry.kind) for entry in chunk.lines] == [
        (0, "start"),
        (1, "step"),
        (2, "end"),
    ]
    assert chunk.lines[1].fields == {"loss": 0.25, "note": "é\n\x1b[31m", "nothing": None}
    assert all(before - 1 < entry.t < time.time() + 1 for entry in chunk.lines)
    assert chunk.offset == path.stat().st_size
    assert read_journal(path, chunk.offset).entries == []


@given(st.lists(st.tuples(kinds, field_maps), max_size=5))
def test_any_fields_survive(
    tmp_path_factory: pytest.TempPathFactory,
    written: list[tuple[Any, dict[str, object]]],
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal-1.jsonl"
    with JournalWriter(path) as journal:
        for kind, fields in written:
            journal.write(kind, **fields)
    read = read_journal(path).lines
    assert [(entry.kind, entry.fields) for entry in read] == written


def test_cut_at_every_byte_it_is_read_without_loss_or_doubling(path: Path, tmp_path: Path) -> None:
    """However the file grows, a reader that goes on from its offset sees every line once."""
    with JournalWriter(path) as journal:
        journal.write("start", run="r", name="naïve – ✓")
        for step in range(3):
            journal.write("step", step=step, loss=1 / (step + 1))
        journal.write("end", status="done")
    data, whole = path.read_bytes(), read_journal(path).entries
    cut = tmp_path / "cut.jsonl"
    for size in range(len(data) + 1):
        cut.write_bytes(data[:size])
        first = read_journal(cut)
        assert first.entries == whole[: data[:size].count(b"\n")]
        assert data[: first.offset].endswith(b"\n") or first.offset == 0
        cut.write_bytes(data)
        second = read_journal(cut, first.offset)
        assert first.entries + second.entries == whole
        assert second.offset == len(data)


@given(
    st.binary(max_size=300) | st.lists(st.text(max_size=30)).map(lambda x: "\n".join(x).encode())
)
def test_any_bytes_are_read_as_lines_or_bad_lines(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal-1.jsonl"
    path.write_bytes(data)
    chunk = read_journal(path)
    assert len(chunk.entries) == data.count(b"\n")
    assert chunk.offset == data.rfind(b"\n") + 1


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"seq":0,"t":1}',
        b'{"seq":-1,"t":1,"kind":"step"}',
        b'{"seq":true,"t":1,"kind":"step"}',
        b'{"seq":1.0,"t":1,"kind":"step"}',
        b'{"seq":0,"t":true,"kind":"step"}',
        b'{"seq":0,"t":"1","kind":"step"}',
        b'{"seq":0,"t":NaN,"kind":"step"}',
        b'{"seq":0,"t":1,"kind":5}',
        b'{"seq":0,"t":1,"kind":"step","loss":Infinity}',
        b'{"seq":0,"t":1,"kind":"step","loss":1e999}',
        b'{"seq":0,"t":1,"kind":"step","step":9223372036854775808}',
        b'{"seq":0,"t":1' + b"0" * 400 + b',"kind":"step"}',
        b'{"seq":0,"t":1,"kind":"step","step":' + b"1" * 5000 + b"}",
        b'{"seq":0,"t":1,"kind":"warning","message":"\\ud800"}',
        b'{"seq":0,"t":1,"kind":"warning","message":"\xff"}',
        b'{"seq":0,"t":1,"kind":"step","x":' + b"[" * 100_000,
        b'{"seq":0,"t":1,"kind":"st',
    ],
)
def test_a_bad_line_is_told_apart_and_its_neighbours_are_kept(path: Path, raw: bytes) -> None:
    path.write_bytes(line(0) + raw + b"\n" + line(2))
    chunk = read_journal(path)
    first, bad, last = chunk.entries
    assert isinstance(bad, BadLine)
    assert bad.offset == len(line(0))
    assert [entry.seq for entry in chunk.lines] == [0, 2]
    assert isinstance(first, JournalLine)
    assert isinstance(last, JournalLine)


def test_a_surrogate_pair_is_a_character(path: Path) -> None:
    path.write_bytes(line(0, message="🙂"))
    assert read_journal(path).lines[0].fields == {"message": "🙂"}


def test_a_missing_file_reads_as_empty_and_an_offset_past_the_end_waits(path: Path) -> None:
    assert read_journal(path, 7) == journal_module.Chunk([], 7)
    path.write_bytes(line(0))
    assert read_journal(path, 10_000) == journal_module.Chunk([], 10_000)


@pytest.mark.parametrize("limit", [1, 20, 60, 100, 1000])
def test_a_limit_divides_but_never_loses(path: Path, limit: int) -> None:
    path.write_bytes(b"".join(line(seq, filler="x" * (seq * 7 % 90)) for seq in range(30)))
    offset, seqs = 0, []
    while (chunk := read_journal(path, offset, limit)).offset != offset:
        seqs += [entry.seq for entry in chunk.lines]
        offset = chunk.offset
    assert seqs == list(range(30))


def test_a_figure_that_is_not_finite_is_refused_and_leaves_no_trace(path: Path) -> None:
    with JournalWriter(path) as journal:
        with pytest.raises(ValueError, match="not JSON compliant"):
            journal.write("step", loss=float("nan"))
        journal.write("end", status="failed")
    assert [(entry.seq, entry.kind) for entry in read_journal(path).lines] == [(0, "end")]


def test_text_that_is_no_text_is_written_readable(path: Path) -> None:
    with JournalWriter(path) as journal:
        journal.write("warning", message=os.fsdecode(b"caf\xe9.txt"))
    assert read_journal(path).lines[0].fields == {"message": "caf?.txt"}


def test_an_existing_journal_is_never_written_over(path: Path) -> None:
    path.write_bytes(line(0))
    with pytest.raises(FileExistsError):
        JournalWriter(path)
    assert path.read_bytes() == line(0)


def test_threads_never_tear_each_others_lines(path: Path) -> None:
    with JournalWriter(path) as journal:

        def write(worker: int) -> None:
            for step in range(200):
                journal.write("step", worker=worker, step=step, filler="x" * (step % 50))

        threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    chunk = read_journal(path)
    assert [entry.seq for entry in chunk.entries if isinstance(entry, JournalLine)] == list(
        range(800)
    )
    for worker in range(4):
        own = [entry.fields["step"] for entry in chunk.lines if entry.fields["worker"] == worker]
        assert own == list(range(200))


def test_after_a_line_cut_by_a_full_disk_the_next_one_is_whole(tmp_path: Path) -> None:
    """A limit on the file's size cuts a write where a full disk would; here, at every byte."""
    subprocess.run([sys.executable, "-c", _CUT_BY_A_LIMIT, str(tmp_path)], check=True)
    journals = sorted(tmp_path.iterdir())
    assert len(journals) > 80
    for path in journals:
        lines = read_journal(path).lines
        assert [entry.kind for entry in lines if entry.kind != "epoch"] == ["start", "end"], path
        assert len({entry.seq for entry in lines}) == len(lines), "no number is used twice"


_CUT_BY_A_LIMIT = """
import resource, signal, sys
from pathlib import Path
from engine.journal import JournalWriter

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
for room in range(1000):
    path = Path(sys.argv[1], f"journal-{room}.jsonl")
    with JournalWriter(path) as journal:
        journal.write("start")
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + room, hard))
        try:
            journal.write("epoch", filler="x" * 40)
            break  # there was room for it
        except OSError:
            pass
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        journal.write("end", status="failed")
path.unlink()
"""


def test_heartbeats_and_late_fsyncs_come_by_themselves(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "FSYNC_SECONDS", 0.01)
    monkeypatch.setattr(journal_module, "HEARTBEAT_SECONDS", 0.03)
    synced: list[float] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(time.monotonic()), real(fd))[1])
    with JournalWriter(path) as journal:
        journal.write("step", step=1)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and (
            not synced or [e.kind for e in read_journal(path).lines].count("heartbeat") < 2
        ):
            time.sleep(0.01)
    kinds = [entry.kind for entry in read_journal(path).lines]
    assert kinds[0] == "step"
    assert kinds.count("heartbeat") >= 2
    assert synced


@pytest.mark.parametrize(
    ("kind", "durable"), [("epoch", True), ("checkpoint", True), ("end", True), ("step", False)]
)
def test_what_must_last_is_on_the_disk_before_write_returns(
    path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, durable: bool
) -> None:
    monkeypatch.setattr(journal_module, "FSYNC_SECONDS", 3_600.0)  # the late one stays away
    with JournalWriter(path) as journal:
        size_at_sync: list[int] = []
        real = os.fsync

        def fsync(descriptor: int) -> None:
            size_at_sync.append(os.fstat(descriptor).st_size)
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        journal.write(kind)
        assert (path.stat().st_size in size_at_sync) == durable
        monkeypatch.undo()


def test_a_killed_writer_leaves_every_line_that_write_returned_from(path: Path) -> None:
    script = f"""
from pathlib import Path
from engine.journal import JournalWriter
journal = JournalWriter(Path({str(path)!r}))
for step in range(1_000_000):
    journal.write("step", step=step)
    print(step, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for text in process.stdout:
        if int(text) >= 50:
            break
    process.send_signal(signal.SIGKILL)
    said = [int(text) for text in process.stdout if text.endswith("\n")]
    process.stdout.close()
    process.wait()
    read = [entry.fields["step"] for entry in read_journal(path).lines]
    assert read == list(range(len(read)))
    assert len(read) > max([50, *said])
