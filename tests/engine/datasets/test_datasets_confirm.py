"""Whether a copy is what its entry says, and that it costs nothing the second time."""

from __future__ import annotations

import gzip
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.datasets import digests
from engine.datasets.confirm import confirm
from engine.datasets.digests import file_digests
from engine.datasets.load import load_interactions, verify
from engine.datasets.locate import record_unpacked
from engine.datasets.splitting.splits import data_checksum
from engine.errors import DataError
from engine.spec import Dataset

MakeDataset = Callable[..., Dataset]
ROWS = [(4, 70, 20), (9, 8, 10), (4, 8, 10), (9, 70, 30), (4, 99, 30)]
ARCHIVE = {"url": "https://example.org/tiny.zip", "bytes": 9, "md5": "a" * 32}


def written(rows: list[tuple[int, int, int]], end: str = "\n") -> bytes:
    return "".join(f"{user}\t{item}\t3\t{at}{end}" for user, item, at in rows).encode()


FIVE = written(ROWS)
MD5 = hashlib.md5(FIVE).hexdigest()


@pytest.fixture
def file(cache: Path) -> Path:
    folder = cache / "tiny-folder"
    folder.mkdir(parents=True)
    (folder / "u.data").write_bytes(FIVE)
    return folder / "u.data"


def confirmed(dataset: Dataset) -> bool | None:
    found = confirm(dataset)
    assert found is not None
    return found.confirmed


def test_a_copy_is_compared_with_what_is_published(file: Path, make_dataset: MakeDataset) -> None:
    published = make_dataset(files={"u.data": MD5}, archive=ARCHIVE)
    assert confirmed(published) is True
    assert load_interactions(published)
    file.write_bytes(written([*ROWS[:4], (4, 99, 5)]))
    found = confirm(published)
    assert found is not None
    assert (found.confirmed, found.usable) == (False, True)
    assert found.sentence.startswith(f"{file} is not the published file (its md5 is ")
    assert f"not {MD5}" in found.sentence
    assert found.sentence.endswith("remove it and run `seqbench data fetch tiny`.")
    assert confirm(make_dataset(reader="synthetic", synthetic={}, folder=None, files={})) is None
    assert confirm(make_dataset(folder="elsewhere")) is None


def test_without_a_published_md5_of_the_file_nothing_is_confirmed(
    file: Path, make_dataset: MakeDataset
) -> None:
    found = confirm(make_dataset(archive=ARCHIVE))
    assert found is not None
    assert found.confirmed is None
    assert found.sentence == "no md5 of u.data is known, so this copy isn't confirmed."


def test_what_was_unpacked_from_the_published_archive_is_known(
    file: Path, make_dataset: MakeDataset
) -> None:
    fetched = make_dataset(archive=ARCHIVE)
    record_unpacked(fetched, file.parent)
    assert confirmed(fetched) is True
    assert verify(fetched) == []
    assert confirmed(make_dataset(archive=ARCHIVE | {"md5": "b" * 32})) is None
    file.write_bytes(written(ROWS[::-1]))
    assert confirmed(fetched) is False
    assert "is not the published file" in verify(fetched)[0]


def test_ones_own_file_that_holds_something_else_is_refused(
    file: Path, make_dataset: MakeDataset
) -> None:
    checksum = data_checksum(load_interactions(make_dataset()), make_dataset())
    own = make_dataset(files={"u.data": MD5}, interactions_sha256=checksum)
    assert confirmed(own) is True
    file.write_bytes(written(ROWS, "\r\n"))
    assert confirmed(own) is True, "the same, written otherwise"
    file.write_bytes(written([*ROWS[:4], (4, 99, 5)]))
    found = confirm(own)
    assert found is not None
    assert (found.confirmed, found.usable) == (False, False)
    assert f"{file} has changed since tiny was imported" in found.sentence
    assert "put the old file back" in found.sentence
    earlier = confirm(own.model_copy(update={"interactions_sha256": None}))
    assert earlier is not None
    assert (earlier.confirmed, earlier.usable) == (False, True)
    file.write_bytes(b"nothing of the kind\n")
    assert confirmed(own) is False


def test_times_are_data_where_the_split_goes_by_them(file: Path, make_dataset: MakeDataset) -> None:
    rule = {"kind": "temporal", "valid_from": 15, "test_from": 25}
    whole, parted = make_dataset(), make_dataset(split=rule)
    before = [data_checksum(load_interactions(each), each) for each in (whole, parted)]
    assert before[0] != before[1]
    file.write_bytes(written([*ROWS[:4], (4, 99, 31)]))
    assert [data_checksum(load_interactions(each), each) for each in (whole, parted)] == before
    file.write_bytes(written([*ROWS[:3], (9, 70, 20), ROWS[4]]))
    after = [data_checksum(load_interactions(each), each) for each in (whole, parted)]
    assert after[0] == before[0], "the order is the same"
    assert after[1] != before[1], "what is held out isn't"


def test_a_file_that_has_not_changed_is_read_once(
    file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "SETTLE_SECONDS", -1.0)
    first = file_digests(file)
    assert first == digests.Digests(hashlib.sha256(FIVE).hexdigest(), MD5)
    monkeypatch.setattr(digests, "_digests_of", None)
    assert file_digests(file) == first
    monkeypatch.undo()
    file.write_bytes(FIVE.replace(b"70", b"71"))
    assert file_digests(file) != first


def test_a_file_that_is_just_being_written_is_read_again(file: Path, cache: Path) -> None:
    """Two writes within one step of the clock leave size, inode and times as they are."""
    file_digests(file)
    assert not list((cache / "prepared").glob("source-*"))


def test_size_inode_and_time_of_the_content_can_be_the_same_and_the_content_another(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "SETTLE_SECONDS", -1.0)
    before, first = file.stat(), file_digests(file)
    wait_for_another_moment(file)
    file.write_bytes(FIVE.replace(b"70", b"71"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = file.stat()
    assert (after.st_size, after.st_ino, after.st_mtime_ns) == (
        before.st_size,
        before.st_ino,
        before.st_mtime_ns,
    )
    assert file_digests(file) != first


def wait_for_another_moment(beside: Path) -> None:
    """Until the file system's clock has moved on."""
    probe, deadline = beside.with_name("probe"), time.monotonic() + 60
    probe.touch()
    began = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns == began:
        assert time.monotonic() < deadline
        probe.unlink()
        probe.touch()


def test_a_file_that_changes_while_it_is_read_is_no_data(
    file: Path, cache: Path, make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.datasets import load

    read = load.read_source

    def changing(dataset: Dataset, path: Path) -> object:
        found = read(dataset, path)
        path.write_bytes(written(ROWS[::-1]))
        return found

    monkeypatch.setattr(load, "read_source", changing)
    with pytest.raises(DataError, match="changed while it was read: try again"):
        load_interactions(make_dataset())
    assert not list((cache / "prepared").glob("tiny-*.seqbench"))


def test_packed_again_it_is_the_same(file: Path, make_dataset: MakeDataset) -> None:
    text = b"".join(b"%d %d\n" % (user, item) for user, item, _ in ROWS)
    packed = file.with_name("pairs.gz")
    packed.write_bytes(gzip.compress(text, mtime=1))
    named = make_dataset(reader="pairs", files={packed.name: None})
    checksum = data_checksum(load_interactions(named), named)
    md5 = hashlib.md5(packed.read_bytes()).hexdigest()
    changes = {"files": {packed.name: md5}, "interactions_sha256": checksum}
    own = named.model_copy(update=changes)
    packed.write_bytes(gzip.compress(text, 1, mtime=2))
    assert confirmed(own) is True
    packed.write_bytes(gzip.compress(text.replace(b"4 8", b"4 70", 1)))
    assert confirmed(own) is False


def test_which_file_of_a_given_split_has_it_is_data_too(
    file: Path, make_dataset: MakeDataset
) -> None:
    parts = ("train.data", "valid.data", "test.data")
    rows = [(user, 10 + at, at) for user in (4, 9) for at in range(6)]
    dataset = make_dataset(split={"kind": "given"}, files=dict.fromkeys(parts), items=6)

    def checksum(*bounds: int) -> str:
        for name, first, last in zip(parts, (0, *bounds), (*bounds, 6), strict=True):
            content = written([row for row in rows if first <= row[2] < last])
            file.with_name(name).write_bytes(content)
        return data_checksum(load_interactions(dataset), dataset)

    assert checksum(3, 4) != checksum(3, 5)
    assert checksum(3, 4) == checksum(3, 4)
