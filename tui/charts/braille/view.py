"""The view of charts: unit of x, smoothing, log scale, the part in sight, the cursor."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui.charts.braille.curve import X_UNITS, Curve, XUnit

SMOOTHINGS = (0.0, 0.6, 0.9)
"""Weight of what went before, in the order of the key."""

CLOSEST = 1e-5
"""The smallest part of the whole that is shown."""

ZOOM = 2.0


@dataclass(frozen=True, slots=True)
class ChartView:
    """Shared by the charts that stand together, so that they show the same moment."""

    unit: XUnit = "epoch"
    smoothing: float = 0.0
    log: bool = False
    window: tuple[float, float] | None = None
    """The part of x in sight, in ``unit``; ``None`` is all."""
    cursor: float | None = None
    """x at which the legend gives figures, in ``unit``; ``None`` for the newest figures."""

    def smoother(self) -> ChartView:
        """The next smoothing."""
        index = SMOOTHINGS.index(self.smoothing) if self.smoothing in SMOOTHINGS else -1
        return replace(self, smoothing=SMOOTHINGS[(index + 1) % len(SMOOTHINGS)])

    def next_unit(self, curve: Curve) -> ChartView:
        """The next unit of x, at the same part and the same moment of a curve."""
        unit, window = X_UNITS[(X_UNITS.index(self.unit) + 1) % len(X_UNITS)], self.window
        if window is not None:
            low, high = (curve.translated(x, self.unit, unit) for x in window)
            window = (low, high) if high > low else None
        cursor = self.cursor
        if cursor is not None:
            cursor = curve.translated(cursor, self.unit, unit)
        return replace(self, unit=unit, window=window, cursor=cursor)

    def part(self, whole: float) -> tuple[float, float]:
        """First and last x in sight, of 0 to ``whole``."""
        return self.window or (0.0, whole)

    def zoomed(self, whole: float, factor: float, around: float | None = None) -> ChartView:
        """Zoom in by ``factor``; ``around`` stays where it is on the screen: the cursor, or
        else the middle."""
        low, high = self.part(whole)
        if around is None:
            in_sight = self.cursor is not None and low <= self.cursor <= high
            around = self.cursor if in_sight and self.cursor is not None else (low + high) / 2
        size = (high - low) / factor
        if size >= whole:
            return replace(self, window=None)
        size = max(size, whole * CLOSEST)
        share = (around - low) / (high - low)
        return self.placed(around - share * size, size, whole)

    def panned(self, whole: float, share: float) -> ChartView:
        """The part in sight moved on by a share of it."""
        if self.window is None:
            return self
        low, high = self.window
        return self.placed(low + share * (high - low), high - low, whole)

    def pointed(self, whole: float, x: float) -> ChartView:
        """The cursor at ``x`` within 0 to ``whole``, and the part in sight moved to hold it."""
        x = min(max(x, 0.0), whole)
        view = replace(self, cursor=x)
        if self.window is None or self.window[0] <= x <= self.window[1]:
            return view
        low, high = self.window
        return view.placed(x - (high - low) / 2, high - low, whole)

    def placed(self, low: float, size: float, whole: float) -> ChartView:
        """The part of a size from ``low`` on, or as near to there as it lies within the whole."""
        low = min(max(low, 0.0), max(whole - size, 0.0))
        return replace(self, window=(low, low + size))

    def tags(self, whole: float) -> list[str]:
        """A word for each property of the view that can't be seen in the picture."""
        tags = ["log"] if self.log else []
        if self.smoothing:
            tags.append(f"ema{self.smoothing:g}".replace("0.", "."))
        if self.window is not None and whole > 0:
            factor = whole / (self.window[1] - self.window[0])
            tags.append(f"×{factor:.0f}" if 10 <= factor < 1e6 else f"×{factor:.2g}")
        return tags
