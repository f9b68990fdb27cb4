"""Interactions a second, and the share of a run's time for which its GPUs were idle."""

from __future__ import annotations

import json
import random
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from measured_runs import MeasuredStore, journal

from engine.analysis.run.throughput import GpuIdle, gpu_idle, interactions_per_second
from engine.store.connect import connect_reader, connect_writer
from engine.store.intake.ingest import ingest
from engine.store.intake.rebuild import rebuild


def test_interactions_a_second() -> None:
    assert interactions_per_second({"train_interactions": 98_000}, 4.0) == 24_500
    for unknown in (({}, 4.0), ({"train_interactions": 98_000}, None)):
        assert interactions_per_second(*unknown) is None


def add(store: MeasuredStore, samples: list[dict[str, Any]]) -> str:
    """A run whose journal has these lines of telemetry before its end."""
    run = store.add(epochs=3, end=None)
    *lines, end = journal("sasrec", "ml-100k", 50, 42, 3, "done")
    told = [{"t": lines[0]["t"] + 2, "kind": "telemetry", **sample} for sample in samples]
    store.ran(run, [*lines, *told, end])
    return run


def idle(store: MeasuredStore, run: str) -> GpuIdle | None:
    with closing(connect_reader(store.location)) as con:
        return gpu_idle(con, run)


def test_the_gpu_is_idle_while_no_kernel_runs(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    chance = random.Random(1)
    busy = [chance.randrange(101) for _ in range(50)]
    run = add(store, [{"gpu_utilization": each} for each in busy] + [{"gpu_utilization": None}])
    found = idle(store, run)
    assert found is not None
    assert found.share == pytest.approx(1 - sum(busy) / 5000)
    assert found.words == f"GPU idle {100 - sum(busy) / 50:.0f} % of the time"


def test_each_of_several_gpus_is_told(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    first = [{"gpu_utilization": 80, "cpu_percent": 5}, {"gpu_utilization": 60, "cpu_percent": 5}]
    run = add(store, first + [{"gpu": 1, "gpu_utilization": 30}] * 2)
    for _ in range(2):
        found = idle(store, run)
        assert found is not None
        assert found.by_gpu == pytest.approx((0.3, 0.7))
        assert found.words == "2 GPUs idle 50 % of the time (30 %, 70 %)"
        rebuild(store.location)


def test_on_the_cpu_nothing_is_said_of_a_gpu(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    assert idle(store, add(store, [{"cpu_percent": 50, "gpu_utilization": None}])) is None
    assert idle(store, store.add(seed=7)) is None


def test_all_attempts_count(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    run = add(store, [{"gpu_utilization": 100}])
    folder = store.location.folder(run)
    again = {"t": 2e9, "kind": "telemetry", "gpu_utilization": 0, "seq": 1}
    started = {**journal("sasrec", "ml-100k", 50, 42, 0, None)[0], "t": 1.9e9, "seq": 0}
    folder.journal(2).write_text("".join(json.dumps(line) + "\n" for line in (started, again)))
    with closing(connect_writer(store.location)) as con:
        ingest(con, folder, 2)
    found = idle(store, run)
    assert found is not None
    assert found.share == 0.5
