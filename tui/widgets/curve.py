"""The points of one curve: kept in order, and bounded in number however long a run takes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from tui.widgets.axis import drawable

LIMIT = 20_000
"""Points kept at most; beyond that each block of ``_BLOCK`` leaves its extremes."""

_BLOCK = 4


class Curve:
    """Points whose x never decreases. Figures that can't be drawn (NaN, infinite) are left out."""

    def __init__(self, name: str, style: str) -> None:
        self.name = name
        self.style = style
        self.xs: list[float] = []
        self.ys: list[float] = []
        self.low = self.high = 0.0
        """Extremes of y; they mean nothing while there is no point."""

    def clear(self) -> None:
        """Forget every point."""
        self.xs.clear()
        self.ys.clear()

    def extend(self, points: Iterable[tuple[float, float | None]]) -> None:
        """Add points. One that goes back replaces all from there on: an attempt that resumed."""
        xs, ys = self.xs, self.ys
        for x, y in points:
            if y is None or not drawable(x) or not drawable(y):
                continue
            if xs and x <= xs[-1]:
                self._cut(bisect_left(xs, x))
            if xs:
                self.low, self.high = min(self.low, y), max(self.high, y)
            else:
                self.low = self.high = y
            xs.append(x)
            ys.append(y)
        if len(xs) > LIMIT:
            self._thin()

    def at(self, x: float) -> float | None:
        """y of the point at exactly ``x``."""
        index = bisect_left(self.xs, x)
        return self.ys[index] if index < len(self.xs) and self.xs[index] == x else None

    def _cut(self, count: int) -> None:
        del self.xs[count:], self.ys[count:]
        if self.ys:
            self.low, self.high = min(self.ys), max(self.ys)

    def _thin(self) -> None:
        """Keep of each block its lowest and its highest point, in their order."""
        xs, ys = self.xs, self.ys
        kept: list[int] = []
        for start in range(0, len(xs), _BLOCK):
            block = range(start, min(start + _BLOCK, len(xs)))
            kept += sorted({min(block, key=ys.__getitem__), max(block, key=ys.__getitem__)})
        if kept[-1] != len(xs) - 1:
            kept.append(len(xs) - 1)
        self.xs, self.ys = [xs[i] for i in kept], [ys[i] for i in kept]
