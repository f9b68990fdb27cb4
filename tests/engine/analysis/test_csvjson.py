"""CSV and JSON of many rows: the bytes of `csv` and `json`, whatever is written at once."""

from __future__ import annotations

import csv
import io
import json
import math
import sqlite3
from collections.abc import Sequence
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from measured_runs import MeasuredStore

from engine.analysis.columns.definitions import DIFFERENCE, Value
from engine.analysis.columns.offered import beside_columns
from engine.analysis.columns.text import printable
from engine.analysis.comparison import Row, RunRows, compare_rows
from engine.analysis.csvjson import csv_pieces
from engine.analysis.export import FORMATS, format_rows, row_pieces, rows_sheet
from engine.store.connect import connect_writer
from engine.store.database import write

_VALUES = (
    st.none()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.0, -0.0, 1, 1.0, True, "", '"', ",", "=1", " +", "a\r\nb", "\ud800", "é"])
    | st.text(max_size=10)
)
_ROWS = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(_VALUES, min_size=width, max_size=width), max_size=6)
)


def _cell(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    text = printable(value)
    return (
        f"'{text}"
        if text.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
        else text
    )


def _one_by_one(lines: Sequence[Sequence[Value]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [_cell(value) for value in line] for line in lines
    )
    return out.getvalue()


@given(lines=_ROWS)
def test_csv_is_that_of_the_csv_module(lines: list[list[Value]]) -> None:
    assert "".join(csv_pieces(lines)) == _one_by_one(lines)
    rows = [{str(place): value for place, value in enumerate(line)} for line in lines]
    if rows:
        assert format_rows(rows, "csv") == _one_by_one([list(rows[0]), *lines])


@given(lines=_ROWS, head=st.text(max_size=5))
def test_json_is_that_of_the_json_module(lines: list[list[Value]], head: str) -> None:
    rows: list[Row] = [{head + str(place): v for place, v in enumerate(line)} for line in lines]
    assert format_rows(rows, "json") == json.dumps(rows, indent=2) + "\n"


def test_an_infinite_number_is_no_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        format_rows([{"a": 1.0}, {"a": math.inf}], "json")


@pytest.fixture
def varied(measured: MeasuredStore, con: sqlite3.Connection) -> sqlite3.Connection:
    """The store, where runs have tags and notes, and one has an infinite loss."""
    some = "(SELECT id FROM runs ORDER BY id LIMIT ?)"
    with closing(connect_writer(measured.location)) as writer, write(writer):
        writer.execute(
            f"UPDATE runs SET tags = ?, note = ? WHERE id IN {some}",
            ('["one", "two"]', '=a,"b"', 5),
        )
        writer.execute(f"UPDATE summaries SET loss_best = 9e999 WHERE run IN {some}", (1,))
    return con


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("named", [False, True])
def test_runs_are_written_like_their_rows_one_by_one(
    varied: sqlite3.Connection, format_: str, named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.analysis.csvjson._AT_ONCE", 7)
    found = compare_rows(varied, beside=beside_columns("best"))
    rows = list(found)
    names = ["tags", "lr", "Loss/train (per target)", "run", "dim", "model", "age"]
    names = names if named else [name for name in rows[0] if not name.endswith(DIFFERENCE)]
    assert len(found) > 7
    assert {row["tags"] for row in rows} == {"", "one two"}
    assert None in {row["Loss/train (per target)"] for row in rows}
    assert format_rows(found, format_, names=names) == format_rows(rows, format_, names=names)
    assert rows_sheet(found, names) == rows_sheet(rows, names)
    if format_ == "csv":
        heads = [{"age": "created"}.get(name, name) for name in names]
        lines = [[row[name] for name in names] for row in rows]
        assert format_rows(found, "csv", names=names) == _one_by_one([heads, *lines])
        assert len(list(row_pieces(found, "csv"))) > 2


def test_rows_are_a_sequence(con: sqlite3.Connection) -> None:
    found = compare_rows(con)
    rows = list(found)
    assert isinstance(found, RunRows)
    assert [found[0], found[-1], *found[2:5]] == [rows[0], rows[-1], *rows[2:5]]
    assert [found.column(name) for name in rows[0]] == [[r[n] for r in rows] for n in rows[0]]
    gone = [str(row["run"]) for row in rows[::2]]
    assert list(compare_rows(con, without=gone)) == rows[1::2]
