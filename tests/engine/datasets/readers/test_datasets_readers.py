"""Small files in the layouts of the originals: what is read, and what is said of what can't be."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.datasets.readers.lines import read_lines, read_pairs
from engine.datasets.readers.ratings import CSV, read_ratings
from engine.datasets.readers.source import Ratings
from engine.datasets.readers.steam import read_reviews
from engine.datasets.readers.table import read_table
from engine.errors import DataError
from engine.spec import Columns

BOM = b"\xef\xbb\xbf"
NAMED = Columns(user="who", item="what", time="when", rating="stars")


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def rows(found: Ratings) -> list[tuple[Any, ...]]:
    """Ids as text, and times where there are any."""

    def texts(codes: Any, ids: Any) -> list[str]:
        return [str(code) if ids is None else ids[code].decode() for code in codes.tolist()]

    columns: list[Any] = [texts(found.users, found.user_ids), texts(found.items, found.item_ids)]
    if found.times is not None:
        columns.append(found.times.tolist())
    return list(zip(*columns, strict=True))


# MovieLens 20M, 25M, 32M


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("bom", [b"", BOM])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_movielens_csv(tmp_path: Path, newline: bytes, bom: bytes, end: bytes) -> None:
    lines = [CSV.header, b"1,296,5.0,1147880044", b"1,306,3.5,1147868817"]
    path = write(tmp_path / "ratings.csv", bom + newline.join(lines) + end.replace(b"\n", newline))
    found = read_ratings(path, CSV, with_ratings=True)
    assert rows(found) == [("1", "296", 1147880044), ("1", "306", 1147868817)]
    assert found.ratings is not None
    assert found.ratings.tolist() == [5.0, 3.5]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"user,item\n1,2\n", "line 1: expected the header 'userId,movieId,rating,timestamp'"),
        (CSV.header + b"\n1,2,3.0,4\n1,2,3.0\n", "line 3: .*separated by commas, found '1,2,3.0'"),
        (CSV.header + b"\n", "holds no ratings"),
        (b"", "line 1: expected the header"),
    ],
)
def test_movielens_csv_that_is_none(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        read_ratings(write(tmp_path / "ratings.csv", content), CSV)


# Steam's reviews

REVIEWS = b"""\
{u'username': u'Chaos Syren', u'hours': 0.1, u'product_id': u'725280', u'page_order': 0, \
u'date': u'2017-12-17', u'text': u"Not as in u'product_id': u'1', u'date': u'x'", \
u'early_access': False, u'page': 1}
{u'username': u"it's me", u'product_id': u'70', u'date': u'2017-12-16', u'text': u'\\u2665 ok'}
{u'date': u'2017-12-17', u'username': u'Chaos Syren', u'product_id': u'725280', u'text': u''}
{"username": "caf\\u00e9", "product_id": "70", "date": "1970-01-02", "early_access": true}
"""


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_steam_reviews(tmp_path: Path, packed: bool, ending: bytes) -> None:
    content = BOM + REVIEWS.replace(b"\n", ending).rstrip()
    path = write(tmp_path / "reviews.json.gz", gzip.compress(content) if packed else content)
    assert rows(read_reviews(path)) == [
        ("Chaos Syren", "725280", 17517),
        ("it's me", "70", 17516),
        ("Chaos Syren", "725280", 17517),  # again, on the same day: it counts, and comes after
        ("café", "70", 1),
    ]


def test_steam_reviews_with_nested_values(tmp_path: Path) -> None:
    line = b"{'username': 'a', 'product_id': '7', 'date': '2017-01-01', 'compensation': ['x, {y']}"
    assert rows(read_reviews(write(tmp_path / "r.json", line))) == [("a", "7", 17167)]


@pytest.mark.parametrize(
    "bad",
    [
        b"{u'username': u'a', u'product_id': u'1', u'date': u'2017-01-01', u'text': u'cut",
        b"{u'username': u'a', u'product_id': u'1'}",
        b"{u'username': u'a', u'product_id': u'1', u'date': u'yesterday'}",
        b"not a review",
        b"{" * 2000 + b"}" * 2000,
    ],
)
def test_a_malformed_review_is_named(tmp_path: Path, bad: bytes) -> None:
    path = write(tmp_path / "reviews.json", REVIEWS + bad + b"\n" + REVIEWS)
    with pytest.raises(DataError, match=r"reviews\.json, line 5: expected a review with username"):
        read_reviews(path)


def test_a_review_file_that_was_cut_in_the_packing(tmp_path: Path) -> None:
    path = write(tmp_path / "reviews.json.gz", gzip.compress(REVIEWS)[:-20])
    with pytest.raises(DataError, match="is damaged"):
        read_reviews(path)


# Pairs and lines


@pytest.mark.parametrize("packed", [False, True])
def test_pairs_and_lines(tmp_path: Path, packed: bool) -> None:
    def put(name: str, content: bytes) -> Path:
        return write(tmp_path / name, gzip.compress(content) if packed else content)

    pairs = put("pairs.txt", BOM + b"1 10\r\n1 9\r\n\r\n2\t10\r\n1 10")
    assert rows(read_pairs(pairs)) == [("1", "10"), ("1", "9"), ("2", "10"), ("1", "10")]
    lines = put("lines.txt", b"b x y x\na y\nb z")
    found = read_lines(lines)
    assert rows(found) == [("b", "x"), ("b", "y"), ("b", "x"), ("a", "y"), ("b", "z")]
    assert found.user_ids is not None
    assert found.user_ids.tolist() == [b"a", b"b"]


@pytest.mark.parametrize(
    ("read", "content", "sentence"),
    [
        (read_pairs, b"1 2\n1 2 3\n", "line 2: expected a user and an item"),
        (read_pairs, b"1 2\n\n7\n", "line 3: expected a user and an item"),
        (read_lines, b"1 2 3\n4\n", "line 2: expected a user and items"),
        (read_lines, b"\n\n", "holds no interactions"),
        (read_pairs, b"1 " + b"9" * 201, "longer than 200 characters"),
    ],
)
def test_pairs_and_lines_that_are_none(
    tmp_path: Path, read: Callable[[Path], Ratings], content: bytes, sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence):
        read(write(tmp_path / "x.txt", content))


# Tables

TABLE = b"stars,when,who,what\n5,30,ann,7\n1.5,10,bob,8\n3,20,ann,9\n"


@pytest.mark.parametrize("kind", ["csv", "gzip", "tsv", "parquet", "inter", "bom"])
def test_tables(tmp_path: Path, kind: str) -> None:
    path, columns = tmp_path / "table", NAMED
    content = TABLE
    if kind == "parquet":
        pd.read_csv(write(tmp_path / "t.csv", TABLE)).to_parquet(path)
    elif kind == "inter":
        header = b"rating:float\ttimestamp:float\tuser_id:token\titem_id:token\n"
        path.write_bytes(header + TABLE.replace(b",", b"\t").split(b"\n", 1)[1])
    else:
        if kind == "tsv":
            content = content.replace(b",", b"\t")
            columns = NAMED.model_copy(update={"separator": "\t"})
        content = {"gzip": gzip.compress, "bom": BOM.__add__}.get(kind, bytes)(content)
        path.write_bytes(content)
    found = read_table(path, None if kind == "inter" else columns, with_ratings=True)
    assert rows(found) == [("ann", "7", 30), ("bob", "8", 10), ("ann", "9", 20)]
    assert found.ratings is not None
    assert found.ratings.tolist() == [5.0, 1.5, 3.0]


@pytest.mark.parametrize(
    ("times", "order"),
    [
        (["30", "10", "20"], [30, 10, 20]),
        (["3e1", "1e1", "2e1"], [30, 10, 20]),
        (["0.3", "0.1", "0.2"], [300_000, 100_000, 200_000]),
        (["1970-01-03", "1970-01-01", "1970-01-02"], [172_800, 0, 86_400]),
        (["1970-01-01T00:00:02Z", "1970-01-01 00:00:00", "1970-01-01T01:00:01+01:00"], [2, 0, 1]),
        (["-5", "-20", "0"], [-5, -20, 0]),
    ],
)
def test_times_in_any_form(tmp_path: Path, times: list[str], order: list[int]) -> None:
    body = "".join(f"u,i,{time}\n" for time in times)
    path = write(tmp_path / "t.csv", f"who,what,when\n{body}".encode())
    found = read_table(path, Columns(user="who", item="what", time="when"))
    assert found.times is not None
    assert found.times.tolist() == order


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"who,what,wen\n1,2,3\n", "has no column 'when': did you mean 'wen'"),
        (b"who,what,when\n1,2,soon\n1,2,3\n", r"line 2: the time 'soon' is no number .*1 of 2"),
        (b"who,what,when\n1,2,3\n1,,3\n", r"line 3: the item is empty \(column 'what', in 1 of 2"),
        (b"who,what,when\n1,2,3\n1,2,3,4,5\n", "line 3: 5 cells, where there are 3 columns"),
        (b"who,what,when\n1,2,3,4,5\n1,2,3,4,5\n", "line 2: 5 cells, where there are 3 columns"),
        (b"who,what,when\n1,2,\n", "line 2: the time is empty"),
        (b"who,what,when\n", "holds no rows"),
        (b"", "holds no rows"),
        (b'who,what,when\n1,2,"3\n', "isn't a table with this separator .*--separator, --encoding"),
        (b"who,what,when\n1,2,3\n1,2\x00,3\n", "line 3: a NUL, which text never has"),
        (b"PAR1 and no more", "can't be read as Parquet"),
        (b"who,what,when\n1,2,1e300\n", "line 2: the time '1e\\+?300' is no number"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        read_table(write(tmp_path / "t.csv", content), NAMED)


def test_an_inter_file_needs_its_fields(tmp_path: Path) -> None:
    path = write(tmp_path / "x.inter", b"user:token\titem_id:token\n1\t2\n")
    with pytest.raises(DataError, match="names no column user_id:token"):
        read_table(path, None)


def test_latin_1_ids_are_kept_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", b"who,what\ncaf\xe9,1\ncaf\xe8,1\n")
    found = read_table(path, Columns(user="who", item="what"))
    assert found.user_ids is not None
    assert found.user_ids.tolist() == [b"caf\xe8", b"caf\xe9"]


@settings(deadline=None, max_examples=40)
@given(
    pairs=st.lists(
        st.tuples(st.integers(0, 40), st.text("abcé-0", min_size=1, max_size=4)),
        min_size=1,
        max_size=30,
    )
)
def test_layouts_agree(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[int, str]]
) -> None:
    """The same data in three layouts gets the same numbers."""
    folder = tmp_path_factory.mktemp("layouts")
    text = "".join(f"{user} {item}\n" for user, item in pairs).encode()
    table = b"u,i\n" + text.replace(b" ", b",")
    by_pairs = read_pairs(write(folder / "pairs", text))
    by_lines = read_lines(write(folder / "lines", text))
    by_table = read_table(write(folder / "t.csv", table), Columns(user="u", item="i"))
    for other in (by_lines, by_table):
        assert rows(other) == rows(by_pairs)
        assert np.array_equal(other.items, by_pairs.items)
        assert np.array_equal(other.users, by_pairs.users)
