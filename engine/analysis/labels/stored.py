"""Names of stored cells: their settings are read from the specification of a run of each."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.analysis.labels.words import Described, cell_labels
from engine.analysis.provenance import filter_of, is_plain, model_file_of, split_of
from engine.analysis.run.relaunch import recipe_of
from engine.cell import Cell
from engine.spec.identity import identity
from engine.spec.settings import values_of
from engine.store.compare.grouping import Choice, cells_of_places
from engine.store.database import fetch, json_object

if TYPE_CHECKING:
    from engine.config import Catalogue

_Place = tuple[str, str, int]


def stored_labels(
    con: sqlite3.Connection, cells: Mapping[Cell, str], catalogue: Catalogue | None
) -> dict[Cell, str]:
    """Name cells (`engine.analysis.labels.words`), each given with the id of one of its runs.

    Only where settings differ within a model, data set and length are specifications read.

    Args:
        catalogue: knows what recipes give; without it all that differs is named.
    """
    settings: dict[_Place, set[str]] = defaultdict(set)
    for cell in cells:
        settings[cell.place].add(cell.settings)
    asked = {run: cell for cell, run in cells.items() if len(settings[cell.place]) > 1}
    described = {cell: Described(cell) for cell in cells}
    recipes: dict[tuple[_Place, str], dict[str, str] | None] = {}
    texts = fetch(
        con,
        "SELECT run, spec FROM specs WHERE run IN (SELECT value FROM json_each(?))",
        (json.dumps(list(asked)),),
    )
    for run, text in map(tuple, texts):
        cell, spec = asked[run], json_object(text)
        if spec and "origin" not in spec:
            key = (cell.place, cell.profile)
            if key not in recipes:
                plain = recipe_of(spec, catalogue) if not spec.get("variant") else None
                recipes[key] = None if plain is None else dict(_settings(plain))
            described[cell] = Described(
                cell, dict(_settings(spec)), dict(_conditions(spec)), recipes[key], is_plain(spec)
            )
    return cell_labels(described.values())


def labels_at(
    con: sqlite3.Connection,
    choice: Choice,
    places: Collection[_Place],
    catalogue: Catalogue | None,
) -> dict[Cell, str]:
    """Name the cells of some models, data sets and lengths, of runs that match.

    Raises:
        UsageError: a filter that means nothing.
    """
    return stored_labels(con, cells_of_places(con, choice, places), catalogue)


def label_of_run(
    con: sqlite3.Connection, choice: Choice, run: str, catalogue: Catalogue | None
) -> str:
    """Name a run's cell among those of its model, data set and length that match, whatever state
    the run is in; empty where the store doesn't have it.

    Raises:
        UsageError: a filter that means nothing.
    """
    cell = cell_of_run(con, run)
    if cell is None:
        return ""
    cells = {cell: run} | cells_of_places(con, choice, [cell.place])
    return stored_labels(con, cells, catalogue)[cell]


def labels_of_runs(
    con: sqlite3.Connection, runs: Collection[str], catalogue: Catalogue | None
) -> dict[str, str]:
    """Name the cells of runs that there are, whatever state they are in, each among those of the
    others; empty where a run's settings are those of all others of its place. A run that hasn't
    read its data yet counts as one of those that have, and are as it is else.

    Args:
        catalogue: knows what recipes give; without it all that differs is named.
    """
    cells = cells_of_runs(con, runs)
    read = {replace(cell, checksum=""): cell for cell in cells.values() if cell.checksum}
    cells = {run: read.get(cell, cell) for run, cell in cells.items()}
    labels = stored_labels(con, newest_runs(cells), catalogue)
    return {run: labels[cell] for run, cell in cells.items()}


def cell_of_run(con: sqlite3.Connection, run: str) -> Cell | None:
    """Return the cell that a run belongs to once it is done; None if there is no such run."""
    return cells_of_runs(con, [run]).get(run)


def cells_of_runs(con: sqlite3.Connection, runs: Collection[str]) -> dict[str, Cell]:
    """Map runs that there are to the cell that each belongs to once it is done."""
    rows = fetch(
        con,
        "SELECT id, model, dataset, length, profile, ifnull(settings, ''), ifnull(checksum, '')"
        " FROM runs WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(runs)),),
    )
    return {run: Cell(*key) for run, *key in map(tuple, rows)}


def newest_runs(counted: Mapping[str, Cell]) -> dict[Cell, str]:
    """Map each cell to the newest of its runs.

    Args:
        counted: `engine.store.compare.grouping.counted_runs`.
    """
    return {cell: run for run, cell in sorted(counted.items())}


def _settings(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the names and values of settings, those of training first and of the data last."""
    found = {"refit": False} | values_of(spec)
    source = identity(spec)["source"]
    for name, value in {**source, **_mapping(source.get("synthetic"))}.items():
        found.setdefault(name, value)
    for name, value in found.items():
        if isinstance(value, bool):
            yield name, json.dumps(value)
        elif isinstance(value, int | float):
            yield name, repr(value)
        elif isinstance(value, str) and value and not any(map(str.isspace, value)):
            yield name, value


def _conditions(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    protocol = spec.get("protocol")
    for name, value in (
        ("split", split_of(spec)),
        ("filter", filter_of(spec)),
        ("protocol", None if protocol is None else str(protocol)),
        ("file", model_file_of(spec) or "built in"),
    ):
        yield name, value or "unknown"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
