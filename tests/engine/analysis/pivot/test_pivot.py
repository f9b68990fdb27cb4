"""The reference table's form, and every format's exact content (golden files).

``SEQBENCH_WRITE_GOLDEN=1 pytest tests/engine/analysis/test_pivot.py`` writes them anew: look at the
difference before it is committed.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from measured_runs import counted
from row_pivot import pivot

from engine.analysis.columns.definitions import columns
from engine.analysis.comparison import Row, by_cell, compare_rows
from engine.analysis.pivot.arranged import COLUMNS, TOTAL, PivotRow, places_shown
from engine.analysis.pivot.text import FORMATS, format_pivot
from engine.errors import UsageError
from engine.metrics import REFERENCE_COLUMNS
from engine.store.compare.grouping import Choice, counted_runs

GOLDEN = Path(__file__).parent / "golden"


def run(model: str, dataset: str, length: int, seed: int, ndcg: float | None, **other: Any) -> Row:
    figures: Row = dict.fromkeys(COLUMNS)
    figures |= {"NDCG@10/test": ndcg, "Recall@10/test": 0.1 + seed / 100, "EpochTime": 2.5 * seed}
    figures |= {"Model/TotalParams": 1_000 + length, "LearningRate": 0.001, "Loss/train": 4888.11}
    name = f"{model}-{dataset}-{length}-{seed}-{other.get('profile', '')}"
    place: Row = {"run": name, "model": model, "dataset": dataset}
    place |= {"length": length, "seed": seed, "profile": "reference", "state": "done"}
    origin: Row = {"settings": "ab12cd34", "protocol": 2, "checksum": "8f", "aggregate": "best"}
    origin |= {"split": "leave-one-out"}
    known: Row = dict.fromkeys(column.name for column in columns())
    return {**known, **place, **figures, **origin, **other}


RUNS = [
    run("xlstm", "ml-100k", 50, 1, 0.0625),
    run("sasrec", "ml-1m", 100, 1, 0.1634),
    run("sasrec", "ml-100k", 50, 1, 0.0611),
    run("sasrec", "ml-100k", 50, 2, 0.0683),
    run("sasrec", "ml-100k", 50, 3, 0.9, state="failed"),
    run("sasrec", "ml-100k", 100, 1, 0.0579),
    run("sasrec", "ml-100k", 100, 1, 0.0601, settings="ffff0000", profile="=tuned_50%"),
    run("bert4rec", "ml-100k", 50, 1, None),
]


def test_cells_stand_below_their_model_and_data_set() -> None:
    rows = pivot(RUNS, counted(RUNS))
    assert [(row.level, row.label) for row in rows] == [
        ("model", "bert4rec"),
        ("dataset", "ml-100k"),
        ("length", "50"),
        ("model", "sasrec"),
        ("dataset", "ml-100k"),
        ("length", "50"),
        ("length", "100 · =tuned_50%"),
        ("length", "100 · reference"),
        ("dataset", "ml-1m"),
        ("length", "100"),
        ("model", "xlstm"),
        ("dataset", "ml-100k"),
        ("length", "50"),
        ("total", TOTAL),
    ]


def figure(row: PivotRow, name: str) -> Any:
    return row.figures[COLUMNS.index(name)]


def test_a_cell_is_the_mean_over_seeds_and_a_total_the_maximum_of_cells() -> None:
    rows = {
        (row.level, row.model, row.dataset, row.label): row for row in pivot(RUNS, counted(RUNS))
    }
    cell = rows["length", "sasrec", "ml-100k", "50"]
    assert cell.seeds == 2, "a failed run doesn't count"
    assert figure(cell, "NDCG@10/test") == pytest.approx((0.0611 + 0.0683) / 2)
    assert cell.deviations[COLUMNS.index("NDCG@10/test")] == pytest.approx(0.0072 / 2**0.5)
    subtotal = rows["dataset", "sasrec", "ml-100k", "ml-100k"]
    assert figure(subtotal, "NDCG@10/test") == figure(cell, "NDCG@10/test")
    assert figure(rows["model", "sasrec", "", "sasrec"], "NDCG@10/test") == 0.1634
    assert figure(rows["total", "", "", TOTAL], "EpochTime") == 3.75
    assert figure(rows["length", "bert4rec", "ml-100k", "50"], "NDCG@10/test") is None


def test_under_the_maximum_a_cell_is_the_maximum_over_seeds() -> None:
    rows = pivot([row | {"aggregate": "max"} for row in RUNS], counted(RUNS))
    (cell,) = (row for row in rows if row.model == "sasrec" and row.label == "50")
    assert figure(cell, "NDCG@10/test") == 0.0683
    assert cell.deviations == ()
    assert cell.seeds == 2


def test_without_runs_that_are_done_there_is_none() -> None:
    assert pivot([], {}) == []
    assert pivot([run("sasrec", "ml-100k", 50, 1, 0.1)], {}) == []


def test_it_agrees_with_the_table_by_cell(con: sqlite3.Connection) -> None:
    rows = compare_rows(con)
    counted = counted_runs(con, Choice())
    cells = [row for row in pivot(rows, counted) if row.is_cell]
    expected = {
        (cell["model"], cell["dataset"], cell["length"], cell["NDCG@10/test"])
        for cell in by_cell(rows, counted)
    }
    assert {
        (cell.model, cell.dataset, cell.length, figure(cell, "NDCG@10/test")) for cell in cells
    } == expected
    best = max(value for *_, value in expected if isinstance(value, float))
    assert figure(pivot(rows, counted)[-1], "NDCG@10/test") == best


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "xlsx"])
def test_every_format_is_as_it_was(name: str) -> None:
    text = format_pivot(pivot(RUNS, counted(RUNS)), name)
    assert isinstance(text, str)
    path = GOLDEN / f"pivot.{name}"
    if os.environ.get("SEQBENCH_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def test_csv_and_json_hold_every_digit() -> None:
    rows = pivot(RUNS, counted(RUNS))
    read = list(csv.DictReader(io.StringIO(str(format_pivot(rows, "csv")))))
    parsed = json.loads(format_pivot(rows, "json"))
    for row, line, entry in zip(rows, read, parsed, strict=True):
        ndcg = figure(row, "NDCG@10/test")
        assert line["NDCG@10/test"] == ("" if ndcg is None else repr(ndcg))
        assert entry["figures"]["NDCG@10/test"] == ndcg


def test_a_sheet_is_a_pivot_and_its_texts_are_texts() -> None:
    rows = pivot(RUNS, counted(RUNS))
    content = format_pivot(rows, "xlsx")
    assert isinstance(content, bytes)
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Pivot"]
    assert sheet.freeze_panes == "B2"
    shown = [COLUMNS[place] for place in places_shown(rows)]
    assert [cell.value for cell in sheet[1]] == ["Row Labels", *shown]
    assert [sheet.cell(n, 1).value for n in range(2, len(rows) + 2)] == [row.label for row in rows]
    place = shown.index("NDCG@10/test") + 2
    values = [sheet.cell(n, place).value for n in range(2, len(rows) + 2)]
    assert values == [figure(row, "NDCG@10/test") for row in rows]
    assert sheet.cell(5, place).number_format == "0.0000"
    assert sheet.cell(5, shown.index("Model/TotalParams") + 2).number_format == "#,##0"
    depths = [sheet.row_dimensions[n].outline_level for n in (2, 3, 4)]
    assert depths == [0, 1, 2], "models and data sets fold"
    assert sheet.cell(8, 1).data_type == "s", "a name that begins with = is no formula"


def test_quality_leads_and_columns_without_a_value_are_left_out() -> None:
    rows = pivot(RUNS, counted(RUNS))
    assert COLUMNS[:3] == ("NDCG@10/test", "Recall@10/test", "MRR@10/test")
    assert {*COLUMNS} == {*REFERENCE_COLUMNS}
    shown = [COLUMNS[place] for place in places_shown(rows)]
    assert shown[:3] == ["NDCG@10/test", "Recall@10/test", "EpochTime"]
    assert "GPU/Memory(MiB)" not in shown
    assert [COLUMNS[place] for place in places_shown([])] == list(COLUMNS)
    for name in ("csv", "json"):
        assert "GPU/Memory(MiB)" in str(format_pivot(rows, name)), "programs get every column"


@pytest.mark.parametrize(("hits", "shown"), [(0.11, False), (0.12, True)])
def test_the_hit_rate_is_shown_where_it_differs_from_recall(hits: float, shown: bool) -> None:
    one = run("sasrec", "ml-100k", 50, 1, 0.06) | {"HitRate@10/test": hits}
    rows = pivot([one], counted([one]))
    assert figure(rows[2], "Recall@10/test") == 0.11
    for name in ("table", "md", "latex"):
        assert ("HitRate" in str(format_pivot(rows, name))) == shown


def test_an_unknown_format_is_named() -> None:
    with pytest.raises(UsageError, match="there is no format 'latx': did you mean 'latex'"):
        format_pivot([], "latx")
