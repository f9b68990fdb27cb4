"""Any rating file, prepared copy or archive is read, or refused in a sentence."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import shutil
import sys
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from fuzzing import attempted, fuzz, short_and_long, spoilt, torn
from hypothesis import strategies as st
from pyarrow import parquet

from engine.datasets.filters import FilterStep
from engine.datasets.interactions import make_interactions
from engine.datasets.ordering import Ordered, order_by_time
from engine.datasets.prepared import Prepared, is_sound, load_prepared, save_prepared
from engine.datasets.readers.ratings import COLONS, TAB, RatingFile, read_ratings
from engine.datasets.readers.table import read_table
from engine.datasets.unpack import unpack
from engine.errors import DataError
from engine.spec import Columns

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def ratings(separator: bytes) -> bytes:
    lines = (separator.join(b"%d" % n for n in (i % 5, i, 3, i * i)) for i in range(30))
    return b"\n".join(lines) + b"\n"


@short_and_long
def test_any_rating_file(tmp_path: Path, inputs: int) -> None:
    path = tmp_path / "u.data"
    large = b"9" * 18 + b"\t1\t5\t0\n1\t1\t1\t" + b"9" * 18
    files = {
        TAB: torn([ratings(b"\t"), large]) | st.binary(max_size=100),
        COLONS: torn([ratings(b"::")]) | st.binary(max_size=100),
    }
    read = 0

    def check(case: tuple[bytes, RatingFile, int]) -> None:
        nonlocal read
        data, layout, block = case
        path.write_bytes(data)
        found = attempted(
            lambda: order_by_time(read_ratings(path, layout, block_bytes=block)), DataError
        )
        if isinstance(found, Ordered):
            read += 1
            assert found.interactions.items.min() == 1
            assert found.interactions.items.max() == found.interactions.num_items

    blocks = st.sampled_from([1, 7, 64, 2**20])
    cases = [st.tuples(data, st.just(layout), blocks) for layout, data in files.items()]
    sound = [(ratings(layout.separator), layout, 64) for layout in files]
    fuzz(inputs, st.one_of(cases), check, sound)
    assert read >= len(sound)


def packed_zip(data: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("table", data)
    return held.getvalue()


@short_and_long
def test_any_table(tmp_path: Path, inputs: int) -> None:
    path = tmp_path / "table"
    users, items, times = [f"u{n % 4}" for n in range(30)], [*range(30)], [9 * n for n in range(30)]
    rows = [b"%s,%d,%d" % (u.encode(), i, t) for u, i, t in zip(users, items, times, strict=True)]
    table = b"\n".join([b"user,item,time", *rows])
    lines = [b'{"user": "%s", "item": %s, "time": %s}\n' % tuple(row.split(b",")) for row in rows]
    held = io.BytesIO()
    columns = {"user": users, "item": items, "time": times}
    parquet.write_table(pa.table(columns), held)
    lists = io.BytesIO()
    parquet.write_table(
        pa.table({key: [each] for key, each in columns.items()} | {"user": ["u"]}), lists
    )
    files = {
        "table": [
            *(pack(table) for pack in (bytes, gzip.compress, bz2.compress, lzma.compress)),
            *(packed_zip(table), zstd.compress(table), table.decode().encode("utf-16")),
            *(held.getvalue(), lists.getvalue(), gzip.compress(held.getvalue())),
        ],
        "json-lines": [b"".join(lines)],
    }
    named = Columns(user="user", item="item", time="time")
    read = 0

    def check(case: tuple[str, bytes]) -> None:
        nonlocal read
        reader, data = case
        path.write_bytes(data)
        found = attempted(lambda: order_by_time(read_table(path, named, reader=reader)), DataError)
        if isinstance(found, Ordered):
            read += 1
            assert found.interactions.times is not None
            assert found.interactions.items.min() == 1

    cases = [
        st.tuples(st.just(reader), torn(wholes) | st.binary(max_size=100))
        for reader, wholes in files.items()
    ]
    records = [{"user": "u", "item": 7, "time": 9}, {"user": 1, "item": ["x", 2], "time": [3, 4.5]}]
    cases.append(
        st.tuples(
            st.just("json-lines"),
            st.lists(spoilt(records).map(json.dumps), min_size=1).map("\n".join).map(str.encode),
        )
    )
    sound = [(reader, whole) for reader, wholes in files.items() for whole in wholes]
    fuzz(inputs, st.one_of(cases), check, sound)
    assert read >= len(sound)


@short_and_long
def test_any_prepared_copy(cache: Path, inputs: int) -> None:
    items, offsets = np.arange(1, 9, dtype=np.int32), np.array([0, 3, 8])
    ids = np.arange(8)
    own = make_interactions(items, offsets, 8)
    save_prepared("tiny", "0" * 64, Prepared(own, ids[:2], ids, (FilterStep("source", 2, 8, 8),)))
    (path,) = (cache / "prepared").glob("tiny-*")
    whole = path.read_bytes()
    huge = whole.replace(b'"<i4", 8,', b'"<i4", 8' + b"0" * 9 + b",")
    assert huge != whole
    read = 0

    def check(data: bytes) -> None:
        nonlocal read
        path.write_bytes(data)
        found = load_prepared("tiny", "0" * 64)
        if found is None or not is_sound(found):
            return  # made anew
        again = make_interactions(
            found.interactions.items, found.interactions.offsets, found.interactions.num_items
        )
        assert again.checksum == found.interactions.checksum
        read += 1

    fuzz(inputs, torn([whole, huge]) | st.binary(max_size=100), check, [whole])
    assert read


@short_and_long
def test_any_archive(tmp_path: Path, inputs: int) -> None:
    wholes = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as zipped:
            zipped.writestr("tiny/README", "Cite us.")
            zipped.writestr("tiny/u.data", ratings(b"\t") * 3)
        wholes.append(buffer.getvalue())
    archive, into = tmp_path / "tiny.zip", tmp_path / "into"
    unpacked = 0

    def check(data: bytes) -> None:
        nonlocal unpacked
        archive.write_bytes(data)
        into.mkdir(exist_ok=True)
        call = partial(unpack, archive, into, "tiny", ("u.data",), len(data))
        if attempted(call, DataError) is None:
            unpacked += 1
            assert (into / "u.data").is_file()
        shutil.rmtree(into)
        assert {path.name for path in tmp_path.iterdir()} <= {"tiny.zip", "cache"}

    fuzz(inputs, torn(wholes), check, wholes)
    assert unpacked >= len(wholes)
