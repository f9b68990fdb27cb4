"""Moments as people write them: dates, dates with a time, or numbers as clocks count them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

SECOND = 1_000_000
"""Microseconds."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")
_UNITS = ((1e11, 1), (1e14, 1_000), (1e17, SECOND))
"""The numbers below each limit are counted in so many units a second. As Unix times the limits lie
between 1973 and 5138, whatever the unit."""


def moment(value: object) -> object:
    """Read a moment: a date, or a date with a time, as seconds since 1970; a number as it is.

    A moment without a zone is one of UTC. Seconds are an int if they are whole, else a float. What
    isn't text or a date is returned as it is.

    Raises:
        ValueError: text that is neither a date nor a number.
    """
    if isinstance(value, str):
        text = value.strip()
        if _NUMBER.fullmatch(text):
            return float(text) if "." in text else int(text)
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(
                "is neither a date nor a number: write 2021-02-10, or 2021-02-10T08:00 (in UTC, "
                "or followed by +01:00 or the like), or a number in the source's unit"
            ) from None
    if not isinstance(value, date):
        return value
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    found = (value - EPOCH) // timedelta(microseconds=1)
    return found / SECOND if found % SECOND else found // SECOND


def per_second(number: float) -> int:
    """Tell by the size of a number how many units a second it counts: 1, or 1,000, a million, a
    thousand million for milli-, micro- and nanoseconds."""
    return next((units for limit, units in _UNITS if abs(number) < limit), 1_000 * SECOND)


def microseconds(number: float, units: int) -> int:
    """Convert a number of ``units`` a second to microseconds, rounded."""
    if isinstance(number, int):
        return number * (SECOND // units) if units <= SECOND else number // (units // SECOND)
    return round(Fraction(number) * SECOND / units)
