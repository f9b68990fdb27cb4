"""How values and headings of columns are written for people."""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal

from engine.analysis.columns.definitions import Kind, Value
from engine.budget import BY_HAND
from engine.spread import Spread

COMMAND = re.compile(r"`(seqbench [^`|\n]+)`")
"""A command in a sentence, which Markdown and HTML show as code."""


def told(value: Value, kind: Kind) -> Value:
    """Return a value as programs get it: a budget of 0 is `engine.budget.BY_HAND`."""
    return BY_HAND if value == 0 and kind in ("trials", "tuning") else value


def figure(value: Value, kind: Kind) -> str:
    """Format a value for people: a metric with four digits, thousands apart; ``–`` for None."""
    if value is None:
        return "–"
    if isinstance(value, str) or kind == "text":
        return str(value)
    if not math.isfinite(value):
        return str(value)
    if (known := told(value, kind)) != value:
        return str(known)
    match kind:
        case "whole" | "trials":
            return f"{round(value):,}"
        case "metric":
            return f"{value:.4f}"
        case "seconds" | "tuning":  # an epoch on a GPU may take hundredths
            return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.3f}"
        case "rate":
            return f"{value:.4g}"
        case _:
            return f"{value:,.2f}" if abs(value) >= 100 else f"{value:.3f}"


def spread_text(spread: Spread | None, kind: Kind, none: str = "–") -> str:
    """Format as ``0.1612 ± 0.0004``, a deviation of 0 only for metrics; ``none`` for None."""
    if spread is None:
        return none
    deviation = spread.deviation if kind == "metric" else spread.deviation or None
    return with_deviation(figure(spread.mean, kind), deviation, kind)


def with_deviation(text: str, deviation: float | None, kind: Kind) -> str:
    """Append a deviation to a value's text, with as many decimals as the text has.

    A learning rate and its deviation have the decimals of the rate's four digits, without zeros at
    the end of both. None is left out, and so is what is 0 for whole numbers, learning rates and the
    budget of tuning.
    """
    if deviation is None or (deviation == 0 and kind in ("whole", "trials", "tuning")):
        return text
    if kind == "rate":
        mean = Decimal(text)
        decimals = max(0, 3 - mean.adjusted())
        both = [f"{each:.{decimals}f}" for each in (mean, deviation)]
        if not float(both[1]):
            return text
        while "." in both[0] and all(each.endswith("0") for each in both):
            both = [each[:-1] for each in both]
        return " ± ".join(each.removesuffix(".") for each in both)
    return f"{text} ± {deviation:,.{len(text.partition('.')[2])}f}"


def signed(value: float, digits: int = 4) -> str:
    """Format with a sign and ``digits`` decimals: ``+0.0012``, ``−0.0012``; 0 has no sign."""
    return with_sign(f"{abs(value):.{digits}f}", value)


def signed_figure(value: float, kind: Kind) -> str:
    """Format a value as `figure` does, with its sign; what shows only zeros has none."""
    return with_sign(figure(abs(value), kind), value)


def with_sign(text: str, value: float) -> str:
    """Put the sign of a value before the text of its amount, unless that shows only zeros."""
    if not any(digit in text for digit in "123456789"):
        return text
    return ("+" if value > 0 else "−") + text


def split_heading(name: str) -> tuple[str, str]:
    """Split a column's name into two lines, so that narrow values have a narrow column."""
    if " (" in name:
        first, _, second = name.rpartition(" (")
        return first, f"({second}"
    if name == "Total Epoch Trained":
        return "Total Epoch", "Trained"
    first, slash, second = name.partition("/")
    return (first, slash + second) if slash else ("", name)


def printable(text: str) -> str:
    """Take away control, format (such as right-to-left marks) and surrogate characters; tabs and
    line breaks become blanks."""
    if text.isascii() and text.isprintable():
        return text
    spaced = re.sub(r"[\t\n\u2028\u2029]", " ", text)
    return "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
