"""Reasons why cells of one model, data set and length are not averaged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from engine.analysis.columns.definitions import Value
from engine.analysis.comparison import Row

_PLACE = ("model", "dataset", "length", "profile")
_WHY = {
    "data": "their data differ (checksum {})",
    "protocol": "they were measured with different protocols (protocol {})",
    "split": "their splits differ (split {})",
    "settings": "their settings differ ({})",
}
_DIGITS = 12
"""Digits of a checksum that are shown."""


class Conditions(NamedTuple):
    """The conditions under which a cell was measured; cells of the same model, data set and
    length differ in some of them."""

    profile: Value
    settings: Value
    data: Value
    split: Value
    protocol: Value


def what_differs(cells: Sequence[Conditions]) -> tuple[str, ...]:
    """Return the names of the `Conditions` in which cells of one place differ.

    Settings count protocol and split, too (`engine.cell`): they are named where cells of one
    protocol and split still differ in them. Of imported runs no split is known, and none differs.
    """
    settings: dict[tuple[Value, Value], set[tuple[Value, Value]]] = {}
    for cell in cells:
        alike = settings.setdefault((cell.protocol, cell.split), set())
        alike.add((cell.profile, cell.settings))
    found = [
        name for name in Conditions._fields if len({getattr(cell, name) for cell in cells}) > 1
    ]
    if len({cell.split for cell in cells} - {None}) < 2 and "split" in found:
        found.remove("split")
    if "settings" in found and not any(len(alike) > 1 for alike in settings.values()):
        found.remove("settings")
    return tuple(found)


def why_apart(cells: Iterable[Row]) -> list[str]:
    """Explain in a sentence each model, data set, length and profile that has several cells.

    Args:
        cells: rows of `engine.analysis.comparison.by_cell`.
    """
    places: dict[tuple[object, ...], list[Row]] = {}
    for cell in cells:
        places.setdefault(tuple(cell[name] for name in _PLACE), []).append(cell)
    return [sentence for alike in places.values() if (sentence := _sentence(alike))]


def _sentence(alike: Sequence[Row]) -> str:
    facts = [
        Conditions(
            *(row[name] for name in ("profile", "settings", "checksum", "split", "protocol"))
        )
        for row in alike
    ]
    differs = what_differs(facts)
    if not differs:
        return ""
    reasons = []
    for name, why in _WHY.items():
        if name in differs:
            if name == "settings":
                values = dict.fromkeys(str(row["label"] or row["settings"]) for row in alike)
            else:
                values = dict.fromkeys(_shown(getattr(each, name), name) for each in facts)
            reasons.append(why.format(", ".join(values)))
    model, dataset, length, profile = (alike[0][name] for name in _PLACE)
    which = f"{model} × {dataset} × {length} ({profile})"
    return f"{which} has several rows, never averaged: {'; '.join(reasons)}."


def _shown(value: Value, name: str) -> str:
    if value is None:
        return "not known"
    return str(value)[: _DIGITS if name == "data" else None]
