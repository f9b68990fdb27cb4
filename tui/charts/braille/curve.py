"""The points of one curve: kept in order, and bounded in number however long a run takes."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal, NamedTuple

from tui.charts.braille.axis import drawable
from tui.charts.braille.dots import Blocks

XUnit = Literal["epoch", "step", "time"]

X_UNITS: tuple[XUnit, ...] = ("epoch", "step", "time")

LIMIT = 200_000
"""Points kept at most; beyond that each block of ``_BLOCK`` leaves its extremes."""

_BLOCK = 4


class Moment(NamedTuple):
    """A moment of a run, in each unit of x."""

    epoch: float
    step: float
    time: float
    """Seconds of running, gaps between attempts left out."""

    def at(self, unit: XUnit) -> float:
        """Return the moment in a unit of x."""
        return self.epoch if unit == "epoch" else self.step if unit == "step" else self.time


START = Moment(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Points:
    """Points in columns. Make them with `of`, which may take its time, in the thread that reads."""

    epoch: Sequence[float] = ()
    step: Sequence[float] = ()
    time: Sequence[float] = ()
    y: Sequence[float] = field(default=(), repr=False)

    @classmethod
    def of(cls, rows: Iterable[tuple[float, float, float, float | None]]) -> Points:
        """Make columns of (epoch, step, time, y) in order, without what can't be drawn (NaN,
        infinite); x that goes back (a clock that was set) stands still."""
        kept = [row for row in rows if all(map(drawable, row))]
        if not kept:
            return cls()
        epoch, step, time, y = zip(*kept, strict=True)
        rising = [tuple(accumulate(xs, max)) for xs in (epoch, step, time)]
        return cls(rising[0], rising[1], rising[2], y)


class Curve:
    """Points whose x never decreases, in any of its units."""

    def __init__(self) -> None:
        self._xs: dict[XUnit, array[float]] = {unit: array("d") for unit in X_UNITS}
        self.ys: list[float] = []
        self.blocks = Blocks()
        self.cuts = 0
        """How often points were taken away; what was drawn of them no longer holds."""

    def xs(self, unit: XUnit) -> array[float]:
        """x of each point, in a unit."""
        return self._xs[unit]

    def clear(self) -> None:
        """Forget every point."""
        self._cut(0)

    def extend(self, points: Points) -> None:
        """Add points. Those that go back replace all from there on: an attempt that resumed."""
        if not points.y:
            return
        epochs = self._xs["epoch"]
        if epochs and points.epoch[0] <= epochs[-1]:
            self._cut(bisect_left(epochs, points.epoch[0]))
        self.append(points)

    def append(self, points: Points) -> None:
        """Add points after all others: during an evaluation the epoch stands still."""
        if not points.y:
            return
        for unit, added in zip(X_UNITS, (points.epoch, points.step, points.time), strict=True):
            xs = self._xs[unit]
            least = xs[-1] if xs else added[0]
            xs.extend(added if added[0] >= least else (max(x, least) for x in added))
        self.ys.extend(points.y)
        if len(self.ys) > LIMIT:
            self._thin()
        self.blocks.extend(self.ys)

    def nearest(self, unit: XUnit, x: float) -> int | None:
        """Index of the point that is nearest to ``x``."""
        xs = self._xs[unit]
        if not xs:
            return None
        after = bisect_left(xs, x)
        if after == len(xs):
            return after - 1
        return after - 1 if after and x - xs[after - 1] <= xs[after] - x else after

    def between(self, unit: XUnit, x: float) -> float | None:
        """y on the straight line between the points before and after ``x``."""
        xs = self._xs[unit]
        after = bisect_left(xs, x)
        if after == 0 or after == len(xs):
            return None
        low, high = xs[after - 1], xs[after]
        share = (x - low) / (high - low)
        return self.ys[after - 1] + share * (self.ys[after] - self.ys[after - 1])

    def translated(self, x: float, unit: XUnit, to: XUnit) -> float:
        """``x`` in another unit, between two points in proportion; outside, that of the end."""
        xs, others = self._xs[unit], self._xs[to]
        if not xs:
            return x
        after = bisect_right(xs, x)
        if after == 0:
            return x / xs[0] * others[0] if xs[0] > 0 else others[0]
        if after == len(xs):
            return others[-1]
        low, high = xs[after - 1], xs[after]
        share = (x - low) / (high - low)
        return others[after - 1] + share * (others[after] - others[after - 1])

    def _cut(self, count: int) -> None:
        for xs in self._xs.values():
            del xs[count:]
        del self.ys[count:]
        self.blocks.clear()
        self.blocks.extend(self.ys)
        self.cuts += 1

    def _thin(self) -> None:
        """Keep of each block its lowest and its highest point, in their order."""
        ys = self.ys
        kept: list[int] = []
        for start in range(0, len(ys), _BLOCK):
            block = range(start, min(start + _BLOCK, len(ys)))
            kept += sorted({min(block, key=ys.__getitem__), max(block, key=ys.__getitem__)})
        if kept[-1] != len(ys) - 1:
            kept.append(len(ys) - 1)
        for unit, xs in self._xs.items():
            self._xs[unit] = array("d", [xs[index] for index in kept])
        self.ys = [ys[index] for index in kept]
        self.blocks.clear()
        self.cuts += 1
