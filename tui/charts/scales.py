"""The other axes beside the linear one: logarithmic figures, and time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tui.charts.axis import Axis, nice_axis

SMALLEST_LOG = 1e-150
"""Figures below this aren't drawn on a logarithmic axis."""

_TIME_STEPS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
    86_400,
)  # fmt: skip
"""Seconds between two ticks."""

_MANTISSAS = ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 5), (1, 2, 3, 4, 5, 6, 7, 8, 9))
"""Ticks within a decade, the fewest first."""


@dataclass(frozen=True, slots=True)
class LogAxis:
    """The positive figures from ``low`` to ``high``, equal ratios at equal distances."""

    low: float
    high: float
    intervals: int

    def holds(self, low: float, high: float) -> bool:
        """Tell whether two figures, and all between them, lie on the axis."""
        return self.low <= low and high <= self.high

    def share(self, value: float) -> float:
        """How far from ``low`` (0) to ``high`` (1) a figure lies."""
        if value <= self.low:
            return 0.0
        return math.log(value / self.low) / math.log(self.high / self.low)

    def ticks(self) -> list[float]:
        """Decades, with round figures between them if there are few; within one, as linear."""
        decades = math.log10(self.high / self.low)
        if decades < 1:
            return [tick for tick in self._linear().ticks() if self.low <= tick <= self.high]
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        wanted = max(self.intervals, 1)
        if decades >= wanted:
            stride = math.ceil(decades / wanted)
            powers = range(-(-first // stride) * stride, last + 1, stride)
            return self._within(powers, (1,))
        fitting = [m for m in _MANTISSAS if len(m) * decades <= wanted]
        return self._within(range(first, last + 1), fitting[-1] if fitting else (1,))

    def label(self, value: float) -> str:
        """A few digits, with an exponent where that is shorter."""
        if math.log10(self.high / self.low) < 1:
            return self._linear().label(value)
        if 1e-3 <= value < 1e5:
            return f"{value:.6f}".rstrip("0").rstrip(".")
        mantissa, _, exponent = f"{value:.0e}".partition("e")
        return f"{mantissa}e{int(exponent)}"

    def _linear(self) -> Axis:
        return nice_axis(self.low, self.high, self.intervals)

    def _within(self, powers: range, mantissas: tuple[int, ...]) -> list[float]:
        figures = (mantissa * 10.0**power for power in powers for mantissa in mantissas)
        return [tick for tick in figures if self.low * (1 - 1e-9) <= tick <= self.high * (1 + 1e-9)]


def log_axis(low: float, high: float, intervals: int) -> LogAxis:
    """An axis around two positive figures, with a little room at both ends."""
    low, high = (max(figure, SMALLEST_LOG) for figure in sorted((low, high)))
    room = max((high / low) ** 0.04, 1.02)
    return LogAxis(low / room, high * room, intervals)


def widened_log(axis: LogAxis | None, low: float, high: float, intervals: int) -> LogAxis:
    """The axis as it is if it holds the figures, or else one that holds the old and the new."""
    if axis is None:
        return log_axis(low, high, intervals)
    if axis.holds(max(low, SMALLEST_LOG), high):
        return axis
    return log_axis(min(axis.low, low), max(axis.high, high), intervals)


@dataclass(frozen=True, slots=True)
class TimeAxis(Axis):
    """Seconds, with ticks at round times: ``2:30``, ``1:15:00``, or ``2d 06h``."""

    def label(self, value: float) -> str:
        """Write a time of ``value`` seconds as exactly as the ticks need."""
        seconds = round(value)
        if self.high < 60:
            return Axis.label(self, value) if self.step < 1 else str(seconds)
        if self.high >= 86_400 and self.step >= 3600:
            days, hours = seconds // 86_400, seconds % 86_400 // 3600
            return f"{days}d {hours:02}h" if self.step < 86_400 else f"{days}d"
        return clock_time(seconds)


def time_axis(axis: Axis, intervals: int) -> TimeAxis:
    """The same ends, with ticks at round times."""
    wanted = (axis.high - axis.low) / max(intervals, 1)
    if wanted < 1:
        step = axis.step
    elif wanted > _TIME_STEPS[-1]:
        step = math.ceil(wanted / 86_400) * 86_400.0
    else:
        step = float(next(step for step in _TIME_STEPS if step >= wanted))
    return TimeAxis(axis.low, axis.high, step)


def clock_time(seconds: float) -> str:
    """``0:05``, ``12:31``, ``1:02:03``."""
    whole = max(0, int(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def row_of(axis: Axis | LogAxis, rows: int) -> Callable[[float], int]:
    """A function from a figure of the axis to its row of dots, counted from the top. On a
    logarithmic axis a figure below it lies at its foot."""
    high, last = axis.high, rows - 1
    if isinstance(axis, LogAxis):
        log, low, top = math.log, axis.low, math.log(high)
        scale = last / (top - log(low))
        return lambda y: int((top - log(y if y > low else low)) * scale + 0.5)
    scale = last / (high - axis.low)
    return lambda y: int((high - y) * scale + 0.5)
