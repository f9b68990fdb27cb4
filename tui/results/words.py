"""Words about results wherever they are shown: which runs, and how their epochs are aggregated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from textual.content import Content

from engine.analysis.columns.definitions import AGGREGATE_MEANING, Aggregate, parse_aggregate
from engine.marks import MEANING, in_order
from engine.store.compare.grouping import Choice
from tui.shell.text import PARAGRAPH, plain

_CYCLE: tuple[Aggregate, ...] = ("best", "max", "last", "mean")
NONE_IMPORTED = "No imported run is among these."


def next_aggregate(aggregate: Aggregate) -> Aggregate:
    """Return the next way of aggregating a run's epochs."""
    return _CYCLE[(_CYCLE.index(aggregate) + 1) % len(_CYCLE)]


def fitting_status(ways: Iterable[Sequence[tuple[str, str]]], room: int) -> Content:
    """Write a line the first way that takes at most ``room`` cells, else the last.

    Args:
        ways: texts with their styles, the fullest way first.
    """
    content = Content("")
    for way in ways:
        content = Content.assemble(*way)
        if content.cell_length <= room:
            break
    return content


def imported_parts(left_out: int, *, taken_in: bool) -> list[tuple[str, str]]:
    """Say whether imported runs make cells, with the key that changes it, where there are any."""
    if taken_in:
        return [("i ", "$accent"), ("with imported  ", "$warning")]
    if left_out:
        return [("i ", "$accent"), (f"{left_out:,} imported left out  ", "$warning")]
    return []


def mark_topics(marks: Iterable[str], *, of_cell: bool) -> Iterator[tuple[str, str]]:
    """Explain the marks of a run, or of a cell's runs, for help."""
    whose = "For a run of this cell" if of_cell else "For this run"
    for mark in in_order(marks):
        yield f"! {mark}", f"{whose}, {MEANING[mark]}."


def choice_lines(choice: Choice) -> list[str]:
    """Say how epochs are aggregated, and which runs match the filter."""
    aggregate = parse_aggregate(choice.aggregate)
    lines = [f"{aggregate.capitalize()}: {AGGREGATE_MEANING[aggregate]}."]
    if choice.filter.strip():
        lines.append(f"Only {plain(choice.filter, PARAGRAPH)}")
    return lines
