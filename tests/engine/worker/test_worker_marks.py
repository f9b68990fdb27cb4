"""What disturbs a run on its GPU: from the driver through the journal to the comparison."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from measured_runs import MeasuredStore
from nvidia import Gpu, Machine

from engine.analysis.comparison import compare_rows
from engine.journal import JournalWriter, read_journal
from engine.store.connect import connect_reader, connect_writer
from engine.store.intake.ingest import ingest
from engine.store.intake.rebuild import rebuild
from engine.worker import recorder

WATCHED = """
import os, sys
from pathlib import Path
from typing import Any
from engine.journal import JournalWriter
from engine.worker import recorder
from engine.worker.shared import Company
beside = int(os.environ["BESIDE"])
recorder.SAMPLE_SECONDS, recorder.TELEMETRY_SECONDS = 0.02, 0.06
with JournalWriter(Path(sys.argv[1])) as journal:
    company = Company(lambda: beside, (lambda: 100.0) if beside else None)
    company.in_epoch()
    thread = recorder.TelemetryThread(journal, os.getpid(), sys.argv[2:], company)
    print(os.getpid(), flush=True)
    sys.stdin.readline()
    thread.start()
    for _ in sys.stdin:
        while len(Path(sys.argv[1]).read_bytes().splitlines()) < 3:
            thread.join(0.01)
        break
    thread.end()
    print(thread.gpu_use().memory_mib)
"""


def telemetry(
    machine: Machine, journal: Path, gpu: Callable[[int], Gpu], *others: Gpu, beside: int = 0
) -> tuple[list[dict[str, object]], str]:
    """The lines that a worker's thread writes while its GPU is as told, given its process id, while
    the run has these other GPUs, and so many runs beside it; and an epoch's memory."""
    uuids = ["GPU-aaaa", *(other.uuid for other in others)]
    with subprocess.Popen(
        [sys.executable, "-c", WATCHED, str(journal), *uuids],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**machine.environment, "BESIDE": str(beside)},
    ) as process:
        assert process.stdout is not None
        own = gpu(int(process.stdout.readline()))
        machine.has(own, *others, Gpu("GPU-other", processes=((9, 1),)))
        memory, _ = process.communicate("\n\n")
    assert process.returncode == 0
    return [json.loads(line) for line in journal.read_text().splitlines()], memory.strip()


QUIET = Gpu("GPU-aaaa")
slow = partial(pytest.param, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("gpu", "marks"),
    [
        (lambda pid: replace(QUIET, processes=((pid, 300),)), ""),
        slow(lambda pid: replace(QUIET, processes=((pid, 300), (77, None))), "shared"),
        slow(lambda pid: replace(QUIET, processes=((77, 300),)), ""),
        slow(lambda pid: replace(QUIET, processes=((77, 300),), throttle=None), None),
        (
            lambda pid: replace(QUIET, processes=((pid, 1), (7, 1)), throttle=0x4, old_driver=True),
            "shared throttled-power",
        ),
    ],
    ids=["alone", "another", "not seen itself", "nothing told", "old driver"],
)
def test_what_the_driver_tells_marks_the_run(
    nvidia: Machine, tmp_path: Path, gpu: Callable[[int], Gpu], marks: str | None
) -> None:
    nvidia.has(QUIET)
    lines, _ = telemetry(nvidia, tmp_path / "lines.jsonl", gpu)
    store = MeasuredStore(tmp_path / "lab")
    run = store.add(epochs=2, end=None)
    folder = store.location.folder(run)
    with folder.journal(1).open("a") as journal:
        for seq, line in enumerate(lines, 100):
            journal.write(json.dumps({**line, "seq": seq}) + "\n")
    with closing(connect_writer(store.location)) as connection:
        ingest(connection, folder, 1)
    for _ in range(2):
        with closing(connect_reader(store.location)) as con:
            (row,) = compare_rows(con)
            assert row["marks"] == marks
            found = compare_rows(con, filter="mark:*")
            assert [each["run"] for each in found] == ([run] if marks else [])
        rebuild(store.location)


def test_each_gpu_of_a_run_has_lines_of_its_own(nvidia: Machine, tmp_path: Path) -> None:
    others = (Gpu("GPU-bbbb", util=30, watts=200), Gpu("GPU-cccc", util=None, throttle=0x20))
    nvidia.has(QUIET, *others)
    own = replace(QUIET, util=80)
    lines, _ = telemetry(nvidia, tmp_path / "lines.jsonl", lambda _: own, *others)
    columns = ("gpu", "gpu_utilization", "gpu_power_w", "gpu_throttle")
    told = [tuple(line.get(column) for column in columns) for line in lines]
    each = [(None, 80, 350, 0), (1, 30, 200, 0), (2, None, 350, 0x20)]
    assert told == each * (len(lines) // 3)
    assert all(("cpu_percent" in line) == ("gpu" not in line) for line in lines)


@pytest.mark.parametrize("beside", [0, 2])
def test_what_the_process_has_is_not_the_runs_beside_others(
    nvidia: Machine, tmp_path: Path, beside: int
) -> None:
    nvidia.has(QUIET)
    journal = tmp_path / "lines.jsonl"
    lines, memory = telemetry(
        nvidia, journal, lambda pid: replace(QUIET, processes=((pid, 300),)), beside=beside
    )
    line = lines[-1]
    assert line["gpu_others"] == beside
    assert line["process_gpu_memory_mib"] == (100 if beside else 300)
    assert (line["process_memory_mib"] is None) == bool(beside)
    assert memory == ("None" if beside else "300.0")


def test_a_clock_that_is_set_back_costs_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "SAMPLE_SECONDS", 0.01)
    monkeypatch.setattr(recorder, "TELEMETRY_SECONDS", 0.02)
    with JournalWriter(tmp_path / "lines.jsonl") as journal:
        thread = recorder.TelemetryThread(journal, os.getpid())
        thread.start()

        def lines_from_now_on(wanted: int) -> bool:
            found = partial(read_journal, tmp_path / "lines.jsonl", 0)
            before, deadline = len(found().lines), time.monotonic() + 10
            while (more := len(found().lines) - before) < wanted and time.monotonic() < deadline:
                thread.join(0.01)
            return more >= wanted

        assert lines_from_now_on(1)
        earlier = time.time() - 3_600
        monkeypatch.setattr(time, "time", lambda: earlier)
        assert lines_from_now_on(3)  # one may be just on its way
        thread.end()
