"""Places: a model, a data set and a length, with all their runs in whatever state, as Launch shows
them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from engine.cell import Cell
from engine.evaluated import Ceiling, Evaluated, ceiling_of, evaluated_of
from engine.spread import Spread
from engine.store.compare.grouping import Choice, cell_table
from engine.store.database import fetch
from engine.store.queries import list_runs
from engine.store.series import starts

_SCORE = "test_ndcg_best"


@dataclass(slots=True)
class LaunchCell:
    """All runs of a model, data set and length, whatever their settings: a square of Launch."""

    model: str
    dataset: str
    length: int
    counts: dict[str, int]
    """Runs by state."""
    progress: float | None
    """Mean of `Run.progress` over those in training; None where none is."""
    score: Spread | None = None
    """Test NDCG@10 at the epoch chosen on validation, of the settings with the highest mean."""
    best: Cell | None = None
    """The cell that ``score`` is of."""
    settings: int = 0
    """How many settings, or versions of the data, have such a mean."""
    ceiling: Ceiling | None = None
    """What bounds ``score``; None where it isn't known."""
    evaluated: Evaluated | None = None
    """Whom ``score`` is of; None where it isn't known."""


@dataclass(frozen=True, slots=True)
class PlaceRun:
    """A run, with the cell that it belongs to once it is done."""

    id: str
    state: str
    seed: int
    score: float | None
    """Test NDCG@10 of its best epoch."""
    when: float
    """When it ended, else began, else was queued, in seconds since 1970."""
    cell: Cell
    """Until its data is read, with the checksum of the newest run whose data was."""


def launch_cells(con: sqlite3.Connection) -> dict[tuple[str, str, int], LaunchCell]:
    """Read every model × data set × length that has runs other than imported ones and trials of
    studies."""
    found: dict[tuple[str, str, int], LaunchCell] = {}
    progress: dict[tuple[str, str, int], list[float]] = {}
    for run in list_runs(con, ["running"]):
        shares = progress.setdefault((run.model, run.dataset, run.length), [])
        shares.append(run.progress or 0.0)
    for model, dataset, length, state, count in fetch(
        con,
        "SELECT model, dataset, length, state, count(*) FROM runs WHERE origin = ''"
        " AND study IS NULL"
        " GROUP BY 1, 2, 3, 4",
    ):
        key = (model, dataset, length)
        if key not in found:
            shares = progress.get(key, [])
            mean = sum(shares) / len(shares) if shares else None
            found[key] = LaunchCell(model, dataset, length, {}, mean)
        found[key].counts[state] = count
    best: dict[tuple[str, str, int], str] = {}
    for row in cell_table(con, Choice(), [_SCORE]):
        place, score = found.get(row.cell.place), row.figures.get(_SCORE)
        if not place or not score:
            continue
        place.settings += 1
        if place.score is None or score.spread.mean > place.score.mean:
            place.score, place.best = score.spread, row.cell
            best[row.cell.place] = row.run
    recorded = starts(con, list(best.values()))
    for key, newest in best.items():
        start = recorded.get(newest, {})
        found[key].ceiling, found[key].evaluated = ceiling_of(start), evaluated_of(start)
    return found


def newest_runs_of_place(
    con: sqlite3.Connection, place: tuple[str, str, int], limit: int
) -> list[PlaceRun]:
    """List a model's runs on a data set at a length, those queued last first, without imported
    ones, trials of studies, and those that are to be deleted."""
    rows = fetch(
        con,
        # Chosen first: only these are looked up among the summaries.
        "WITH newest AS MATERIALIZED ("
        "SELECT id FROM runs WHERE model = ? AND dataset = ? AND length = ? AND origin = ''"
        " AND study IS NULL"
        " AND id NOT IN (SELECT run FROM requests WHERE action = 'delete')"
        " ORDER BY created DESC, id DESC LIMIT ?)"
        " SELECT r.id, r.state, r.seed, s.test_ndcg_best,"
        " coalesce(r.finished, r.started, r.created), r.profile,"
        " ifnull(r.settings, ''), ifnull(r.checksum, '')"
        " FROM newest CROSS JOIN runs r USING (id) LEFT JOIN summaries s ON s.run = r.id"
        " ORDER BY r.created DESC, r.id DESC",
        (*place, limit),
    )
    found = [
        PlaceRun(run, state, seed, score, when, Cell(*place, profile, settings, checksum))
        for run, state, seed, score, when, profile, settings, checksum in map(tuple, rows)
    ]
    data = next((run.cell.checksum for run in found if run.cell.checksum), "")
    return [
        run if run.cell.checksum else replace(run, cell=replace(run.cell, checksum=data))
        for run in found
    ]
