"""An axis of time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tui.charts.braille.axis import Axis

_TIME_STEPS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
    86_400,
)  # fmt: skip
"""Seconds between two ticks."""


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
