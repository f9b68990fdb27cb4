"""Points for charts, from pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tui.charts.braille.chart import Chart
from tui.charts.braille.curve import Curve, Moment, Points
from tui.charts.braille.trace import Trace

STEPS = 10
"""Steps of an epoch."""

SECONDS = 2.0
"""An epoch takes so long."""


def points(pairs: Iterable[tuple[float, float | None]]) -> Points:
    """Of (epoch, y)."""
    return Points.of((x, x * STEPS, x * SECONDS, y) for x, y in pairs)


def moment(epoch: float) -> Moment:
    return Moment(epoch, epoch * STEPS, epoch * SECONDS)


def chart() -> Chart:
    """With a faint curve ``step``, and ``epoch`` over it."""
    return Chart(
        "Loss",
        [
            Trace(Curve(), "step", "dim", faint=True),
            Trace(Curve(), "epoch", "bold", marked=True),
        ],
    )


def add(shown: Chart, found: Mapping[str, Points]) -> None:
    """Add points to the curves by name, and show them."""
    for name, added in found.items():
        shown.curves[name].extend(added)
    shown.redraw()


def lines(shown: Chart, width: int, height: int) -> list[str]:
    """The picture as text."""
    return ["".join(text for text, _ in line) for line in shown.draw(width, height)]
