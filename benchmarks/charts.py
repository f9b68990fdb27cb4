"""How long a chart takes: 100,000 points as one curve and as five, drawn for the first time, after
some more points, zoomed, smoothed, on a logarithmic axis.

Nothing is kept from one drawing to the next but what the chart itself keeps. Processor time stands
beside wall time, since other work on the machine lengthens only the latter.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import click

from benchmarks.common import default_device, machine, run, table
from tui.widgets.chart import Chart
from tui.widgets.chart_view import View
from tui.widgets.curve import Curve, Points
from tui.widgets.trace import Trace

WIDTH, HEIGHT = 120, 20
STEPS_PER_EPOCH = 500
APPENDED = 10
"""Points that a run gains between two looks."""

BUDGET_MS = 5.0


def points(count: int, chance: random.Random, first: int = 0) -> Points:
    """A loss that falls, with noise, and a spike now and then."""
    return Points.of(
        (
            step / STEPS_PER_EPOCH,
            float(step),
            step / 10,
            4
            + 3.4 * math.exp(-6 * step / 100_000)
            + chance.gauss(0, 0.25)
            + (2.0 if chance.random() < 0.0002 else 0.0),
        )
        for step in range(first, first + count)
    )


def chart(curves: int, count: int) -> Chart:
    """So many curves of so many points."""
    chance = random.Random(27)
    traces = []
    for number in range(1, curves + 1):
        curve = Curve()
        curve.extend(points(count, chance))
        traces.append(Trace(curve, f"run {number}", f"$series-{number}"))
    return Chart("Loss", traces)


def measured(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median wall time and processor time of one call, in milliseconds."""
    wall, processor = [], []
    for _ in range(rounds):
        started, used = time.perf_counter(), time.thread_time()
        work()
        wall.append((time.perf_counter() - started) * 1000)
        processor.append((time.thread_time() - used) * 1000)
    return median(wall), median(processor)


def cases(shown: Chart, count: int) -> dict[str, Callable[[], object]]:
    """What is done to a chart, by name. Each begins as if nothing had been drawn before, but
    ``appended``."""
    chance = random.Random(1)
    whole = shown.whole
    views = {
        "first drawing": View(),
        "smoothed": View(smoothing=0.9),
        "logarithmic": View(log=True),
        "zoomed ×8": View().zoomed(whole, 8.0),
        "over time, smoothed, logarithmic": View("time", 0.9, True),
    }
    last = count

    def draw(view: View) -> None:
        shown.forget_drawing()
        shown.view = view
        shown.draw(WIDTH, HEIGHT)

    def append() -> None:
        nonlocal last
        for trace in shown.traces:
            trace.curve.extend(points(APPENDED, chance, last))
        last += APPENDED
        shown.draw(WIDTH, HEIGHT)

    works: dict[str, Callable[[], object]] = {
        name: lambda view=view: draw(view)  # type: ignore[misc]
        for name, view in views.items()
    }

    def prepare_and_append() -> None:
        if shown.view != replace(View()):
            draw(View())
        append()

    works[f"{APPENDED} more points each"] = prepare_and_append
    return works


@click.command()
@click.option("--rounds", default=60, show_default=True, help="Drawings of each kind.")
def main(rounds: int) -> None:
    """Measure a chart of 120 × 20 cells with 100,000 points."""
    print(machine(default_device()))
    print()
    rows = []
    for curves, count in ((1, 100_000), (5, 20_000)):
        shown = chart(curves, count)
        for name, work in cases(shown, count).items():
            work()
            wall, processor = measured(work, rounds)
            verdict = "yes" if processor <= BUDGET_MS else "no"
            rows.append(
                (f"{curves} × {count:,}: {name}", f"{wall:.2f}", f"{processor:.2f}", verdict)
            )
    print(table(("drawn", "wall, ms", "processor, ms", f"≤ {BUDGET_MS:g} ms"), rows))


if __name__ == "__main__":
    run(main)
