"""A comparison as csv, md, json and table: exact bytes, and nothing that acts."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.comparison import Row, by_cell, column_names, compare_rows
from engine.analysis.export import format_rows, rows_sheet
from engine.errors import UsageError
from engine.store.compare.grouping import Choice, counted_runs

ROWS: list[Row] = [
    {
        "run": "sasrec-1",
        "model": "sasrec",
        "dataset": "ml-100k",
        "length": 50,
        "NDCG@10/test": 0.061234567890123,
        "GPU/Memory(MiB)": None,
        "Model/TotalParams": 270291,
    },
    {
        "run": "=cmd()",
        "model": "a|b_[red]",
        "dataset": "\x1b[31m\u202eevil",
        "length": 100,
        "NDCG@10/test": 0.05,
        "GPU/Memory(MiB)": 1177,
        "Model/TotalParams": None,
    },
]


def test_csv() -> None:
    assert format_rows(ROWS, "csv") == (
        "run,model,dataset,length,NDCG@10/test,GPU/Memory(MiB),Model/TotalParams\n"
        "sasrec-1,sasrec,ml-100k,50,0.061234567890123,,270291\n"
        "'=cmd(),a|b_[red],[31mevil,100,0.05,1177,\n"
    )


def test_markdown() -> None:
    assert format_rows(ROWS, "md") == (
        "| run | model | dataset | length | NDCG@10/test | GPU/Memory(MiB) | Model/TotalParams |\n"
        "| --- | --- | --- | ---: | ---: | ---: | ---: |\n"
        "| sasrec-1 | sasrec | ml-100k | 50 | 0.0612 | – | 270,291 |\n"
        "| =cmd() | a\\|b\\_\\[red\\] | \\[31mevil | 100 | 0.0500 | 1,177 | – |\n"
    )


def test_json() -> None:
    text = format_rows(ROWS, "json")
    assert json.loads(text) == ROWS
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert '"GPU/Memory(MiB)": null' in text


def test_table() -> None:
    assert format_rows(ROWS, "table") == (
        "                                       NDCG@10           GPU         Model\n"
        "run       model      dataset   length    /test  /Memory(MiB)  /TotalParams\n"
        "──────────────────────────────────────────────────────────────────────────\n"
        "sasrec-1  sasrec     ml-100k       50   0.0612             –       270,291\n"
        "=cmd()    a|b_[red]  [31mevil     100   0.0500         1,177             –\n"
    )


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_a_table_fits_its_width_and_says_what_it_hides(con: sqlite3.Connection, width: int) -> None:
    rows = compare_rows(con)
    names = ["model", "dataset", "length", "NDCG@10/test", "run"]
    names += [name for name in rows[0] if name not in names]
    text = format_rows(rows, "table", names=names, width=width)
    *lines, empty, hidden, how = text.splitlines()
    assert max(map(len, (*lines, hidden))) <= width
    head = lines[1].split()
    assert head[:3] == ["model", "dataset", "length"]
    assert lines[0].split()[0] == "NDCG@10"
    assert not empty
    assert hidden.startswith(f"No room for {len(names) - len(head)} columns: ")
    assert how == "--wide shows all columns."


def test_named_columns_are_written_in_their_order_and_no_others() -> None:
    names = ["length", "absent", "NDCG@10/test", "run"]
    for format_ in ("csv", "md", "table", "latex"):
        head = format_rows(ROWS, format_, names=names).replace("NDCG@10  ", "")
        places = [head.index(name) for name in ("length", "/test", "run")]
        assert places == sorted(places)
        assert "dataset" not in head
        assert "absent" not in head
    assert list(json.loads(format_rows(ROWS, "json", names=names))[0]) == [names[0], *names[2:]]


def test_an_age_is_a_date_for_people_and_a_moment_for_programs() -> None:
    rows: list[Row] = [{"run": "a", "age": 1_790_000_000.5}]
    assert "2026-09-21" in format_rows(rows, "md")
    assert json.loads(format_rows(rows, "json")) == [{"run": "a", "created": 1_790_000_000.5}]


def test_latex_holds_no_command_of_a_name() -> None:
    text = format_rows(ROWS, "latex")
    assert text.startswith("\\begin{tabular}{lllrrrr}\n\\toprule\n")
    assert "a|b\\_[red]" in text
    assert text.count(r" \\") == 3


def test_a_sheet_has_the_named_columns_with_every_digit() -> None:
    with ZipFile(io.BytesIO(rows_sheet(ROWS, ["run", "NDCG@10/test"]))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        texts = book.read("xl/sharedStrings.xml").decode()
    assert "<v>0.061234567890123" in sheet
    assert "<f>" not in sheet  # no formula of =cmd()
    assert "=cmd()" in texts
    assert "dataset" not in texts


def test_a_cells_deviation_stands_beside_its_mean(con: sqlite3.Connection) -> None:
    cells = by_cell(compare_rows(con), counted_runs(con, Choice()))
    text = format_rows(cells, "md")
    assert " ± " in text
    assert "(std)" not in text
    head = next(csv.reader(io.StringIO(format_rows(cells, "csv"))))
    assert "NDCG@10/test (std)" in head


def test_no_runs() -> None:
    assert format_rows([], "json") == "[]\n"
    assert format_rows([], "table") == "No runs match.\n"
    assert format_rows([], "csv") == _csv_line(column_names())


def _csv_line(names: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(names)
    return out.getvalue()


def test_an_unknown_format_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'json'"):
        format_rows(ROWS, "jsn")


@given(text=st.text(max_size=30), number=st.floats(allow_nan=False, allow_infinity=False))
def test_csv_comes_back_and_holds_no_formula(text: str, number: float) -> None:
    rows: list[Row] = [{"run": text, "NDCG@10/test": number}]
    _, (name, figure) = csv.reader(io.StringIO(format_rows(rows, "csv"), newline=""))
    assert float(figure) == number
    assert not name.lstrip().startswith(("=", "+", "-", "@"))
    assert len(name.splitlines()) <= 1


@pytest.mark.parametrize("before", ["", " ", "\t", "\r", "\n", "\x00", "\u200e"])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝"])
def test_csv_quotes_what_a_spreadsheet_would_compute(before: str, sign: str) -> None:
    rows: list[Row] = [{"run": f"{before}{sign}1", "NDCG@10/test": -0.5, "BestEpoch": -1}]
    _, cells = csv.reader(io.StringIO(format_rows(rows, "csv"), newline=""))
    assert cells[0].startswith("'")
    assert cells[1:] == ["-0.5", "-1"]


@given(text=st.text(max_size=30))
def test_markdown_stays_one_row_of_two_cells(text: str) -> None:
    body = format_rows([{"run": text, "model": "m"}], "md").split("\n")
    assert len(body) == 4
    assert body[2].replace("\\\\", "").replace("\\|", "").count("|") == 3
