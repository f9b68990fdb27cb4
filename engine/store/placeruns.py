"""The newest runs of a model, data set and length, in whatever state."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from engine.cell import Cell
from engine.store.database import fetch


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


def newest_runs_of_place(
    con: sqlite3.Connection, place: tuple[str, str, int], limit: int
) -> list[PlaceRun]:
    """List a model's runs on a data set at a length, those queued last first, without imported ones
    and those that are to be deleted."""
    rows = fetch(
        con,
        # Chosen first: only these are looked up among the summaries.
        "WITH newest AS MATERIALIZED ("
        "SELECT id FROM runs WHERE model = ? AND dataset = ? AND length = ? AND origin = ''"
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
