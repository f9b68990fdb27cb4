"""Tables that people bring: which record is named when one is wrong, and what is no table."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from pyarrow import parquet
from pydantic import ValidationError

from engine.datasets.ordering import order_by_time
from engine.datasets.prepared import preparation_key
from engine.datasets.readers.read import read_source
from engine.datasets.readers.source import Ratings
from engine.datasets.readers.table import column_names, read_table
from engine.errors import DataError
from engine.spec import Columns, Dataset, settings_digest

NAMED = Columns(user="user", item="item", time="time")


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def put(path: Path, **columns: Any) -> Path:
    """Write a Parquet file."""
    parquet.write_table(pa.table(columns), path)
    return path


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(DataError) as raised:
        call()
    return str(raised.value)


def histories(found: Ratings) -> dict[str, list[str]]:
    """Each user's items in order, by their ids as text."""
    ordered = order_by_time(found)

    def texts(ids: Any) -> list[str]:
        return [each.decode() if isinstance(each, bytes) else str(each) for each in ids.tolist()]

    users, items = texts(ordered.user_ids), texts(ordered.item_ids)
    own = ordered.interactions
    return {
        user: [items[item - 1] for item in own.items[own.offsets[at] : own.offsets[at + 1]]]
        for at, user in enumerate(users)
    }


# Which record is wrong


def days(bad: str, at: int, count: int = 200) -> list[str]:
    return [bad if n == at else f"2021-03-{n % 28 + 1:02} 10:00:00" for n in range(count)]


def test_a_date_that_is_none_is_named_by_its_own_line(tmp_path: Path) -> None:
    body = "".join(f"{n % 9},{n},{day}\n" for n, day in enumerate(days("2021-04-31", 147)))
    said = refusal(lambda: read_table(write(tmp_path / "t.csv", "user,item,time\n" + body), NAMED))
    assert ", line 149: the time '2021-04-31' is no date (column 'time', in 1 of 200" in said


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    body = "".join(f'{n},"a\nb, ""c""",{n},{"x" if n == 50 else n}\n\n' for n in range(60))
    content = "\n\nuser,note,item,time\n" + body
    at = content.split("\n").index('50,"a') + 1
    said = refusal(lambda: read_table(write(tmp_path / "t.csv", content), NAMED))
    assert f", line {at}: the time 'x' is no number (column 'time', in 1 of 60 records)" in said


def test_the_record_is_named_where_a_cell_is_too_long_to_count_lines(tmp_path: Path) -> None:
    body = "".join(f"{n},{'y' * 200_000},{n},{n}\n" for n in range(3))
    path = write(tmp_path / "t.csv", "user,note,item,time\n" + body + "3,z,3,soon\n")
    assert ", record 4: the time 'soon'" in refusal(lambda: read_table(path, NAMED))


def test_joined_files_keep_their_lines(tmp_path: Path) -> None:
    part = "user,item,time\n1,2,3\n2,3,4\n"
    path = write(tmp_path / "t.csv", part + "\ufeff" + part)
    assert len(read_table(path, NAMED)) == 4
    path = write(tmp_path / "t.csv", part + part + "4,5,soon\n")
    assert ", line 7: the time 'soon' is no number" in refusal(lambda: read_table(path, NAMED))


@pytest.mark.parametrize("missing", [None, float("nan")], ids=["null", "nan"])
def test_a_missing_time_in_parquet_is_said(tmp_path: Path, missing: Any) -> None:
    times = pa.array([1.0, 2.0, missing, 4.0], from_pandas=False)
    path = put(tmp_path / "t.parquet", user=[1, 1, 1, 1], item=[1, 2, 3, 4], time=times)
    said = refusal(lambda: read_table(path, NAMED))
    assert ", row 3: the time is empty (column 'time', in 1 of 4 records)" in said


# Types of Parquet

WRONG_TIMES = {
    "bool": pa.array([True, False]),
    "time of day": pa.array([time(1), time(2)]),
    "duration": pa.array([timedelta(1), timedelta(2)]),
    "infinite": pa.array([1.0, float("inf")]),
    "too large": pa.array([1, 2**63 + 1], pa.uint64()),
}


@pytest.mark.parametrize("kind", WRONG_TIMES)
def test_a_column_that_holds_no_times(tmp_path: Path, kind: str) -> None:
    path = put(tmp_path / "t.parquet", user=[1, 1], item=[1, 2], time=WRONG_TIMES[kind])
    assert "is no number" in refusal(lambda: read_table(path, NAMED))


def test_a_column_of_nothing_and_one_of_structures(tmp_path: Path) -> None:
    path = put(tmp_path / "t.parquet", user=[1, 1], item=pa.nulls(2), time=[1, 2])
    assert "row 1: the item is empty" in refusal(lambda: read_table(path, NAMED))
    path = put(tmp_path / "t.parquet", user=[1, 1], item=[{"a": 1}, {"a": 2}], time=[1, 2])
    assert "holds struct<a: int64>, no item" in refusal(lambda: read_table(path, NAMED))
    path = put(tmp_path / "t.parquet", user=[[1], [1]], item=[1, 2], time=[1, 2])
    assert "no user: name another column" in refusal(lambda: read_table(path, NAMED))


def test_days_and_moments_of_any_unit(tmp_path: Path) -> None:
    days_of = pa.array([date(1970, 1, 3), date(1969, 12, 31)])
    for kind in (pa.date32(), pa.date64()):
        path = put(tmp_path / "t.parquet", user=[1, 1], item=[1, 2], time=days_of.cast(kind))
        assert read_table(path, NAMED).times.tolist() == [172_800, -86_400]  # type: ignore[union-attr]


def test_a_time_zone_is_no_part_of_a_moment(tmp_path: Path) -> None:
    """The clock of Paris went back at three o'clock: both are half past two, an hour apart."""
    paris = ZoneInfo("Europe/Paris")
    moments = [
        datetime(2021, 10, 31, 2, 30, tzinfo=paris, fold=fold).astimezone(UTC) for fold in (1, 0)
    ]
    times = pa.array(moments, pa.timestamp("us", "Europe/Paris"))
    path = put(tmp_path / "t.parquet", user=[1, 1], item=[1, 2], time=times)
    found = read_table(path, NAMED)
    assert found.times is not None
    assert found.times.tolist() == [int(moment.timestamp()) for moment in moments]
    assert histories(found) == {"1": ["2", "1"]}


def test_ids_that_no_number_holds(tmp_path: Path) -> None:
    large = pa.array([2**64 - 1, 5], pa.uint64())
    path = put(tmp_path / "t.parquet", user=large, item=pa.array(["007", "7"]), time=[1, 2])
    assert histories(read_table(path, NAMED)) == {str(2**64 - 1): ["007"], "5": ["7"]}


@pytest.mark.parametrize("users", [["1", "2", "3"], ["a", "b", "c"], ["01", "02", "03"]])
@pytest.mark.parametrize("day", ["5", "2021-03-05 07:00:00"])
def test_the_ids_of_a_column_depend_on_no_other(tmp_path: Path, users: list[str], day: str) -> None:
    """Whole numbers are in the order of numbers, also as floats, and however long."""
    for items in (["10.0", "9.0", "8"], [str(2**63 - 1), "10", "9"]):
        rows = "".join(f"{user},{item},{day}\n" for user, item in zip(users, items, strict=True))
        found = read_table(write(tmp_path / "t.csv", "user,item,time\n" + rows), NAMED)
        assert found.item_ids is None
        assert order_by_time(found).interactions.items.tolist() == [3, 2, 1]
    floats = put(tmp_path / "t", user=users, item=[10.0, 9.0, 8.0], time=[day] * 3)
    assert order_by_time(read_table(floats, NAMED)).item_ids.tolist() == [8, 9, 10]


# Histories

HISTORIES = {
    "user": ["ann", "bob", "ann"],
    "item": [["x", "y", "x"], [], ["z"]],
    "time": [[30, 10, 20], [], [5]],
}


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("form", ["parquet", "large", "jsonl"])
def test_a_list_of_items_is_a_history(tmp_path: Path, form: str, timed: bool) -> None:
    columns = NAMED if timed else NAMED.model_copy(update={"time": None})
    if form == "jsonl":
        values = zip(*HISTORIES.values(), strict=True)
        rows = [dict(zip(HISTORIES, row, strict=True)) for row in values]
        path = write(tmp_path / "t", "".join(json.dumps(row) + "\n" for row in rows))
        found = read_table(path, columns, reader="json-lines")
    else:
        items = pa.array(HISTORIES["item"], pa.list_(pa.string()))
        items = items.cast(pa.large_list(pa.string())) if form == "large" else items
        found = read_table(put(tmp_path / "t", **(HISTORIES | {"item": items})), columns)
    assert histories(found) == {"ann": ["z", "y", "x", "x"] if timed else ["x", "y", "x", "z"]}


def test_one_time_for_a_history_and_lists_of_a_fixed_size(tmp_path: Path) -> None:
    items = pa.array([[3, 1], [2, 3]], pa.list_(pa.int32(), 2))
    path = put(tmp_path / "t", user=[1, 1], item=items, time=[20, 10])
    assert histories(read_table(path, NAMED)) == {"1": ["2", "3", "3", "1"]}


@pytest.mark.parametrize(
    ("items", "times", "sentence"),
    [
        ([["x"], ["x", None]], [[1], [2, 3]], "2: the item is empty (column 'item', in 1 of 3 re"),
        ([["x"], None], [[1], [2]], "2: the item is empty (column 'item', in 1 of 2 records"),
        ([["x"], ["x", "y"]], [[1], [2]], "2: 2 items and 1 of the time"),
        ([["x"], ["x", "y"]], [[1], [2, None]], "2: the time is empty (column 'time', in 1 of 3"),
        (["x", "y"], [[1], [2]], "holds list"),
        ([[["x"]], [["y"]]], [[1], [2]], "holds list"),
    ],
)
def test_histories_that_are_none(
    tmp_path: Path, items: list[Any], times: list[Any], sentence: str
) -> None:
    path = put(tmp_path / "t", user=[1, 2], item=items, time=times)
    assert sentence in refusal(lambda: read_table(path, NAMED))
    rows = [{"user": 1, "item": item, "time": at} for item, at in zip(items, times, strict=True)]
    path = write(tmp_path / "t", "".join(json.dumps(row) + "\n" for row in rows))
    said = refusal(lambda: read_table(path, NAMED, reader="json-lines"))
    if "list" in sentence:
        assert "name another key" in said
    elif items[1] is not None:
        assert sentence in said


# Text tables


def test_a_header_and_rows_are_read_by_one_parser(tmp_path: Path) -> None:
    header = '"Customer, no.";"The ""item""\nsold"; "Ordered at"\n'
    path = write(tmp_path / "t.csv", header + '"1";"a;b";"2"\n"1";"c";"1"\n')
    user, item, when = column_names(path, Columns(user="?", item="?", separator=";"))
    assert (user, item, when) == ("Customer, no.", 'The "item"\nsold', "Ordered at")
    found = read_table(path, Columns(user=user, item=item, time=when, separator=";"))
    assert histories(found) == {"1": ["c", "a;b"]}


@pytest.mark.parametrize("separator", ["::", "||", "¦", ", "])
def test_separators_of_several_bytes(tmp_path: Path, separator: str) -> None:
    rows = [["user", "item", "time"], ["a", f'"x{separator}y"', "2"], ["a", "z", "1"]]
    path = write(tmp_path / "t.dat", "".join(separator.join(row) + "\n" for row in rows))
    found = read_table(path, NAMED.model_copy(update={"separator": separator}))
    assert histories(found) == {"a": ["z", f"x{separator}y"]}


def test_positions_without_a_header(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "7,2014-04-03T21:19:55.333Z,9,0\n7,2014-04-03T20:00:00Z,8,0\n")
    found = read_table(path, Columns(user="1", item="3", time="2", header=False))
    assert histories(found) == {"7": ["8", "9"]}
    assert found.times is not None
    assert found.times[0] == 1_396_559_995_333_000
    said = refusal(lambda: read_table(path, Columns(user="1", item="5", header=False)))
    assert "has no column '5'" in said


def test_a_header_shorter_than_the_rows_moves_no_column(tmp_path: Path) -> None:
    """As R writes a table: the names of its rows have no name themselves."""
    path = write(tmp_path / "t.csv", "user,item,time\n1,7,8,9\n2,7,9,9\n")
    assert ", line 2: 4 cells, where there are 3 columns" in refusal(
        lambda: read_table(path, NAMED)
    )


def test_a_last_separator_on_every_line_is_no_column(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "user,item,time\n1,8,2,\n1,9,1,\n")
    assert histories(read_table(path, NAMED)) == {"1": ["9", "8"]}


def test_times_beyond_the_exact_floats_in_files_with_ids_of_text(tmp_path: Path) -> None:
    """Nanoseconds: the type of the ids decides nothing about the times."""
    at = 1_600_000_000_123_456_789
    for user in ("1", "ann", "007"):
        path = write(tmp_path / "t.csv", f"user,item,time\n{user},1,{at + 1}\n{user},2,{at}\n")
        assert read_table(path, NAMED).times.tolist() == [at + 1, at]  # type: ignore[union-attr]


@pytest.mark.parametrize("user", [b"1", b"ann", b"caf\xe9"])
def test_bytes_that_are_not_utf8_disturb_no_other_column(tmp_path: Path, user: bytes) -> None:
    row = user + b",7,%s,caf\xe9 cr\xe8me\n"
    for separator in (b",", b"::"):
        named = NAMED.model_copy(update={"separator": separator.decode()})
        content = (b"user,item,time,note\n" + row % b"5" + row % b"4").replace(b",", separator)
        assert len(read_table(write(tmp_path / "t.csv", content), named)) == 2
    path = write(tmp_path / "t.csv", b"user,item,time,note\n" + row % b"5" + row % b"caf\xe9")
    assert ", line 3: the time 'caf" in refusal(lambda: read_table(path, NAMED))


# JSON lines


def test_keys_of_nested_objects(tmp_path: Path) -> None:
    lines = [
        '{"user": 7, "meta": {"sku": "a", "at.ms": 3}, "at": {"ms": 2}}',
        '{"user": "7", "meta": {"sku": "b"}, "at": {"ms": 1}}',
    ]
    path = write(tmp_path / "t.jsonl", "\n".join(lines))
    columns = Columns(user="user", item="meta.sku", time="at.ms")
    assert column_names(path, columns, "json-lines") == ["user", "meta.sku", "meta.at.ms", "at.ms"]
    assert histories(read_table(path, columns, reader="json-lines")) == {"7": ["b", "a"]}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"user": 1, "item": 2}', "line 2: the time is empty (column 'time', in 1 of 2 records"),
        ('{"user": 1, "item": 2, "time": null}', "line 2: the time is empty"),
        ('{"user": 1, "item": 2, "time": true}', "line 2: the time 'True' is no number"),
        ('{"user": 1, "item": " ", "time": 3}', "line 2: the item is empty"),
        ('{"user": 1, "item": 2, "time": 1%s}' % ("0" * 400), "is no number (column 'time'"),
        ('{"user": 1, "item": 2, "time": "\\ud83d"}', "is no number (column 'time'"),
        ('{"user": "a\\u0000", "item": 2, "time": 3}', "holds a NUL"),
        ('{"user": 1, "item": 2, "time": NaN}', "line 2: the time is empty"),
        ('{"user": 1, "item": {"a": 1}, "time": 3}', "line 2: key 'item' holds"),
        ('{"user": 1, "item": 2, "ti', "line 2: expected a JSON object on each line"),
        ('[{"user": 1, "item": 2, "time": 3}]', "line 2: expected a JSON object on each line"),
        ("[" * 100_000, "line 2: expected a JSON object on each line"),
    ],
)
def test_lines_that_are_no_record(tmp_path: Path, line: str, sentence: str) -> None:
    path = write(tmp_path / "t.jsonl", '{"user": 1, "item": 2, "time": 3}\n' + line)
    assert sentence in refusal(lambda: read_table(path, NAMED, reader="json-lines"))


def test_half_a_pair_of_characters_is_an_id(tmp_path: Path) -> None:
    rows = (
        '{"user": "\\ud83d", "item": 1, "time": 2}',
        '{"user": "\\ude00", "item": 2, "time": 1}',
    )
    path = write(tmp_path / "t.jsonl", "\n".join(rows))
    found = read_table(path, NAMED, reader="json-lines")
    assert found.user_ids is not None
    assert len(set(found.user_ids.tolist())) == 2


# What a data set's entry says


def test_an_entry_of_before_is_read_as_it_was(
    tmp_path: Path, make_dataset: Callable[..., Dataset]
) -> None:
    """Without ``columns``, only the fields of RecBole's own data sets count."""
    path = write(
        tmp_path / "x.inter", "user_id:token\titem_id:token\ttime:float\n1\t7\t2\n1\t8\t1\n"
    )
    before = make_dataset(reader="recbole")
    assert histories(read_source(before, path)) == {"1": ["7", "8"]}
    named = Columns(user="user_id:token", item="item_id:token", time="time:float", separator="\t")
    now = make_dataset(reader="recbole", columns=named)
    assert histories(read_source(now, path)) == {"1": ["8", "7"]}


def test_what_says_how_to_read_changes_the_prepared_copy_and_no_run_of_before(
    make_dataset: Callable[..., Dataset],
) -> None:
    plain = make_dataset(reader="table", columns=NAMED)
    content = plain.model_dump(mode="json")
    before = {key: value for key, value in content.items() if key not in ("encoding", "packing")}
    before["columns"] = {key: content["columns"][key] for key in ("user", "item", "time")}
    assert settings_digest({"source": content}) == settings_digest({"source": before})
    others = [
        plain.model_copy(update={"encoding": "latin-1"}),
        plain.model_copy(update={"packing": "gzip"}),
        plain.model_copy(update={"columns": NAMED.model_copy(update={"header": False})}),
    ]
    keys = {preparation_key(each, "0") for each in (plain, *others)}
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reader": "json-lines"}, "'columns' belong to readers 'table' and 'json-lines'"),
        ({"columns": NAMED}, "'columns' belong to readers 'table' and 'json-lines'"),
        ({"encoding": "base64"}, "there is no encoding 'base64'"),
        ({"packing": "rar"}, "'none', 'gzip', 'zstd'"),
    ],
)
def test_an_entry_that_cannot_be_read(
    make_dataset: Callable[..., Dataset], changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        make_dataset(**changes)
