"""The floor in the pivot."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from pathlib import Path

import pytest
from floor_stores import STANDINGS, floor_store

from engine.analysis.pivot.stored import StoredPivot, stored_pivot
from engine.analysis.pivot.text import format_pivot
from engine.store.compare.grouping import Choice
from engine.store.connect import connect_reader

LABELS = {
    "sasrec": "50", "bert4rec": "50 ≈", "xlstm": "50 ▽", "markov": "50", "popularity": "50",
}  # fmt: skip


@pytest.fixture
def pivot(tmp_path: Path) -> StoredPivot:
    """Of the networks alone."""
    store = floor_store(tmp_path)
    with closing(connect_reader(store.location)) as con:
        choice = Choice("-model:popularity")
        return stored_pivot(con, choice, "best", (), store.catalogue, store.location)


def test_cells_are_marked_and_the_floor_has_a_row(pivot: StoredPivot) -> None:
    cells = [row for row in pivot.rows if row.is_cell]
    assert {row.model: row.label for row in cells} == {
        model: label for model, label in LABELS.items() if model != "popularity"
    }
    (floor,) = pivot.floor_rows
    assert floor.label == "Floor of ml-100k: Markov counts"
    assert floor.figures == next(row.figures for row in cells if row.model == "markov")


def test_programs_are_told_the_floor_and_the_standing(pivot: StoredPivot) -> None:
    text = f"Markov counts {pivot.floors[0].value:.4f}"
    for rows in (
        json.loads(format_pivot(pivot.rows, "json")),
        list(csv.DictReader(io.StringIO(str(format_pivot(pivot.rows, "csv"))))),
    ):
        cells = [row for row in rows if row["level"] == "length"]
        assert {row["floor"] for row in cells} == {text}
        stands = {row["model"]: row["vs floor"] or None for row in cells}
        assert stands == {**STANDINGS, "markov": None}
