"""Reading figures in texts, and setting them beside what was recomputed."""

from __future__ import annotations

import re
from collections.abc import Iterator

N = r"[−+]?\d[\d,]*(?:\.\d+)?"
LABEL = r"[\w.-]+ L\d+(?: (?:reference|tuned|study-[\w-]+)\b)?(?: [a-z_]+=[\w+-]+(?:\.[\w+-]+)*)*"
"""Model and length, and in what its settings differ from other cells of these."""
DIFFERENCE = rf"(?P<mean>{N}) \[(?P<low>{N}), (?P<high>{N})\](?:, p (?P<p>[<=] [\d.]+))?"
NOTHING = ("", "–", "n/a", "-", "not recorded")


def number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-").replace("+", ""))


def unit(text: str) -> float:
    """A unit of the last digit that a figure shows."""
    return 10.0 ** -len(text.partition(".")[2])


def differs(what: str, shown: str, value: float | None, slack: float = 0.0) -> Iterator[str]:
    """Yield a fault unless the figure, as it is shown, is the value when rounded."""
    if value is None:
        if shown not in NOTHING:
            yield f"{what}: {shown}, but there is none"
    elif shown in NOTHING:
        yield f"{what}: none, but it is {value:.6g}"
    elif abs(number(shown) - value) > 0.501 * unit(shown) + slack + 1e-9 * abs(value):
        yield f"{what}: {shown}, but it is {value:.6g}"


def spread_differs(what: str, shown: str, values: list[float | None]) -> Iterator[str]:
    """Yield the faults of a figure ``mean ± deviation`` over seeds."""
    known = [value for value in values if value is not None]
    mean, _, deviation = shown.partition(" ± ")
    yield from differs(what, mean, sum(known) / len(known) if known else None)
    if len(known) < 2:
        if deviation:
            yield f"{what} has a deviation, of one seed"
        return
    average = sum(known) / len(known)
    own = (sum((value - average) ** 2 for value in known) / (len(known) - 1)) ** 0.5
    if deviation:
        yield from differs(f"deviation of {what}", deviation, own)
    elif own > 0.501 * unit(mean):
        yield f"{what} has no deviation, but it is {own:.6g}"


def p_differs(what: str, shown: str | None, value: float | None) -> Iterator[str]:
    """Yield a fault unless p is shown as it is: ``< .001``, ``= .037`` or ``.037``."""
    if not shown or shown in NOTHING:
        if value is not None:
            yield f"p of {what} is not told, but may be: {value:.4f}"
    elif value is None:
        yield f"p of {what} is told, but may not be"
    elif "<" in shown:
        if value >= 0.001:
            yield f"p of {what}: {shown}, but it is {value:.4f}"
    elif abs(float(re.sub(r"[^\d.]", "", shown)) - value) > 0.00051:
        yield f"p of {what}: {shown}, but it is {value:.4f}"
