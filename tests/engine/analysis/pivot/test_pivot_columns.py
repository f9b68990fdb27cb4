"""The pivot with other columns than the reference table's."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from measured_runs import MeasuredStore, filled_store, give_ranks

from engine.analysis.columns.offered import chosen_columns, of_figures, preset
from engine.analysis.comparison import by_cell, compare_rows
from engine.analysis.pivot.arranged import BESIDE, COLUMNS, places_shown
from engine.analysis.pivot.stored import leaders, stored_pivot
from engine.analysis.pivot.text import format_pivot
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader

NAMES = ("NDCG@20/test", "Recall@10/test (tail targets)", "NDCG@10/test", "BestEpoch")


@pytest.fixture
def measured(tmp_path: Path) -> MeasuredStore:
    store = filled_store(tmp_path)[0]
    give_ranks(store)
    return store


@pytest.fixture
def con(measured: MeasuredStore) -> Iterator[sqlite3.Connection]:
    with closing(connect_reader(measured.location)) as connection:
        yield connection


def test_chosen_columns_are_those_of_the_cells(con: sqlite3.Connection) -> None:
    names = of_figures(preset("cutoffs"))
    assert names == preset("cutoffs")
    cells = by_cell(compare_rows(con), counted_runs(con, Choice()))
    pivot = stored_pivot(con, Choice(), "best", names=names)
    rows = {row.cell: row for row in pivot.rows if row.is_cell}
    assert len(rows) == len(cells) == 10
    for cell in cells:
        row = next(
            row
            for row in rows.values()
            if (row.model, row.length) == (cell["model"], cell["length"])
            and str(cell["settings"]) in row.cell
        )
        assert list(row.figures) == pytest.approx([cell[name] for name in names])
        assert None not in row.figures
    total = dict(zip(names, pivot.rows[-1].figures, strict=True))
    assert total["NDCG@1/test"] == total["Recall@1/test"]
    ks = [float(str(total[f"Recall@{k}/test"])) for k in (1, 5, 20, 50, 100)]
    assert ks == sorted(ks), "more of the true items are found further down"
    assert leaders(pivot.rows, "best", names)["ml-100k", 0] == total["NDCG@1/test"]


def test_every_format_has_the_chosen_columns_in_their_order(con: sqlite3.Connection) -> None:
    pivot = stored_pivot(con, Choice(), "best", names=NAMES)
    assert places_shown(pivot.rows, NAMES) == [0, 1, 2, 3], "without a value too"

    def written(form: str) -> str:
        return str(format_pivot(pivot.rows, form, NAMES))

    assert {tuple(row["figures"]) for row in json.loads(written("json"))} == {NAMES}
    head = next(csv.reader(io.StringIO(written("csv"))))
    assert [name for name in head if name in {*NAMES, *COLUMNS}] == list(NAMES)
    for form in ("table", "md", "latex"):
        head_lines = " ".join(written(form).splitlines()[:5])
        places = [head_lines.index(part) for part in ("NDCG@20", "NDCG@10", "BestEpoch")]
        assert places == sorted(places)
        assert "MRR" not in written(form)
    sheet = format_pivot(pivot.rows, "xlsx", NAMES)
    assert isinstance(sheet, bytes)
    with zipfile.ZipFile(io.BytesIO(sheet)) as book:
        strings = book.read("xl/sharedStrings.xml").decode()
    assert all(name in strings for name in NAMES)
    assert "MRR" not in strings


def test_published_results_stand_where_their_columns_do(
    con: sqlite3.Connection, measured: MeasuredStore
) -> None:
    tables = list(measured.catalogue.published.values())
    with_ndcg = stored_pivot(con, Choice(), "best", tables, names=NAMES)
    published = [row for row in with_ndcg.rows if row.level == "published"]
    assert published
    for row in published:
        assert [value is not None for value in row.figures] == [False, False, True, False]
    without = stored_pivot(con, Choice(), "best", tables, names=NAMES[:2])
    assert without.published == ()
    assert not [row for row in without.rows if row.level in BESIDE]
    assert len(without.rows) == len([row for row in with_ndcg.rows if row.level not in BESIDE])


def test_texts_are_no_columns_of_the_pivot() -> None:
    assert of_figures(chosen_columns(["age", "ndcg@20", "run", "lr", "norm"])) == (
        "NDCG@20/test", "lr",
    )  # fmt: skip
