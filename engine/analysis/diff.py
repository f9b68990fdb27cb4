"""A comparison of two runs or two cells: only what differs, and the metrics of both."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.analysis.columns.definitions import BUDGET, COSTS, Aggregate, Column, Value, columns
from engine.analysis.columns.text import figure
from engine.analysis.labels.stored import labels_at
from engine.analysis.provenance import model_file_of, provenance_of
from engine.cell import Cell
from engine.marks import MEANING, in_order, of_times
from engine.spread import Spread
from engine.store.compare.comparison import runs_by_id
from engine.store.compare.grouping import Choice, cell_figures, runs_of_cell
from engine.store.database import fetch

if TYPE_CHECKING:
    from engine.config import Catalogue

MANY = 100
"""Number of a cell's runs whose configurations are compared; they differ in seed only."""

_SECTIONS = ("architecture", "training", "source")
_TITLES = {"source": "data"}
_ELSEWHERE = {("architecture", "model"), ("source", "name"), ("source", "split")}
"""Facts that the run's name or its provenance gives."""
_VERSIONS = ("protocol", "code", "torch")
_DEVICE = ("device", "dtype")
_FIRST = {"NDCG@10/test": 0, "Recall@10/test": 1, "HitRate@10/test": 2, "MRR@10/test": 3}
_COMPARABLE = {
    "dataset": "data sets",
    "checksum": "versions of the data",
    "protocol": "protocols",
    "split": "splits",
}


@dataclass(frozen=True, slots=True)
class Side:
    """A run, or the runs of a cell."""

    title: str
    runs: tuple[str, ...]
    figures: Mapping[str, Spread]
    """By the store's column names."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that differs between the sides."""

    section: str
    name: str
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric or cost of both sides."""

    column: Column
    left: Spread | None
    right: Spread | None
    marked: bool = False
    """Whether it is a cost, and a run of a side is marked for its times."""

    @property
    def difference(self) -> float | None:
        """Right less left; None of what isn't compared."""
        if self.left is None or self.right is None or self.marked or self.column.name in BUDGET:
            return None
        return self.right.mean - self.left.mean


@dataclass(frozen=True)
class Diff:
    """What differs between two sides, and the metrics of both."""

    left: Side
    right: Side
    settings: tuple[Setting, ...]
    figures: tuple[Figure, ...]
    warnings: tuple[str, ...] = field(default=())
    """Why the metrics aren't comparable."""


def run_side(con: sqlite3.Connection, run: str, aggregate: Aggregate) -> Side:
    """Read a run as a side."""
    measured = _measured(aggregate)
    rows = runs_by_id(con, [column.source for column in measured], [run])
    values: Sequence[Value] = rows[0] if rows else ()
    figures = {
        column.source: Spread(float(value), None, 1)
        for column, value in zip(measured, values, strict=False)
        if isinstance(value, int | float)
    }
    return Side(run, (run,), figures)


def cell_side(
    con: sqlite3.Connection,
    cell: str,
    choice: Choice,
    aggregate: Aggregate,
    catalogue: Catalogue | None = None,
) -> Side:
    """Read a cell as a side, with its runs that count (`engine.store.compare.grouping`).

    Args:
        catalogue: knows what recipes give, which cells are named against.
    """
    runs = tuple(runs_of_cell(con, choice, cell))
    name = Cell.named(cell)
    label = labels_at(con, choice, [name.place], catalogue).get(name, "")
    title = " × ".join(map(str, name.place)) + (f" · {label}" if label else "")
    title += ", 1 seed" if len(runs) == 1 else f", {len(runs)} seeds"
    sources = [column.source for column in _measured(aggregate)]
    return Side(title, runs, cell_figures(con, choice, [cell], sources)[cell])


def compare_sides(con: sqlite3.Connection, left: Side, right: Side, aggregate: Aggregate) -> Diff:
    """Compare two sides."""
    facts = [_facts(con, side.runs[:MANY]) for side in (left, right)]
    settings = tuple(_differences(*facts))
    marks = _marks_of_times(con, [*left.runs, *right.runs])
    figures = tuple(
        Figure(
            column,
            left.figures.get(column.source),
            right.figures.get(column.source),
            marked=bool(marks) and column.name in COSTS,
        )
        for column in _measured(aggregate)
        if column.source in left.figures or column.source in right.figures
    )
    names = {setting.name for setting in settings}
    warnings = tuple(
        f"Different {what}: the metrics aren't comparable."
        for name, what in _COMPARABLE.items()
        if name in names
    )
    warnings = warnings[:1]
    if marks:
        why = "; and one is marked ".join(f"{mark}: {MEANING[mark]}" for mark in marks)
        warnings += (f"Costs aren't compared, because a run is marked {why}.",)
    return Diff(left, right, settings, figures, warnings)


def _marks_of_times(con: sqlite3.Connection, runs: Sequence[str]) -> tuple[str, ...]:
    rows = fetch(
        con,
        "SELECT marks FROM runs WHERE marks > '' AND id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(runs)),),
    )
    return in_order(mark for (marks,) in map(tuple, rows) for mark in of_times(marks))


def difference_text(one: Figure) -> str:
    """Format a difference as ``+0.0012   +2.1 %``; ``=`` where there is none."""
    difference = one.difference
    if difference is None or one.left is None:
        return ""
    if not difference:
        return "="
    sign = "+" if difference > 0 else "−"
    text = f"{sign}{figure(abs(difference), one.column.kind)}"
    if not one.left.mean:
        return text
    share = 100 * abs(difference / one.left.mean)
    return f"{text} {f'{sign}{share:.1f} %':>8}" if share < 1000 else text


def _measured(aggregate: Aggregate) -> list[Column]:
    measured = [entry for entry in columns(aggregate) if entry.kind != "text" and not entry.setting]
    chosen = [entry for entry in measured if entry.name not in ("length", "seed")]
    return sorted(chosen, key=lambda entry: _FIRST.get(entry.name, len(_FIRST)))


_Values = dict[tuple[str, str], dict[str, None]]
"""The values of every setting, by section and name, each once and in order."""


def _facts(con: sqlite3.Connection, runs: Sequence[str]) -> _Values:
    found: _Values = {}
    asked = json.dumps(list(runs))
    specs = fetch(
        con,
        "SELECT s.run, s.spec, r.suite FROM json_each(?) wanted"
        " CROSS JOIN specs s ON s.run = wanted.value CROSS JOIN runs r ON r.id = s.run",
        (asked,),
    )
    origins = provenance_of(con, runs)
    for run, text, suite in specs:
        origin = origins.get(run, {})
        for section, name, value in _flat(json.loads(text), suite, origin):
            if value is not None:
                found.setdefault((section, name), {})[_shown(value)] = None
    return found


def _flat(
    spec: Mapping[str, Any], suite: str | None, origin: Mapping[str, Any]
) -> Iterator[tuple[str, str, Any]]:
    for name in ("model", "dataset", "length", "seed", "profile", "variant"):
        yield "run", name, spec.get(name)
    yield "run", "suite", suite
    for section in _SECTIONS:
        for name, value in dict(spec.get(section) or {}).items():
            if (section, name) not in _ELSEWHERE:
                yield _TITLES.get(section, section), name, value
    yield "data", "split", origin.get("split")
    yield "data", "checksum", origin.get("checksum")
    yield "versions", "model file", model_file_of(spec)
    yield from (("versions", name, origin.get(name)) for name in _VERSIONS)
    yield from (("device", name, origin.get(name)) for name in _DEVICE)


def _shown(value: object) -> str:
    """Write a setting; several in one, such as those of a filter, as ``k_core 5, min_rating 4``."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        given = ((name, inner) for name, inner in sorted(value.items()) if inner is not None)
        return ", ".join(f"{name} {_shown(inner)}" for name, inner in given)
    return json.dumps(value, ensure_ascii=False)


def _differences(left: _Values, right: _Values) -> Iterator[Setting]:
    names = [*left, *(name for name in right if name not in left)]
    sections = list(dict.fromkeys(section for section, _ in names))
    for section, name in sorted(names, key=lambda key: sections.index(key[0])):
        mine, other = left.get((section, name), {}), right.get((section, name), {})
        if set(mine) != set(other):
            yield Setting(section, name, _joined(mine), _joined(other))


def _joined(values: Iterable[str]) -> str:
    return ", ".join(values)
