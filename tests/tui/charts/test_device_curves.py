"""What the devices did over a run, as curves: each sample at its own epoch, step and second."""

from __future__ import annotations

import random
from contextlib import closing
from statistics import fmean
from typing import Any

import pytest
from live_runs import NOW, LiveStore, epoch_line, start, step
from replayed_run import GAP, replayed_run

from engine.store.connect import connect_reader
from engine.store.series import device_samples
from tui.charts import device_reading
from tui.charts.braille.chart import Chart
from tui.charts.reading import read_curves
from tui.charts.run_curves import RunCurves
from tui.charts.specs import CHARTS

BEGAN = NOW - 1000.0


def read(store: LiveStore, curves: RunCurves) -> RunCurves:
    with closing(connect_reader(store.location)) as connection:
        update = read_curves(connection, curves.run_id, curves.known)
    assert update is not None
    curves.take(update)
    return curves


def sample(second: float, utilization: float | None, **others: Any) -> dict[str, Any]:
    return {
        "t": BEGAN + second, "kind": "telemetry", "gpu_utilization": utilization, **others
    }  # fmt: skip


def trained(store: LiveStore, lines: list[dict[str, Any]]) -> str:
    """A run of two epochs: each 40 steps in 40 s, then 10 s of evaluation; and these lines."""
    run = store.launch("sasrec")
    store.mark(run, "running")
    chance = random.Random(1)
    all_lines = [{**start(), "t": BEGAN}, *lines]
    for epoch in (1, 2):
        begins = BEGAN + (epoch - 1) * 50
        all_lines += [{**step(epoch, i, chance), "t": begins + i} for i in range(10, 41, 10)]
        all_lines.append({**epoch_line(epoch, chance), "t": begins + 50})
    store.journal(run, sorted(all_lines, key=lambda line: line["t"]))
    return run


def offered(curves: RunCurves) -> list[str]:
    return [spec.id for spec in CHARTS if spec.offered([curves])]


def test_a_sample_lies_where_training_was(empty_store: LiveStore) -> None:
    seconds = (0.5, 5, 25, 45, 48, 60, 99)
    run = trained(empty_store, [sample(second, second) for second in seconds])
    curve = read(empty_store, RunCurves(run)).curves["device.gpu_utilization.0"]
    assert list(curve.xs("time")) == pytest.approx(seconds)
    # While an epoch is evaluated it stands still.
    assert list(curve.xs("epoch")) == pytest.approx([0.0125, 0.125, 0.625, 1, 1, 1.25, 2])
    assert list(curve.xs("step")) == pytest.approx([0.5, 5, 25, 40, 40, 50, 80])
    assert curve.ys == pytest.approx(seconds)


def test_what_comes_piece_by_piece_is_what_comes_at_once(empty_store: LiveStore) -> None:
    run = empty_store.launch("sasrec")
    empty_store.mark(run, "running")
    chance = random.Random(1)
    pieces = RunCurves(run)
    lines = [{**start(), "t": BEGAN}]
    for second in range(1, 120):
        lines.append(sample(second, chance.randrange(100), gpu_memory_mib=2048))
        if second % 10 == 0:
            lines.append({**step(1 + second // 60, second % 60 + 1, chance), "t": BEGAN + second})
        if second == 59:
            lines.append({**epoch_line(1, chance), "t": BEGAN + second})
        if second % 7 == 0:
            empty_store.journal(run, lines)
            lines = []
            read(empty_store, pieces)
    empty_store.journal(run, lines)
    read(empty_store, pieces)
    whole = read(empty_store, RunCurves(run))
    for source in ("device.gpu_utilization.0", "device.gpu_memory_mib.0"):
        ours, theirs = pieces.curves[source], whole.curves[source]
        assert len(ours.ys) == 119
        assert ours.ys == theirs.ys
        assert list(ours.xs("time")) == list(theirs.xs("time"))
        # The newest lie at the step before them: no later one is known yet.
        assert list(ours.xs("epoch")) == pytest.approx(list(theirs.xs("epoch")), abs=0.251)
    assert pieces.curves["device.gpu_memory_mib.0"].ys[0] == 2.0


def test_each_of_several_gpus_has_a_line(empty_store: LiveStore) -> None:
    lines = [sample(second, 90 - second) for second in range(10, 80, 10)]
    lines += [sample(second, 20, gpu=1) for second in range(10, 80, 10)]
    curves = read(empty_store, RunCurves(trained(empty_store, lines)))
    chart = next(spec for spec in CHARTS if spec.id == "gpu")
    traces = chart.traces([curves])[::-1]
    assert [(trace.name, trace.curve.ys[0]) for trace in traces] == [("GPU 0", 80), ("GPU 1", 20)]
    assert len({trace.style for trace in traces}) == 2
    other = read(empty_store, RunCurves(trained(empty_store, [sample(10, 55)])))
    over = chart.traces([other, curves])[::-1]
    assert [trace.letter for trace in over] == ["a", "b", "b"]
    assert over[1].style == over[2].style != over[0].style
    assert [trace.look(0.0) for trace in over[1:]] == [over[1].style, f"{over[1].style} dim"]
    drawn = Chart("GPU", over[::-1], digits=0, within=(0, 100))
    text = ["".join(text for text, _ in line) for line in drawn.draw(60, 20)]
    assert "a 55" in text[0]
    assert "b 0:20 1:20" in text[0]
    marks = {mark for mark in ("a", "b0", "b1") if any(mark in line[6:] for line in text[1:-1])}
    assert marks == {"a", "b0", "b1"}


def test_charts_are_offered_of_what_telemetry_tells(empty_store: LiveStore) -> None:
    trains = ["loss", "valid", "grad", "lr"]
    nothing = read(empty_store, RunCurves(trained(empty_store, [])))
    assert offered(nothing) == trains
    host = {"cpu_percent": 40, "memory_used_mib": 2000, "process_cpu_percent": 180,
            "process_memory_mib": 700}  # fmt: skip
    on_cpu = read(empty_store, RunCurves(trained(empty_store, [sample(5, None, **host)])))
    assert set(offered(on_cpu)) == {*trains, "cpu", "ram", "cores"}
    assert on_cpu.curves["device.process_cpu_percent.0"].ys == [1.8]
    on_gpu = read(empty_store, RunCurves(trained(empty_store, [sample(5, 80, gpu_power_w=300)])))
    assert set(offered(on_gpu)) == {*trains, "gpu", "power"}
    # A driver that doesn't tell isn't a GPU that is idle.
    gpu = next(spec for spec in CHARTS if spec.id == "gpu")
    assert gpu.traces([on_cpu]) == []
    assert [trace.letter for trace in gpu.traces([on_cpu, on_gpu])] == ["b"]


def test_work_that_was_done_again_is_left_out(empty_store: LiveStore) -> None:
    run = replayed_run(empty_store, gpu=True)
    curves = read(empty_store, RunCurves(run))
    whole = list(curves.curves["device.gpu_utilization.0"].xs("time"))
    assert len(whole) == 12
    assert whole[-1] < 24 < GAP
    # A third attempt begins after epoch 2: the first one's other epochs, and the second, are gone.
    empty_store.mark(run, "running", 3)
    empty_store.journal(run, [{**start(resumed_epoch=2), "t": NOW}, sample(1010, 50)], 3)
    again = read(empty_store, curves).curves["device.gpu_utilization.0"]
    assert list(again.xs("time")) == [*whole[:4], pytest.approx(34)]


def test_a_long_run_is_told_by_means_and_peaks(
    empty_store: LiveStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_reading, "SAMPLES", 100)
    chance = random.Random(1)
    busy = [float(chance.randrange(100)) for _ in range(2_000)]
    lines = [
        sample(second, each, gpu_memory_mib=2048 if second != 77 else 4096)
        for second, each in enumerate(busy, 1)
    ]
    curves = read(empty_store, RunCurves(trained(empty_store, lines)))
    utilization = curves.curves["device.gpu_utilization.0"]
    assert 90 <= len(utilization.ys) <= 102
    assert fmean(utilization.ys) == pytest.approx(fmean(busy), abs=2)
    assert max(curves.curves["device.gpu_memory_mib.0"].ys) == 4.0
    with closing(connect_reader(empty_store.location)) as con:
        newest = device_samples(con, curves.run_id, curves.known.sample, 100)
    assert newest == []
