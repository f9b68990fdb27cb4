"""Times of interactions: microseconds since 1970, whatever unit a source has them in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.spec.moments import EPOCH, SECOND, microseconds, per_second

UNITS = {1: "seconds", 1_000: "milliseconds", SECOND: "microseconds", 1_000 * SECOND: "nanoseconds"}
"""Names of the units that numbers may count, by how many of them are a second."""

_DAY = 86_400 * SECOND

_DATED = 10**8 * SECOND
"""Data whose last time is before this (March 1973) is taken for counted, not dated."""


def unit_of(times: NDArray[Any]) -> int:
    """Tell by the largest of some times how many units a second all of them count: see `UNITS`."""
    return per_second(max(abs(int(times.max())), abs(int(times.min()))) if len(times) else 0)


def unit_sentence(unit: int, last: int) -> str:
    """Say what numbers were taken for, whose unit and last time (in microseconds) are given."""
    begun = "since 1970" if is_dated(last) else "since a start of their own"
    return f"The times are numbers, read as {UNITS[unit]} {begun}."


def to_microseconds(times: NDArray[Any], units: float | None) -> NDArray[np.int64]:
    """Convert times to microseconds since 1970.

    Args:
        times: (interactions,), whole numbers or floats.
        units: of ``times`` in a second; ``None`` if the largest of them must tell it.
    """
    if units is None:
        units = unit_of(times)
    if np.issubdtype(times.dtype, np.floating):
        return np.round(times * (SECOND / units)).astype(np.int64)
    whole = times.astype(np.int64)
    if units > SECOND:
        whole //= round(units / SECOND)
    else:
        whole *= round(SECOND / units)
    return whole


def moment_within(number: float, first: int, last: int) -> int | None:
    """Convert a number of a split's rule to microseconds since 1970.

    Its size tells its unit; where that leads out of the data's span and another unit (a day at
    last) doesn't, the number has that one, as of a source that counts from a beginning of its own.

    Args:
        first: the first time of the data, in microseconds.
        last: the last one.

    Returns:
        The moment, or ``None`` if it lies outside the span.
    """
    candidates = [microseconds(number, units) for units in (per_second(number), *UNITS)]
    candidates.append(round(number * _DAY))
    return next((each for each in candidates if first <= each <= last), None)


def span_text(first: int, last: int) -> str:
    """Write the first and the last time of the data."""
    return f"{time_text(first, last)} to {time_text(last, last)}{' UTC' if is_dated(last) else ''}"


def is_dated(last: int) -> bool:
    """Whether times whose last one is given are dates, rather than counted from a beginning of
    their own."""
    return abs(last) >= _DATED


def time_text(time: int, last: int) -> str:
    """Write a time as date and time (UTC), or as a number of seconds where the data isn't dated."""
    if is_dated(last):
        try:
            when = (EPOCH + timedelta(microseconds=time)).replace(tzinfo=None)
        except OverflowError:
            pass
        else:
            return when.isoformat(" ").rstrip("0") if when.microsecond else when.isoformat(" ")
    whole, rest = divmod(time, SECOND)
    return str(whole) if not rest else repr(time / SECOND)
