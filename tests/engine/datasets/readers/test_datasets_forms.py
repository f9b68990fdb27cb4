"""The same small table in every form gives the same interactions, or the same sentence."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from engine.datasets.ordering import order_by_time
from engine.datasets.readers.table import read_table
from engine.datasets.readers.textlines import Form
from engine.errors import DataError
from engine.spec import Columns

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def zipped(data: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/table", data)
        archive.writestr("__MACOSX/._table", b"attributes")
    return held.getvalue()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1", "cp1252")
TOLD_BY_THEIR_MARK = ("utf-8-sig", "utf-16", "utf-32")
NAMES = ["who", "when, or so", 'what "it" was', "note"]


@dataclass(frozen=True)
class Table:
    """Rows of user, time, item and a note that isn't read; a time may be missing or none at all."""

    rows: list[tuple[str, str, str, str]]

    def column(self, place: int) -> list[str | None]:
        return [row[place] or None for row in self.rows]


@dataclass(frozen=True)
class Text:
    """How a table is written as text."""

    header: bool
    separator: str
    newline: str
    quoted: bool
    encoding: str
    joined: bool
    """Whether the header stands in the middle once more."""


def cell(value: str, text: Text) -> str:
    special = (*'"\r\n ', text.separator, text.separator[0])
    if not text.quoted and not any(mark in value for mark in special):
        return value
    doubled = value.replace('"', '""')
    return f'"{doubled}"' if value or text.quoted else ""


def as_text(table: Table, text: Text) -> bytes:
    header = [tuple(NAMES)] if text.header else []
    middle = len(table.rows) // 2
    again = header if text.joined else []
    rows = [*header, *table.rows[:middle], *again, *table.rows[middle:]]
    lines = [text.separator.join(cell(value, text) for value in row) for row in rows]
    return "".join(line + text.newline for line in lines).encode(text.encoding)


def told(call: Callable[[], Any]) -> Any:
    """The histories by the ids of their users, with times; or the sentence, but for the file's name
    and where the record stands."""
    try:
        ordered = order_by_time(call())
    except DataError as error:
        sentence = re.sub(r"^\S+, (line|row|record) [\d,]+", "HERE", str(error))
        return re.sub(r"(?:column|key) .*?, in ", "COLUMN, in ", sentence)
    own = ordered.interactions
    items = [ordered.item_ids[item - 1] for item in own.items.tolist()]
    times = None if own.times is None else own.times.tolist()
    return own.checksum, ordered.user_ids.tolist(), items, times


IDS = st.one_of(
    st.integers(0, 40).map(str),
    st.text("ab,é;|:\t\"'\n 0", min_size=1, max_size=4).filter(lambda text: text.strip() == text),
    st.sampled_from(["007", "1.0", "-3.0", "-3", "10", "who"]),
)
PLAIN_IDS = [
    st.integers(0, 40).map(str),
    st.integers(0, 12).map("{}.0".format),
    st.integers(2**62, 2**63 - 1).map(str),
]
WHOLE = st.integers(0, 2**40).map(str)
BROKEN = st.floats(0, 2**31).map(lambda value: f"{value:.3f}")
DATES = st.datetimes().map(lambda moment: moment.replace(year=2021).isoformat(" ", "seconds"))
FAULTS = st.sampled_from(["", "soon", "2021-02-30 10:00:00", "inf", "1e+300"])


@st.composite
def tables(draw: st.DrawFn) -> Table:
    ids = draw(st.sampled_from([IDS, *PLAIN_IDS]))
    times = draw(st.sampled_from([WHOLE, BROKEN, DATES]))
    if draw(st.booleans()):
        times |= FAULTS
    row = st.tuples(ids, times, ids, st.text("x,\n", max_size=3))
    return Table(draw(st.lists(row, min_size=1, max_size=12)))


TEXTS = st.builds(
    Text,
    header=st.booleans(),
    separator=st.sampled_from([",", ";", "\t", "|", "::"]),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    quoted=st.booleans(),
    encoding=st.sampled_from(ENCODINGS),
    joined=st.booleans(),
)


def columns_of(text: Text | None) -> Columns:
    user, time, item = ("1", "2", "3") if text and not text.header else NAMES[:3]
    return Columns(
        user=user,
        item=item,
        time=time,
        separator=text.separator if text else ",",
        header=text.header if text else True,
    )


def as_plain_csv(folder: Path, table: Table) -> Any:
    """What a table is read as that is written as CSV with a header and quotes."""
    plain = Text(True, ",", "\n", True, "utf-8", False)
    (folder / "plain").write_bytes(as_text(table, plain))
    return told(lambda: read_table(folder / "plain", columns_of(plain)))


@settings(deadline=None, max_examples=examples(100))
@given(table=tables(), text=TEXTS, packing=st.sampled_from(sorted(PACKINGS)), said=st.booleans())
def test_any_form_of_text_is_the_same_table(
    tmp_path_factory: pytest.TempPathFactory, table: Table, text: Text, packing: str, said: bool
) -> None:
    folder = tmp_path_factory.mktemp("forms")
    expected = as_plain_csv(folder, table)
    (folder / "other").write_bytes(PACKINGS[packing](as_text(table, text)))
    encoding = None if text.encoding in ("utf-8", *TOLD_BY_THEIR_MARK) else text.encoding
    form = Form(encoding or (text.encoding if said else None), packing if said else None)  # type: ignore[arg-type]
    assert told(lambda: read_table(folder / "other", columns_of(text), form=form)) == expected


def of_type(values: list[str | None], kind: pa.DataType) -> pa.Array | None:
    """A column of texts as this type, if all of them can be such."""
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    given: list[Any] = values
    try:
        if pa.types.is_integer(inner):
            given = [None if each is None else int(each) for each in values]
            if any(
                each is not None and str(number) != each
                for each, number in zip(values, given, strict=True)
            ):
                return None
        elif pa.types.is_floating(inner):
            given = [None if each is None else float(each) for each in values]
            if any(each is not None and abs(each) >= 2**53 for each in given):
                return None
        elif pa.types.is_decimal(inner):
            given = [None if each is None else Decimal(each) for each in values]
        elif pa.types.is_timestamp(inner) or pa.types.is_date(inner):
            given = [None if each is None else datetime.fromisoformat(each) for each in values]
            if inner.tz if pa.types.is_timestamp(inner) else False:
                given = [each and each.replace(tzinfo=UTC) for each in given]
        elif pa.types.is_binary(inner) or pa.types.is_large_binary(inner):
            given = [None if each is None else each.encode() for each in values]
        array = pa.array(given, inner)
    except (ValueError, OverflowError, ArithmeticError, pa.ArrowException):
        return None
    return array.dictionary_encode() if inner != kind else array


ID_TYPES = [
    pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(),
    pa.uint64(), pa.string(), pa.large_string(), pa.string_view(), pa.binary(),
    pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.int8(), pa.int64()), pa.float64(),
]  # fmt: skip
TIME_TYPES = [
    pa.int64(), pa.uint64(), pa.float64(), pa.decimal128(38, 3), pa.string(),
    pa.dictionary(pa.int32(), pa.string()),
    *(
        pa.timestamp(unit, zone)
        for unit in ("s", "ms", "us", "ns")
        for zone in (None, "UTC", "Asia/Kolkata")
    ),
]  # fmt: skip


@settings(deadline=None, max_examples=examples(150))
@given(
    table=tables(),
    user=st.sampled_from(ID_TYPES),
    item=st.sampled_from(ID_TYPES),
    time=st.sampled_from(TIME_TYPES),
    packing=st.sampled_from(sorted(PACKINGS)),
)
def test_parquet_of_any_types_is_the_same_table(
    tmp_path_factory: pytest.TempPathFactory,
    table: Table,
    user: pa.DataType,
    item: pa.DataType,
    time: pa.DataType,
    packing: str,
) -> None:
    folder = tmp_path_factory.mktemp("forms")
    columns = [of_type(table.column(place), kind) for place, kind in enumerate((user, time, item))]
    columns = [
        pa.array(table.column(place)) if column is None else column
        for place, column in enumerate(columns)
    ]
    held = io.BytesIO()
    parquet.write_table(pa.table(dict(zip(NAMES, columns, strict=False))), held)
    (folder / "other").write_bytes(PACKINGS[packing](held.getvalue()))
    expected = as_plain_csv(folder, table)
    assert told(lambda: read_table(folder / "other", columns_of(None))) == expected


@settings(deadline=None, max_examples=examples(80))
@given(table=tables(), packing=st.sampled_from(sorted(PACKINGS)), absent=st.booleans())
def test_json_lines_are_the_same_table(
    tmp_path_factory: pytest.TempPathFactory, table: Table, packing: str, absent: bool
) -> None:
    def value(text: str) -> Any:
        if re.fullmatch(r"0|[1-9][0-9]*", text):
            return int(text)
        return float(text) if re.fullmatch(r"[1-9][0-9]*\.[0-9]*[1-9]", text) else text or None

    folder = tmp_path_factory.mktemp("forms")
    records = [dict(zip(NAMES, map(value, row), strict=True)) for row in table.rows]
    if absent:
        records = [{key: each for key, each in row.items() if each is not None} for row in records]
    text = "".join(json.dumps(record) + "\n" for record in records)
    (folder / "other").write_bytes(PACKINGS[packing](text.encode()))
    expected = as_plain_csv(folder, table)
    found = told(lambda: read_table(folder / "other", columns_of(None), reader="json-lines"))
    assert found == expected
