from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.datasets.readers.ratings import COLONS, CSV, TAB, RatingFile, read_ratings
from engine.errors import DataError

IDS = st.integers(0, 10**18 - 1)
LINES = st.lists(
    st.tuples(IDS, IDS, st.sampled_from(["1", "5", "0.5", "4.5"]), IDS), min_size=1, max_size=30
)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@given(
    lines=LINES,
    layout=st.sampled_from([TAB, COLONS, CSV]),
    newline=st.sampled_from([b"\n", b"\r\n"]),
    bom=st.booleans(),
    last_newline=st.booleans(),
    block_bytes=st.sampled_from([1, 7, 64, 2**20]),
)
def test_reads_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[tuple[int, int, str, int]],
    layout: RatingFile,
    newline: bytes,
    bom: bool,
    last_newline: bool,
    block_bytes: int,
) -> None:
    rows = [layout.separator.join(str(f).encode() for f in line) for line in lines]
    content = newline.join([layout.header] * bool(layout.header) + rows)
    content = b"\xef\xbb\xbf" * bom + content + newline * last_newline
    path = write(tmp_path_factory.mktemp("ratings") / "u.data", content)

    ratings = read_ratings(path, layout, with_ratings=True, block_bytes=block_bytes)

    assert ratings.users.tolist() == [line[0] for line in lines]
    assert ratings.items.tolist() == [line[1] for line in lines]
    assert ratings.times is not None
    assert ratings.times.tolist() == [line[3] for line in lines]
    assert ratings.ratings is not None
    assert ratings.ratings.tolist() == [float(line[2]) for line in lines]
    assert read_ratings(path, layout).ratings is None


@pytest.mark.parametrize(
    "bad",
    [
        b"1::2::3",
        b"1::2::3::4::5",
        b"1:2::3::4",
        b"1:::2::3:4",
        b"1::2::3::",
        b"::2::3::4",
        b"1::x::3::4",
        b"1::2::good::4",
        b"1::2::::4",
        b"1::2::3::-4",
        b"1::2::3::4.5",
        b"1::2::3:: 4",
        b"1\t2\t3\t4",
        b"\xff\x00",
        b"1::" + b"9" * 19 + b"::3::4",
    ],
)
@pytest.mark.parametrize("block_bytes", [16, 2**20])
def test_names_the_malformed_line(tmp_path: Path, bad: bytes, block_bytes: int) -> None:
    path = write(
        tmp_path / "ratings.dat", b"1::2::3::4\n\n5::6::4.5::8\n" + bad + b"\n1::2::3::4\n"
    )
    with pytest.raises(DataError, match=r"ratings\.dat, line 4: expected user, item, .* by '::'"):
        read_ratings(path, COLONS, block_bytes=block_bytes)


def test_too_few_marks_in_one_line_and_too_many_in_the_next(tmp_path: Path) -> None:
    path = write(tmp_path / "u.data", b"1\t2\t3\n1\t2\t3\t4\t5\n")
    with pytest.raises(DataError, match=r"line 1: .*separated by tabs"):
        read_ratings(path, TAB)


@pytest.mark.parametrize("content", [b"", b"\n\r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match="holds no ratings"):
        read_ratings(write(tmp_path / "u.data", content), TAB)


def test_a_file_without_lines_is_not_read_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "u.data", b"1" * 500_000)
    with pytest.raises(DataError, match="line 1"):
        read_ratings(path, TAB, block_bytes=1024)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="can't be read: No such file"):
        read_ratings(tmp_path / "u.data", TAB)
