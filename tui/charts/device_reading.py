"""Reading what the devices did during a run: the samples of telemetry as points of curves."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from engine.analysis.timeline import Timeline
from engine.store import series
from tui.charts.braille.curve import Moment, Points
from tui.charts.run_curves import device_source

_SCALE = {
    "gpu_memory_mib": 1024.0,
    "process_gpu_memory_mib": 1024.0,
    "memory_used_mib": 1024.0,
    "process_memory_mib": 1024.0,
    "process_cpu_percent": 100.0,
}
"""What a figure of telemetry is divided by: memory is drawn in GiB, a run's CPU in cores."""

SAMPLES = 4_000
"""Samples that are read at once of a GPU, at most: more than a terminal has columns of dots."""


def read_devices(
    con: sqlite3.Connection,
    run_id: str,
    after: tuple[int, int],
    passed: Sequence[Moment],
    timeline: Timeline,
) -> tuple[tuple[int, int], dict[str, Points]]:
    """Read the samples after ``(attempt, seq)``.

    Args:
        passed: moments of the run by their time, from one before these samples on: between two of
            them a sample's epoch and step lie in proportion to its time.

    Returns:
        Attempt and seq of the newest sample, and points by source.
    """
    rows = series.device_samples(con, run_id, after, SAMPLES)
    if not rows:
        return after, {}
    points: dict[str, Points] = {}
    for gpu in sorted({row["gpu"] for row in rows}):
        own = [row for row in rows if row["gpu"] == gpu]
        times = [timeline.seconds(row["attempt"], row["t"]) for row in own]
        moments = _moments(times, passed)
        for measure in (*series.DEVICE_MEANS, *series.DEVICE_PEAKS):
            scale = _SCALE.get(measure, 1.0)
            values = [None if row[measure] is None else row[measure] / scale for row in own]
            if any(value is not None for value in values):
                told = ((*moment, y) for moment, y in zip(moments, values, strict=True))
                points[device_source(measure, gpu)] = Points.of(told)
    return (rows[-1]["attempt"], rows[-1]["seq"]), points


def _moments(times: Iterable[float], passed: Sequence[Moment]) -> list[Moment]:
    """The moments of samples at these seconds of running; after the last that is known, as it."""
    seconds = [moment.time for moment in passed]
    found = []
    for time in times:
        after = bisect_right(seconds, time)
        low, high = passed[max(after - 1, 0)], passed[min(after, len(passed) - 1)]
        size = high.time - low.time
        share = (time - low.time) / size if size > 0 else 0.0
        epoch = low.epoch + share * (high.epoch - low.epoch)
        found.append(Moment(epoch, low.step + share * (high.step - low.step), time))
    return found
