"""How long a chart takes: 100,000 points as one curve and as five, drawn for the first time, after
some more points, zoomed, smoothed, on a logarithmic axis. ``make bench-charts``.

Processor time stands beside wall time, since other work on the machine lengthens only the latter.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from statistics import median

from benchmarks.common import default_device, machine, run, table
from tui.charts.braille.chart import Chart
from tui.charts.braille.curve import Curve, Points
from tui.charts.braille.trace import Trace
from tui.charts.braille.view import ChartView

WIDTH, HEIGHT = 120, 20
ROUNDS = 60
APPENDED = 10
"""Points that a run gains between two looks."""
BUDGET_MS = 5.0


def points(count: int, chance: random.Random, first: int = 0) -> Points:
    """A loss that falls, with noise, and a spike now and then."""
    return Points.of(
        (
            step / 500,
            float(step),
            step / 10,
            4
            + 3.4 * math.exp(-6 * step / 100_000)
            + chance.gauss(0, 0.25)
            + (2.0 if chance.random() < 0.0002 else 0.0),
        )
        for step in range(first, first + count)
    )


def works(curves: int, count: int) -> dict[str, Callable[[], object]]:
    """What is done to a chart of so many curves, by name. Each but the last begins as if nothing
    had been drawn before."""
    chance = random.Random(27)
    traces = []
    for number in range(1, curves + 1):
        curve = Curve()
        curve.extend(points(count, chance))
        traces.append(Trace(curve, f"run {number}", f"$series-{number}"))
    shown = Chart("Loss", traces)

    def draw(view: ChartView) -> None:
        shown.show([Trace(trace.curve, trace.name, trace.style) for trace in shown.traces])
        shown.view = view
        shown.draw(WIDTH, HEIGHT)

    def append() -> None:
        nonlocal count
        for trace in shown.traces:
            trace.curve.extend(points(APPENDED, chance, count))
        count += APPENDED
        shown.draw(WIDTH, HEIGHT)

    plain = ChartView()
    return {
        "first drawing": lambda: draw(plain),
        "smoothed": lambda: draw(ChartView(smoothing=0.9)),
        "logarithmic": lambda: draw(ChartView(log=True)),
        "zoomed ×8": lambda: draw(plain.zoomed(shown.whole, 8.0)),
        "over time, smoothed, logarithmic": lambda: draw(ChartView("time", 0.9, True)),
        "drawn again": lambda: draw(plain),
        f"{APPENDED} more points each": append,
    }


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Median wall time and processor time of one call, in milliseconds."""
    wall, processor = [], []
    for _ in range(ROUNDS):
        started, used = time.perf_counter(), time.thread_time()
        work()
        wall.append((time.perf_counter() - started) * 1000)
        processor.append((time.thread_time() - used) * 1000)
    return median(wall), median(processor)


def main() -> None:
    rows = []
    for curves, count in ((1, 100_000), (5, 20_000)):
        for name, work in works(curves, count).items():
            wall, processor = measured(work)
            told = (f"{curves} × {count:,}: {name}", f"{wall:.2f}", f"{processor:.2f}")
            rows.append((*told, "yes" if processor <= BUDGET_MS else "no"))
    print(f"{machine(default_device())}\n")
    print(table(("drawn", "wall, ms", "processor, ms", f"≤ {BUDGET_MS:g} ms"), rows))


if __name__ == "__main__":
    run(main)
