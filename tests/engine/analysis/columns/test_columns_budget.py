"""The budget that settings were chosen with, in every table and file."""

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
from measured_runs import MeasuredStore

from engine.analysis.columns.definitions import BUDGET
from engine.analysis.comparison import Row, by_cell, compare_rows
from engine.analysis.diff import cell_side, compare_sides
from engine.analysis.export import format_rows, rows_sheet
from engine.analysis.pivot.stored import stored_pivot
from engine.analysis.pivot.text import format_pivot, pivot_texts
from engine.spec import ChosenBy
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader

NAMES = tuple(BUDGET)
STUDY = ChosenBy(study="one", trials=20, seconds=1234.5)
BY_HAND, COUNTED, NOBODY = ("by hand", "by hand"), ("20", "1,234.50"), ("–", "–")


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    store = MeasuredStore(tmp_path_factory.mktemp("chosen"))
    for seed in (1, 2):
        store.add("sasrec", seed=seed, profile="tuned")
        store.add("xlstm", seed=seed, study=STUDY)
    store.add("sasrec", profile="tuned", lr=0.5)  # a recipe with another setting is nobody's choice
    store.add("bert4rec")  # as published
    with closing(connect_reader(store.location)) as connection:
        yield connection


def texts_of(table: str) -> list[tuple[str, ...]]:
    """The cells of a table of Markdown, without its head."""
    lines = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return [tuple(line) for line in lines]


def cells(con: sqlite3.Connection) -> list[Row]:
    return by_cell(compare_rows(con, sort="seed"), counted_runs(con, Choice()))


def test_runs_and_cells_say_who_chose(con: sqlite3.Connection) -> None:
    runs = texts_of(format_rows(compare_rows(con, sort="Trials"), "md", names=NAMES))
    assert runs == [*[COUNTED] * 2, *[BY_HAND] * 2, *[NOBODY] * 2]
    found = texts_of(format_rows(cells(con), "md", names=("model", *NAMES)))
    assert sorted(found) == sorted(
        [("sasrec", *BY_HAND), ("xlstm", *COUNTED), ("sasrec", *NOBODY), ("bert4rec", *NOBODY)]
    )


def test_files_for_programs_say_it_too(con: sqlite3.Connection) -> None:
    rows = cells(con)
    read = csv.DictReader(io.StringIO(format_rows(rows, "csv", names=NAMES)))
    expected = {("by hand", "by hand"), ("20.0", "1234.5"), ("", "")}
    assert {(row["Trials"], row["TuningTime"]) for row in read} == expected
    told = json.loads(format_rows(rows, "json", names=NAMES))
    assert {row["Trials"] for row in told} == {"by hand", 20, None}
    with zipfile.ZipFile(io.BytesIO(rows_sheet(rows, NAMES))) as sheet:
        assert "[=0]&quot;by hand&quot;" in sheet.read("xl/styles.xml").decode()


def test_the_pivot_and_its_files_say_it(con: sqlite3.Connection) -> None:
    rows = stored_pivot(con, Choice(), "best", names=NAMES).rows
    of_cells = sorted(tuple(pivot_texts(row, NAMES)) for row in rows if row.is_cell)
    assert of_cells == sorted([BY_HAND, COUNTED, NOBODY, NOBODY])
    assert tuple(pivot_texts(rows[-1], NAMES)) == COUNTED  # the most of all cells
    for form in ("csv", "json", "md"):
        text = format_pivot(rows, form, NAMES)
        assert isinstance(text, str)
        assert "by hand" in text
        assert " 0 " not in text


def test_a_difference_of_budgets_is_none(con: sqlite3.Connection) -> None:
    names = {cell.model: cell.name for cell in counted_runs(con, Choice("trials>=0")).values()}
    sides = [cell_side(con, names[model], Choice(), "best") for model in ("sasrec", "xlstm")]
    (trials,) = [
        figure
        for figure in compare_sides(con, *sides, "best").figures
        if figure.column.name == "Trials"
    ]
    assert trials.difference is None


@pytest.mark.parametrize(("filter_", "models"), [("trials:0", "sasrec"), ("trials>0", "xlstm")])
def test_filters_find_it(con: sqlite3.Connection, filter_: str, models: str) -> None:
    assert {row["model"] for row in compare_rows(con, filter=filter_)} == {models}


def test_runs_of_before_there_was_this_field_say_nothing(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    run = store.add("sasrec", profile="tuned")
    path = store.location.folder(run).spec
    content = json.loads(path.read_text())
    assert content["spec"].pop("chosen_by") == "by hand"
    path.write_text(json.dumps(content))
    store.location.db.unlink()
    again = MeasuredStore(tmp_path)
    with closing(connect_reader(again.location)) as con:
        (row,) = compare_rows(con)
    assert (row["profile"], row["Trials"], row["TuningTime"]) == ("tuned", None, None)
