"""Times in seconds, milli-, micro- and nanoseconds, in every form of table: none is rounded."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from fuzzing import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from engine.datasets.load import prepare
from engine.datasets.readers.joined import join
from engine.datasets.readers.read import read_source
from engine.datasets.readers.source import Ratings
from engine.datasets.times import UNITS, to_microseconds, unit_of
from engine.errors import DataError
from engine.spec import Dataset
from engine.spec.moments import SECOND

NANO = 1_000 * SECOND
ARROW = {1: "s", 1_000: "ms", SECOND: "us", NANO: "ns"}

Write = Callable[[Path, Sequence[int], int], None]


def rows(path: Path, header: str, separator: str, times: Sequence[str]) -> None:
    lines = [separator.join((str(n % 3), str(n), time)) for n, time in enumerate(times)]
    path.write_text("\n".join([header, *lines]) + "\n")


def text(form: str) -> Write:
    return lambda path, times, _: rows(path, "user,item,time", ",", [form.format(t) for t in times])


def inter(path: Path, times: Sequence[int], _: int) -> None:
    header = "user_id:token\titem_id:token\ttimestamp:float"
    rows(path, header, "\t", [f"{time}.0" for time in times])


def lines(kind: Callable[[int], object]) -> Write:
    def write(path: Path, times: Sequence[int], _: int) -> None:
        records = ({"user": n % 3, "item": n, "time": kind(t)} for n, t in enumerate(times))
        path.write_text("".join(json.dumps(record) + "\n" for record in records))

    return write


def arrow(kind: Callable[[int], pa.DataType]) -> Write:
    def write(path: Path, times: Sequence[int], unit: int) -> None:
        column = pa.array(times, pa.int64()).cast(kind(unit))
        users = [n % 3 for n in range(len(times))]
        parquet.write_table(
            pa.table({"user": users, "item": list(range(len(times))), "time": column}), path
        )

    return write


def movielens(separator: str, header: str = "") -> Write:
    def write(path: Path, times: Sequence[int], _: int) -> None:
        lines = [separator.join((str(n % 3), str(n), "4", str(t))) for n, t in enumerate(times)]
        path.write_text("\n".join(filter(None, [header, *lines])) + "\n")

    return write


FORMS: dict[str, tuple[str, Write]] = {
    "whole": ("table", text("{}")),
    "with a point": ("table", text("{}.0")),
    "quoted": ("table", text('"{}"')),
    "with an exponent": ("table", text("{}e0")),
    "inter": ("recbole", inter),
    "JSON": ("json-lines", lines(int)),
    "JSON, as text": ("json-lines", lines(str)),
    "JSON, as text with a point": ("json-lines", lines("{}.0".format)),
    "int64": ("table", arrow(lambda unit: pa.int64())),
    "uint64": ("table", arrow(lambda unit: pa.uint64())),
    "text": ("table", arrow(lambda unit: pa.string())),
    "dates": ("table", arrow(lambda unit: pa.timestamp(ARROW[unit]))),
    "dates with a zone": ("table", arrow(lambda unit: pa.timestamp(ARROW[unit], tz="Asia/Tokyo"))),
    "movielens-tab": ("movielens-tab", movielens("\t")),
    "movielens-colons": ("movielens-colons", movielens("::")),
    "movielens-csv": ("movielens-csv", movielens(",", "userId,movieId,rating,timestamp")),
}


def source(reader: str) -> Dataset:
    columns = {"user": "user", "item": "item", "time": "time"}
    return Dataset.model_validate(
        {
            "name": "t", "title": "T", "size": "small", "reader": reader,
            "columns": columns if reader in ("table", "json-lines") else None,
            "users": 1, "items": 1, "interactions": 1, "folder": "t", "files": {"t": None},
        }
    )  # fmt: skip


nanoseconds = st.integers(160_000_000 * NANO, 9_000_000_000 * NANO)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=st.lists(nanoseconds, min_size=1, max_size=12), unit=st.sampled_from(sorted(UNITS)))
def test_every_form_has_the_same_times(
    tmp_path: Path, form: str, times: list[int], unit: int
) -> None:
    reader, write = FORMS[form]
    counted = [time // (NANO // unit) for time in times]
    path = tmp_path / "t"
    write(path, counted, unit)
    found = read_source(source(reader), path)
    assert found.times is not None
    assert to_microseconds(found.times, found.per_second).tolist() == [
        each * SECOND // unit for each in counted
    ]
    exact = found.times.tolist()
    per_second = int(found.per_second or unit)
    assert [each * NANO // per_second for each in exact] == [
        each * NANO // unit for each in counted
    ]
    # Each user's history is in the order of the times as they were written.
    prepared = prepare(source(reader), path)
    assert prepared.unit == (None if form.startswith("dates") else unit)
    own, bounds = prepared.interactions, prepared.interactions.offsets
    items = prepared.item_ids[own.items - 1].tolist()
    for user in range(own.num_users):
        history = items[bounds[user] : bounds[user + 1]]
        assert [counted[item] for item in history] == sorted(counted[item] for item in history)


def test_the_largest_time_tells_the_unit_of_all() -> None:
    times = np.array([10, 1_585_699_200 * NANO + 1_999])
    assert unit_of(times) == NANO
    assert to_microseconds(times, None).tolist() == [0, 1_585_699_200 * SECOND + 1]


def test_files_of_a_split_have_one_unit() -> None:
    def ratings(*times: int) -> Ratings:
        return Ratings(np.arange(len(times)), np.arange(len(times)), np.array(times))

    joined = join([ratings(5, 70), ratings(99_999_999_999), ratings(100_000_000_001)])
    assert joined.times is not None
    assert unit_of(joined.times) == 1_000
    assert to_microseconds(joined.times, joined.per_second).tolist()[0] == 5_000


@pytest.mark.parametrize("form", ["whole", "with a point", "with an exponent", "inter"])
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [("", "line 3: the time is empty"), (str(10**30), "line 3: the time '1.*0' is no number")],
)
def test_only_the_row_that_is_wrong_is_named(
    tmp_path: Path, form: str, wrong: str, sentence: str
) -> None:
    reader, write = FORMS[form]
    write(tmp_path / "t", [1_585_699_200 * NANO + n for n in range(5)], NANO)
    lines = (tmp_path / "t").read_text().splitlines()
    lines[2] = lines[2].replace(lines[2].replace("\t", ",").split(",")[2], wrong)
    (tmp_path / "t").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=sentence) as caught:
        read_source(source(reader), tmp_path / "t")
    assert "in 1 of 5 records" in str(caught.value)


@given(
    odd=st.from_regex(r"[-+]?\d{1,20}(\.\d{0,3})?([eE] ?[-+]?\d{1,25})?[ \x00_l]?", fullmatch=True)
)
@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_odd_number_among_nanoseconds_is_read_or_refused(tmp_path: Path, odd: str) -> None:
    records = [{"user": 1, "item": n, "time": t} for n, t in enumerate((f"{9 * 10**18}.0", odd))]
    (tmp_path / "t").write_text("".join(json.dumps(record) + "\n" for record in records))
    try:
        found = read_source(source("json-lines"), tmp_path / "t")
    except DataError as error:
        said = str(error)
    else:
        assert found.times is not None
        assert found.times.tolist()[0] == 9 * 10**18
        return
    assert "line 2" in said


@pytest.mark.parametrize("time", [2**63, 10**19 - 1, 10**19])
def test_a_rating_beyond_64_bits_is_named(tmp_path: Path, time: int) -> None:
    movielens("\t")(tmp_path / "t", [2**63 - 1, 5, time, 7], NANO)
    with pytest.raises(DataError, match="line 3: expected user, item, rating and time"):
        read_source(source("movielens-tab"), tmp_path / "t")
    movielens("\t")(tmp_path / "t", [2**63 - 1, 5], NANO)
    found = read_source(source("movielens-tab"), tmp_path / "t")
    assert found.times is not None
    assert found.times.tolist() == [2**63 - 1, 5]
