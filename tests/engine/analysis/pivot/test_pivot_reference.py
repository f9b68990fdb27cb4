"""The pivot with published results below ours, from cells of the store: exact, and in every format.

``SEQBENCH_WRITE_GOLDEN=1 pytest tests/engine/analysis/test_pivot_reference.py`` writes them anew.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from measured_runs import MeasuredStore
from row_pivot import pivot

from engine.analysis.comparison import compare_rows
from engine.analysis.labels.stored import newest_runs, stored_labels
from engine.analysis.pivot.arranged import (
    COLUMNS,
    PivotCell,
    PivotRow,
    apart_sentences,
    arranged,
    places_shown,
)
from engine.analysis.pivot.stored import leaders, stored_pivot
from engine.analysis.pivot.text import FORMATS, format_pivot
from engine.analysis.published import caveats, published_for
from engine.cell import Cell
from engine.config import PublishedTable
from engine.spread import Spread
from engine.store.compare.grouping import CellRow, Choice, Measure, OverSeeds, counted_runs

GOLDEN = Path(__file__).parent / "golden"
NDCG = COLUMNS.index("NDCG@10/test")
TABLE = PublishedTable.model_validate(
    {
        "name": "ours",
        "title": "The reference table",
        "source": "a notebook",
        "ranking": "all-items",
        "aggregate": "max",
        "cells": [
            {
                "model": "sasrec",
                "dataset": "ml-100k",
                "length": 50,
                "figures": {
                    "EpochTime": 5.97,
                    "HitRate@10/test": "0.140",
                    "MRR@10/test": 0.045,
                    "NDCG@10/test": 0.068,
                    "Model/TotalParams": 270291,
                },
            }
        ],
    }
)


def cell_row(length: int = 50, **figures: OverSeeds) -> CellRow:
    found: dict[Measure, OverSeeds] = dict(figures.items())
    return CellRow(Cell("sasrec", "ml-100k", length, "reference", "ab", "8f"), 3, "r", found)


def seeds(mean: float, deviation: float | None) -> OverSeeds:
    count = 1 if deviation is None else 3
    return OverSeeds(Spread(mean, deviation, count), mean, mean)


OURS = cell_row(
    train_seconds_max=seeds(0.52, 0.031),
    valid_hit_max=seeds(0.1411, 0.0009),
    valid_mrr_max=seeds(0.0502, 0.0004),
    valid_ndcg_max=seeds(0.0621, 0.0005),
    parameters=seeds(270_291, 0.0),
)


def rows_of() -> list[PivotRow]:
    def cell(length: int, ndcg: float, profile: str = "reference") -> PivotCell:
        figures = tuple(ndcg if name == "NDCG@10/test" else None for name in COLUMNS)
        spread = tuple(0.0006 if name == "NDCG@10/test" else None for name in COLUMNS)
        digest = "0f" * 4 if profile == "reference" else "1e" * 4
        name = Cell("sasrec", "ml-100k", length, profile, digest, "8f0c8f0c8f0c")
        return PivotCell(name, 2, "leave-one-out", 3, figures, spread)

    first = replace(cell(50, 0.0601), published=tuple(published_for([TABLE], OURS)))
    return arranged([cell(100, 0.0583, "tuned"), cell(100, 0.0577), first])


def test_below_a_cell_stand_five_rows() -> None:
    rows = {row.level: row for row in rows_of() if row.length == 50}
    assert [row.level for row in rows_of()] == [
        "model", "dataset", "length", "published", "alike", "difference", "margin", "verdict",
        "length", "length", "total",
    ]  # fmt: skip
    assert rows["published"].figures[NDCG] == Decimal("0.068")
    assert rows["alike"].figures[NDCG] == 0.0621
    assert rows["difference"].figures[NDCG] == pytest.approx(-0.0059)
    words = dict(zip(COLUMNS, rows["verdict"].figures, strict=True))
    assert words["NDCG@10/test"] == "worse"
    assert words["MRR@10/test"] == "better"
    assert words["HitRate@10/test"] == "no difference shown"
    assert words["EpochTime"] is None, "another machine's time is no better or worse"
    assert rows_of()[0].figures[NDCG] == 0.0601, "a subtotal is of ours alone"


def test_where_no_word_may_be_said_programs_are_told_why() -> None:
    marked = published_for([TABLE], OURS, {OURS.cell: ("changed-data",)})
    found = PivotCell(OURS.cell, 2, "leave-one-out", 3, (None,) * len(COLUMNS))
    rows = arranged([replace(found, published=tuple(marked))])
    (verdict,) = (row for row in json.loads(format_pivot(rows, "json")) if "why_not" in row)
    assert set(verdict["figures"].values()) == {None}
    assert verdict["why_not"] == "the data of sasrec L50 are marked changed-data: no conclusion"
    (line,) = (
        line
        for line in csv.DictReader(str(format_pivot(rows, "csv")).splitlines())
        if line["level"] == "verdict"
    )
    assert line["why_not"] == verdict["why_not"]
    assert f"{verdict['why_not']}." in caveats(marked)
    assert "why_not" not in str(format_pivot(rows_of(), "csv"))


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "xlsx"])
def test_every_format_is_as_it_was(name: str) -> None:
    text = format_pivot(rows_of(), name)
    assert isinstance(text, str)
    path = GOLDEN / f"pivot-reference.{name}"
    if os.environ.get("SEQBENCH_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def test_a_sheet_folds_them_and_keeps_numbers_numbers() -> None:
    content = format_pivot(rows_of(), "xlsx")
    assert isinstance(content, bytes)
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Pivot"]
    column = [sheet.cell(n, NDCG + 2).value for n in range(4, 10)]
    *numbers, word = (row.figures[NDCG] for row in rows_of()[2:8])
    assert column == [*(pytest.approx(float(number or 0)) for number in numbers), word]
    shown = [COLUMNS[place] for place in places_shown(rows_of())]
    published = sheet.cell(5, shown.index("HitRate@10/test") + 2)
    assert (published.value, published.number_format) == (0.14, "#,##0.000")
    assert [sheet.row_dimensions[n].outline_level for n in range(4, 10)] == [2, 3, 3, 3, 3, 3]


def test_what_is_not_averaged_is_said_with_the_reason() -> None:
    assert apart_sentences(rows_of()) == [
        "sasrec × ml-100k × 100 has 2 rows, not averaged: they differ in profile and settings."
    ]
    figures = (None,) * len(COLUMNS)

    def cell(
        length: int, settings: str, checksum: str = "8f", protocol: int = 2, split: str = "a"
    ) -> PivotCell:
        name = Cell("sasrec", "ml-100k", length, "reference", settings, checksum)
        return PivotCell(name, protocol, split, 1, figures)

    cells = [
        cell(50, "aa", "8f0c8f0c8f0c"),
        cell(50, "aa", "77aa77aa77aa"),
        cell(75, "bb"),
        cell(75, "cc", protocol=3),
        cell(100, "bb"),
        cell(100, "cc", split="temporal"),
        *(cell(n, s) for n in (1, 2) for s in "ab"),
    ]
    rows = arranged(cells)
    assert [row.label for row in rows if row.length == 50] == [
        "50 · data 77aa77aa",
        "50 · data 8f0c8f0c",
    ]
    assert [row.label for row in rows if row.length == 75] == [
        "75 · protocol 2",
        "75 · protocol 3",
    ]
    assert [row.label for row in rows if row.length == 100] == [
        "100 · split a",
        "100 · split temporal",
    ]
    assert apart_sentences(rows)[-1] == "The same is true of 2 more cells."
    assert "they differ in data." in apart_sentences(rows, most=9)[2]
    assert "they differ in protocol." in apart_sentences(rows, most=9)[3]
    assert "they differ in split." in apart_sentences(rows, most=9)[4]


def test_the_stores_pivot_is_that_of_its_runs(
    con: sqlite3.Connection, measured: MeasuredStore
) -> None:
    for aggregate in ("best", "max", "last"):
        found = stored_pivot(con, Choice(aggregate=aggregate), aggregate)
        counted = counted_runs(con, Choice())
        labels = stored_labels(con, newest_runs(counted), None)
        expected = pivot(compare_rows(con, aggregate=aggregate), counted, labels)
        assert [(row.level, row.label, row.seeds, row.apart) for row in found.rows] == [
            (row.level, row.label, row.seeds, row.apart) for row in expected
        ]
        for ours, theirs in zip(found.rows, expected, strict=True):
            assert list(ours.figures) == pytest.approx(list(theirs.figures))
            assert len(ours.deviations) == len(theirs.deviations)
    assert found.runs == 19
    tables = measured.catalogue.published.values()
    with_reference = stored_pivot(con, Choice("length:50"), "best", tables)
    assert [row.level for row in with_reference.rows].count("verdict") == 4
    assert "probably validation" in caveats(with_reference.published)[0]


def test_the_best_of_each_data_set_is_found_in_the_right_direction(
    con: sqlite3.Connection,
) -> None:
    rows = stored_pivot(con, Choice(), "best").rows
    found = leaders(rows, "best")
    cells = [row for row in rows if row.is_cell]
    assert found["ml-100k", NDCG] == max(float(row.figures[NDCG] or 0) for row in cells)
    time = COLUMNS.index("EpochTime")
    assert found["ml-100k", time] == min(float(row.figures[time] or 0) for row in cells)
    judged = {place for _, place in found}
    assert COLUMNS.index("Model/TotalParams") not in judged
