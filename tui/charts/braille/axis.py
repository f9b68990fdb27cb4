"""Axes with round ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass

LARGEST = 1e150
"""Figures beyond this aren't drawn: differences of such figures overflow."""

NOTHING_YET = 1e-6
"""x of a run that has only begun: an axis that short would have ticks that say nothing."""

_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
_BOUNDS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0)


def drawable(value: float | None) -> bool:
    """Whether a chart can show the figure: there, finite, and not absurdly large."""
    return value is not None and -LARGEST < value < LARGEST


@dataclass(frozen=True, slots=True)
class Axis:
    """The figures from ``low`` to ``high``, with a tick each ``step``."""

    low: float
    high: float
    step: float

    def share(self, value: float) -> float:
        """How far from ``low`` (0) to ``high`` (1) a figure lies."""
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """The multiples of ``step`` within the axis."""
        first = math.ceil(self.low / self.step - 1e-9)
        count = math.floor(self.high / self.step + 1e-9) - first
        return [(first + index) * self.step for index in range(min(count, 100) + 1)]

    def label(self, value: float) -> str:
        """The figure with as many digits as tell two ticks apart."""
        if abs(value) < self.step / 1000:
            return "0"
        largest = max(abs(self.low), abs(self.high))
        if largest >= 1e5 or largest < 1e-3:
            digits = math.floor(math.log10(abs(value))) - math.floor(math.log10(self.step) + 1e-9)
            if not _is_round(self.step):
                digits += 1
            mantissa, _, exponent = f"{value:.{max(digits, 0)}e}".partition("e")
            return f"{mantissa}e{int(exponent)}"
        decimals = -math.floor(math.log10(self.step) + 1e-9)
        if not _is_round(self.step):
            decimals += 1
        return f"{value:.{max(decimals, 0)}f}"


def nice_axis(low: float, high: float, intervals: int) -> Axis:
    """An axis of about ``intervals`` round steps, its ends at quarter steps around both figures.

    Figures that are equal, or too close to be told apart, get some room around them.
    """
    low, high = clamped(min(low, high)), clamped(max(low, high))
    size = max(abs(low), abs(high))
    if high - low <= size * 1e-9 or high - low < 1e-150:
        margin = size * 0.1 if size > 1e-140 else 0.5
        low, high = low - margin, high + margin
    step = round_step((high - low) / max(intervals, 1))
    return Axis(_down(low, step / 4), _up(high, step / 4), step)


def growing_axis(axis: Axis | None, high: float, intervals: int) -> Axis:
    """An axis from 0, for what only grows: epochs, say. It widens in large steps, so seldom; it
    is 1 wide while there is nothing yet."""
    if axis is not None and axis.high >= high:
        return axis
    high = high if high > NOTHING_YET else 1.0
    power = 10.0 ** math.floor(math.log10(high))
    bound = next(bound * power for bound in _BOUNDS if bound * power >= high * (1 - 1e-9))
    return fitted_axis(bound, intervals)


def fitted_axis(high: float, intervals: int) -> Axis:
    """An axis from 0 to exactly ``high``."""
    high = max(high, 1e-6)
    return Axis(0.0, high, round_step(high / max(intervals, 1)))


def window_axis(low: float, high: float, intervals: int) -> Axis:
    """An axis from exactly ``low`` to exactly ``high``, which is larger."""
    return Axis(low, high, round_step((high - low) / max(intervals, 1)))


def round_step(raw: float) -> float:
    """The next round figure from ``raw`` on: 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(raw))
    return next((power * k for k in _ROUND if power * k >= raw * (1 - 1e-9)), power * 10)


def _is_round(step: float) -> bool:
    """Whether one digit writes the step (2.5 takes two)."""
    digit = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    return abs(digit - round(digit)) < 1e-6


def _down(value: float, step: float) -> float:
    multiple = math.floor(value / step + 1e-9) * step
    return multiple if multiple <= value else multiple - step


def _up(value: float, step: float) -> float:
    multiple = math.ceil(value / step - 1e-9) * step
    return multiple if multiple >= value else multiple + step


def clamped(value: float) -> float:
    """The figure, or the largest that can be drawn."""
    return min(max(value, -LARGEST), LARGEST)
