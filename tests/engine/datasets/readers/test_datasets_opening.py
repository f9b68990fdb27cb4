"""How files are packed, encoded and divided into lines: what is read, and what is said."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from engine.datasets.readers.lines import read_pairs
from engine.datasets.readers.ratings import COLONS, CSV, read_ratings
from engine.datasets.readers.steam import read_reviews
from engine.datasets.readers.table import read_table
from engine.datasets.readers.textlines import Form, open_text
from engine.datasets.readers.unpacking import without_suffix
from engine.errors import DataError
from engine.spec import Columns

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TABLE = b"user,item,time\nann,1,30\nbob,2,10\nann,2,20\n"
NAMED = Columns(user="user", item="item", time="time")
PACKINGS = {
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def zip_of(*members: tuple[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return held.getvalue()


@pytest.mark.parametrize("packing", PACKINGS)
def test_every_reader_unpacks(tmp_path: Path, packing: str) -> None:
    pack = PACKINGS[packing]

    def put(content: bytes) -> Path:
        return write(tmp_path / "file", pack(content))

    assert len(read_table(put(TABLE), NAMED)) == 3
    assert len(read_pairs(put(b"1 2\n1 3\n"))) == 2
    assert len(read_ratings(put(b"1::2::3::4\n"), COLONS)) == 1
    assert (
        len(read_reviews(put(b"{'username': 'a', 'product_id': '7', 'date': '2017-01-01'}"))) == 1
    )


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("cut", [3, 12, -6])
def test_a_file_that_was_cut_in_its_packing_is_damaged(
    tmp_path: Path, packing: str, cut: int
) -> None:
    body = b"".join(b"%d,%d,%d\n" % (n, n * n, n * 7919) for n in range(5_000))
    whole = PACKINGS[packing](b"user,item,time\n" + body)
    path = write(tmp_path / "file", whole[:cut])
    if cut != 3:  # else nothing tells that it is packed
        with pytest.raises(DataError, match="is damaged"):
            read_table(path, NAMED)
    with pytest.raises(DataError, match=rf"is damaged .*--packing, if not with {packing}"):
        read_table(path, NAMED, form=Form(packing=packing))  # type: ignore[arg-type]


def test_what_is_said_of_the_packing_holds(tmp_path: Path) -> None:
    path = write(tmp_path / "file", TABLE)
    with pytest.raises(DataError, match=r"is damaged .*if not with xz"):
        read_table(path, NAMED, form=Form(packing="xz"))
    path = write(tmp_path / "pairs", b"BZh9x 1\nBZh9x 2\n")  # a user, not bzip2
    assert len(read_pairs(path)) == 2


def test_a_zip_of_several_files_and_a_tar_are_refused(tmp_path: Path) -> None:
    both = zip_of(("a.csv", TABLE), ("b.csv", TABLE))
    with pytest.raises(DataError, match="is a zip of 2 files: unpack it"):
        read_table(write(tmp_path / "a.zip", both), NAMED)
    sheet = zip_of(("[Content_Types].xml", b""), ("xl/workbook.xml", b""))
    with pytest.raises(DataError, match="is a spreadsheet: export the sheet as CSV"):
        read_table(write(tmp_path / "a.xlsx", sheet), NAMED)
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        tar.add(write(tmp_path / "ratings.csv", TABLE), "ratings.csv")
    with pytest.raises(DataError, match="is a tar archive: unpack it"):
        read_table(write(tmp_path / "a.csv.gz", held.getvalue()), NAMED)


def test_the_end_of_a_name_that_tells_the_packing() -> None:
    assert without_suffix("ratings.csv.ZST") == "ratings.csv"
    assert without_suffix("ratings.csv") == "ratings.csv"


# Encodings


def test_an_encoding_that_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "user,item\ncafé,1\nthé,1\n".encode("latin-1"))
    as_said = read_table(path, Columns(user="user", item="item"), form=Form("latin-1"))
    assert as_said.user_ids is not None
    assert [each.decode() for each in as_said.user_ids] == ["café", "thé"]
    with pytest.raises(DataError, match=r"isn't utf-8 text \(.*give another --encoding"):
        read_table(path, Columns(user="user", item="item"), form=Form("utf-8"))
    with pytest.raises(DataError, match=r"isn't utf-16 text \("):
        read_pairs(write(tmp_path / "odd", "1 2\n".encode("utf-16")[:-1]), Form("utf-16"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            TABLE.decode().encode("utf-16-le"),
            "isn't UTF-8 text: give its --encoding, such as utf-16",
        ),
        (
            bytes(range(256)) * 3,
            "isn't UTF-8 text: decompress it if it is compressed, or give its --format",
        ),
    ],
)
def test_what_can_be_no_text_is_said(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        read_table(write(tmp_path / "t.csv", content), NAMED)


# Ends of lines


@pytest.mark.parametrize("block", [1, 2, 3, 7, 2**20])
def test_lines_end_alike_wherever_a_block_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr("engine.datasets.readers.textlines.BLOCK_BYTES", block)
    path = write(tmp_path / "text", b"a\r\nb\rc\n\r\n\rd\r")
    with open_text(path) as file:
        assert file.read() == b"a\nb\nc\n\n\nd\n"


def test_old_mac_lines_in_every_reader(tmp_path: Path) -> None:
    def put(content: bytes) -> Path:
        return write(tmp_path / "file", content.replace(b"\n", b"\r"))

    assert read_table(put(TABLE), NAMED).times.tolist() == [30, 10, 20]  # type: ignore[union-attr]
    assert len(read_pairs(put(b"1 2\n1 3\n"))) == 2
    found = read_ratings(put(CSV.header + b"\n1,2,3.5,4\n5,6,1.0,8\n"), CSV)
    assert found.users.tolist() == [1, 5]
    with pytest.raises(DataError, match="line 3: expected user, item, rating and time"):
        read_ratings(put(CSV.header + b"\n1,2,3.5,4\n5,6,1.0,x\n"), CSV)


# A header that stands again, where files were joined


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("block_bytes", [20, 2**20])
def test_rating_files_that_were_joined(tmp_path: Path, mark: bytes, block_bytes: int) -> None:
    part = mark + CSV.header + b"\n1,2,3.5,4\n5,6,1.0,8\n"
    path = write(tmp_path / "ratings.csv", part * 2)
    found = read_ratings(path, CSV, block_bytes=block_bytes)
    assert found.users.tolist() == [1, 5, 1, 5]
    wrong = write(tmp_path / "ratings.csv", part * 2 + b"1,2,3\n")
    with pytest.raises(DataError, match="line 7: expected user"):
        read_ratings(wrong, CSV, block_bytes=block_bytes)


def test_lines_that_name_columns_are_no_data(tmp_path: Path) -> None:
    pairs = write(tmp_path / "pairs", b"UserId ItemId\n1 2\nUserId ItemId\n1 3\nuser 4\n")
    found = read_pairs(pairs)
    assert len(found) == 3
    assert found.user_ids is not None
    assert found.user_ids.tolist() == [b"1", b"user"]  # one with an item that is no name
