"""Upright axes: ticks in the middle of whole rows, all as many rows apart.

A row stands for a multiple of what one row spans, and a tick for a round figure that every few rows
are a multiple of. So equal steps are drawn equally high, and a label is the figure of its own row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from tui.charts.braille.axis import Axis, clamped, round_step
from tui.charts.braille.canvas import DOTS_DOWN

SMALLEST_LOG = 1e-150
"""Figures below this aren't drawn on a logarithmic axis."""

ROOM = 1.0
"""Decades on either side of a figure that stays the same, on a logarithmic axis."""

ROWS_A_TICK = 3
"""Rows between two ticks, if that comes out even."""

_EDGE = 0.5 - 0.5 / DOTS_DOWN
"""How far the outermost dot of a row lies from the row's middle, in rows."""

_RATIOS = (
    *(math.log10(1 + part * 10.0**-power) for power in range(9, 0, -1) for part in (1, 2, 5)),
    math.log10(2), math.log10(5), 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 400.0,
)  # fmt: skip
"""Decades between two ticks of a logarithmic axis, the fewest first."""


@dataclass(frozen=True, slots=True)
class RowAxis:
    """The figures of the rows of a chart, each one terminal cell high, from the top down."""

    rows: int
    top: int
    """The figure of the topmost row, in what a row spans."""
    step: float
    """What two ticks are apart; on a logarithmic axis in decades."""
    every: int
    """Rows between two ticks."""
    log: bool = False

    @property
    def unit(self) -> float:
        """What a row spans."""
        return self.step / self.every

    @property
    def high(self) -> float:
        """The figure of the topmost row of dots."""
        return self._figure((self.top + _EDGE) * self.unit)

    @property
    def low(self) -> float:
        """The figure of the lowest row of dots."""
        return self._figure((self.top - self.rows + 1 - _EDGE) * self.unit)

    def holds(self, low: float, high: float) -> bool:
        """Tell whether two figures, and all between them, lie on the axis."""
        return self.low <= (max(low, SMALLEST_LOG) if self.log else low) and high <= self.high

    def ticks(self) -> list[tuple[int, float]]:
        """Row and figure of each tick, from the top."""
        return [
            (row, self._figure((self.top - row) // self.every * self.step))
            for row in range(self.rows)
            if (self.top - row) % self.every == 0
        ]

    def labels(self) -> dict[int, str]:
        """The ticks' figures by row, with as many digits as tell rows apart."""
        if self.log:
            return {row: _short(figure, self.unit) for row, figure in self.ticks()}
        axis = Axis(self.low, self.high, self.step)
        return {row: axis.label(figure) for row, figure in self.ticks()}

    def dot_row(self) -> Callable[[float], int]:
        """A function from a figure to its row of dots, counted from the top. On a logarithmic axis
        what is too small lies at the foot."""
        scale = DOTS_DOWN / self.unit
        top, log10 = (self.top + _EDGE) * self.unit, math.log10
        if self.log:
            low = self.low
            return lambda y: int((top - log10(y if y > low else low)) * scale + 0.5)
        return lambda y: int((top - y) * scale + 0.5)

    def _figure(self, scaled: float) -> float:
        return 10.0**scaled if self.log else scaled


def row_axis(
    low: float, high: float, rows: int, *, log: bool = False, kept: RowAxis | None = None
) -> RowAxis:
    """Make an axis that holds two figures and all between them, with at least two ticks.

    Figures that are equal, or too close to be told apart, get some room around them.

    Args:
        rows: Rows of cells, 2 or more.
        kept: An axis that stays if it holds the figures, so that the picture does.
    """
    if kept is not None and (kept.rows, kept.log) == (rows, log) and kept.holds(low, high):
        return kept
    low, high = _with_room(low, high, log)
    found = [
        (axis, spare)
        for every in range(1, max(rows // 2, 1) + 1)
        for axis, spare in islice(_axes(low, high, rows, every, log), 2)
    ]
    return min(found, key=lambda each: _waste(*each))[0]


def _with_room(low: float, high: float, log: bool) -> tuple[float, float]:
    """Both figures, scaled as they are drawn."""
    if log:
        low, high = (math.log10(max(y, SMALLEST_LOG)) for y in sorted((low, high)))
        room = ROOM if high - low < 1e-9 else 0.0
        return low - room, high + room
    low, high = sorted((clamped(low), clamped(high)))
    size = max(abs(low), abs(high))
    if high - low <= size * 1e-9 or high - low < 1e-150:
        room = size * 0.1 if size > 1e-140 else 0.5
        low, high = low - room, high + room
    return low, high


def _axes(
    low: float, high: float, rows: int, every: int, log: bool
) -> Iterator[tuple[RowAxis, int]]:
    """Yield axes with a tick every ``every`` rows, the smallest step first, and how many rows each
    leaves unused."""
    for step in _steps((high - low) * every / (rows - 0.25), log):
        unit = step / every
        top, bottom = math.ceil(high / unit - _EDGE), math.floor(low / unit + _EDGE)
        spare = rows - 1 - (top - bottom)
        if spare < 0:
            continue
        below = spare // 2
        if not log and bottom >= 0:
            below = min(below, bottom)  # figures that are never negative need no room there
        axis = RowAxis(rows, bottom - below + rows - 1, step, every, log)
        if log or axis.holds(low, high):  # but for what floats round
            yield axis, spare


def _steps(least: float, log: bool) -> Iterator[float]:
    if log:
        yield from (ratio for ratio in _RATIOS if ratio >= least)
        return
    step = round_step(least)
    while True:
        yield step
        step = round_step(step * 1.01)


def _waste(axis: RowAxis, spare: int) -> float:
    """How badly an axis reads: rows left blank, ticks too close or too far apart, only two where
    there is room, or ticks of a logarithmic axis that aren't powers of ten, or at least of two."""
    uneven = abs(math.log2(axis.every / min(ROWS_A_TICK, axis.rows / 2)))
    ticks = axis.top // axis.every - (axis.top - axis.rows) // axis.every
    few = axis.rows > 2 * ROWS_A_TICK and ticks == 2
    odd = 0.0
    if axis.log and axis.step < 1:
        odd = 0.3 if axis.step == math.log10(2) else 0.45
    return spare / axis.rows + 0.2 * uneven + 0.1 * few + odd


def _short(figure: float, unit: float) -> str:
    """A figure in few digits: itself, or one that lies in the middle of its row as well."""
    texts = [f"{figure:.{digits}e}" for digits in range(17)]
    off = [abs(math.log10(float(text)) - math.log10(figure)) for text in texts]
    whole = next((text for text, by in zip(texts[:3], off, strict=False) if by < 1e-9), None)
    near = min(unit / DOTS_DOWN, 0.005)
    text = whole or next(text for text, by in zip(texts, off, strict=True) if by < near)
    mantissa, _, exponent = text.partition("e")
    power, digits = int(exponent), len(mantissa.partition(".")[2])
    if -4 < power < 5:
        return f"{float(text):.{max(digits - power, 0)}f}"
    return f"{mantissa}e{power}"


def extremes(
    lows: Sequence[float], highs: Sequence[float], within: Sequence[float], log: bool
) -> tuple[float, float]:
    """The lowest and the highest figure that an axis has to hold.

    Args:
        within: Figures that it always holds, on a linear axis.
    """
    if log:
        lows = [y if y > SMALLEST_LOG else top for y, top in zip(lows, highs, strict=True)]
        low = min((y for y in lows if y > SMALLEST_LOG), default=1.0)
        return low, max([low, *highs])
    return min([*lows, *within], default=0.0), max([*highs, *within], default=1.0)
