"""Why rows of one model, data set and length stand apart, and are not averaged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.analysis.comparison import Row

_PLACE = ("model", "dataset", "length", "profile")
_REASONS = (
    ("checksum", "their data differ", "checksum"),
    ("protocol", "they were measured by different protocols", "protocol"),
    ("settings", "their settings differ", "settings"),
)
_DIGITS = 12


def why_apart(cells: Iterable[Row]) -> list[str]:
    """A sentence for each model, data set, length and profile of which there are several cells.

    Args:
        cells: rows of `engine.analysis.comparison.by_cell`, or runs.
    """
    places: dict[tuple[object, ...], list[Row]] = {}
    for cell in cells:
        places.setdefault(tuple(cell[name] for name in _PLACE), []).append(cell)
    return [sentence for alike in places.values() if (sentence := _sentence(alike))]


def _sentence(alike: Sequence[Row]) -> str:
    reasons = []
    for name, why, word in _REASONS:
        if len(values := dict.fromkeys(_short(cell[name]) for cell in alike)) > 1:
            reasons.append(f"{why} ({word} {', '.join(values)})")
    if not reasons:
        return ""
    model, dataset, length, profile = (alike[0][name] for name in _PLACE)
    which = f"{model} × {dataset} × {length} ({profile})"
    return f"{which} stands in rows of its own, never averaged: {'; '.join(reasons)}."


def _short(value: object) -> str:
    return "not known" if value is None else str(value)[:_DIGITS]
