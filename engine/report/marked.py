"""Runs whose times can't be held against those of others, and how the report says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from engine.analysis.comparison import Row, Value
from engine.marks import MEANING
from engine.report.blocks import Paragraph
from engine.report.wording import listed

SIGN = "!"
"""Behind the name of a cell that has such a run, as in the app."""

_NAMED = 5

Place = tuple[Value, ...]


def place_of(row: Row) -> Place:
    """Model, data set and length."""
    return row["model"], row["dataset"], row["length"]


def marked_places(rows: Iterable[Row]) -> frozenset[Place]:
    """Places that have a run with a mark."""
    return frozenset(place_of(row) for row in rows if row["marks"])


def signed_label(label: str, rows: Iterable[Row]) -> str:
    """A cell's label, with the sign if one of its runs has a mark."""
    return f"{label} {SIGN}" if any(row["marks"] for row in rows) else label


def explained(rows: Sequence[Row]) -> Iterator[Paragraph]:
    """What the sign means, for each mark that a run has."""
    for mark, meaning in MEANING.items():
        runs = [str(row["run"]) for row in rows if mark in str(row["marks"] or "").split()]
        if runs:
            more = len(runs) - _NAMED
            named = [*runs[:_NAMED], f"{more} more"] if more > 0 else runs
            yield Paragraph(
                f"{SIGN} {len(runs)} of {len(rows)} runs: {meaning} ({listed(named)}).", quiet=True
            )
