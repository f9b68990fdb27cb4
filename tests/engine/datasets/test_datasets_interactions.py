from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import load_catalogue
from engine.datasets.interactions import Interactions, make_interactions
from engine.datasets.load import load_interactions, open_data
from engine.datasets.ordering import order_by_time
from engine.datasets.readers.source import Ratings
from engine.errors import DataError
from engine.spec import Dataset

MakeDataset = Callable[..., Dataset]

FIVE = b"9\t70\t3\t20\n4\t8\t3\t50\n9\t5\t3\t10\n4\t70\t3\t50\n9\t8\t3\t20\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEQBENCH_DATA", str(tmp_path / "data"))
    folder = tmp_path / "data" / "tiny-folder"
    folder.mkdir(parents=True)
    return folder


def test_users_as_first_seen_items_by_id_ties_in_file_order(
    folder: Path, make_dataset: MakeDataset
) -> None:
    (folder / "u.data").write_bytes(FIVE)
    loaded = load_interactions(make_dataset())
    # User 9 comes first; items 5, 8, 70 are 1, 2, 3.
    assert loaded.items.tolist() == [1, 3, 2, 2, 3]
    assert loaded.offsets.tolist() == [0, 3, 5]
    assert (loaded.num_items, loaded.num_users) == (3, 2)
    assert (loaded.items.dtype, loaded.offsets.dtype) == (np.int32, np.int64)


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 9), st.integers(0, 4)), min_size=1, max_size=60
    ),
    spread=st.sampled_from([1, 10**15]),
)
def test_ordering_agrees_with_plain_sorting(rows: list[tuple[int, int, int]], spread: int) -> None:
    rows = [(user * spread, item * spread, at) for user, item, at in rows]
    users, items, times = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    ordered = order_by_time(Ratings(users, items, times))
    found = ordered.interactions

    number = {item: i + 1 for i, item in enumerate(sorted({row[1] for row in rows}))}
    histories: dict[int, list[tuple[int, int]]] = {}
    for user, item, at in rows:
        histories.setdefault(user, []).append((at, number[item]))
    expected = [
        [item for _, item in sorted(history, key=lambda pair: pair[0])]
        for history in histories.values()
    ]
    assert ordered.user_ids.tolist() == list(histories)
    assert ordered.item_ids.tolist() == sorted(number)
    assert found.times is not None
    assert sorted(found.times.tolist()) == sorted(times.tolist())
    assert [
        found.items[a:b].tolist()
        for a, b in zip(found.offsets[:-1], found.offsets[1:], strict=True)
    ] == expected


def test_checksum_covers_items_offsets_and_their_number() -> None:
    items, offsets = np.array([1, 2, 1], np.int32), np.array([0, 2, 3], np.int64)
    one = make_interactions(items, offsets, 2)
    assert (
        one.checksum
        == hashlib.sha256(
            items.astype("<i4").tobytes()
            + offsets.astype("<i8").tobytes()
            + (2).to_bytes(8, "little")
        ).hexdigest()
    )
    assert make_interactions(items, offsets, 3).checksum != one.checksum
    assert make_interactions(items, np.array([0, 1, 3]), 2).checksum != one.checksum
    assert make_interactions(items[::-1].copy(), offsets, 2).checksum == one.checksum
    assert make_interactions(np.array([2, 1, 1], np.int32), offsets, 2).checksum != one.checksum


@pytest.mark.parametrize(
    ("items", "offsets"),
    [([1, 2], [0, 1]), ([1, 2], [0, 2, 1, 2]), ([0, 1], [0, 2]), ([1, 9], [0, 2]), ([], [])],
)
def test_arrays_that_are_no_histories_are_refused(items: list[int], offsets: list[int]) -> None:
    with pytest.raises(ValueError, match="must"):
        make_interactions(np.array(items, np.int32), np.array(offsets, np.int64), 2)


def test_absent_data_says_how_to_get_it(make_dataset: MakeDataset) -> None:
    archive = {"url": "https://example.org/tiny.zip", "bytes": 9}
    with pytest.raises(DataError, match="run `seqbench data fetch tiny`"):
        load_interactions(make_dataset(archive=archive))
    with pytest.raises(DataError, match=r"put u\.data into"):
        load_interactions(make_dataset())


def test_other_counts_matter_only_where_a_checksum_is_published(
    folder: Path, make_dataset: MakeDataset
) -> None:
    (folder / "u.data").write_bytes(FIVE + b"4\t99\t3\t60\n")
    assert load_interactions(make_dataset()).num_items == 4
    with pytest.raises(DataError, match=r"4 items \(not 3\), 6 interactions \(not 5\)"):
        load_interactions(make_dataset(files={"u.data": "0" * 32}))


def test_prepared_copy_serves_and_follows_the_file(
    folder: Path, cache: Path, make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "u.data").write_bytes(FIVE)
    first = load_interactions(make_dataset())
    (copy,) = (cache / "prepared").glob("tiny-*.seqbench")

    with monkeypatch.context() as patch:
        patch.setattr("engine.datasets.load.read_source", None)
        again = load_interactions(make_dataset())
    assert again.checksum == first.checksum
    assert again.items.flags.writeable, "torch.from_numpy warns of arrays that aren't"

    (folder / "u.data").write_bytes(FIVE.replace(b"9\t70", b"9\t71"))
    assert load_interactions(make_dataset()).num_items == 4
    assert not copy.exists(), "it serves nobody any more"


def test_a_prepared_copy_goes_by_what_the_file_holds_and_by_settings(
    folder: Path, cache: Path, make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "u.data").write_bytes(FIVE)
    load_interactions(make_dataset())
    (folder / "u.data").unlink()
    (folder / "u.data").write_bytes(FIVE)
    os.utime(folder / "u.data", ns=(1, 1))
    with monkeypatch.context() as patch:
        patch.setattr("engine.datasets.load.read_source", None)
        load_interactions(make_dataset())
    cored = open_data(make_dataset(filter={"k_core": 2}))
    assert [step.interactions for step in cored.steps] == [5, 4]
    assert cored.item_ids.tolist() == [8, 70]
    assert cored.user_ids.tolist() == [9, 4]


def test_two_processes_prepare_one_set(
    folder: Path, cache: Path, make_dataset: MakeDataset
) -> None:
    lines = (f"{user}\t{item}\t3\t{item}\n" for user in range(300) for item in range(user % 40, 60))
    (folder / "u.data").write_text("".join(lines))
    dataset = make_dataset()
    program = (
        "import sys; from engine.spec import Dataset; from engine.datasets.load import *;"
        "print(load_interactions(Dataset.model_validate_json(sys.argv[1])).checksum)"
    )
    command = [sys.executable, "-c", program, dataset.model_dump_json()]
    others = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = {other.communicate()[0].strip() for other in others}
    assert answers == {load_interactions(dataset).checksum}
    assert len(list((cache / "prepared").glob("tiny-*"))) == 1


def test_what_a_killed_process_wrote_of_a_copy_goes_with_the_next_one(
    folder: Path, cache: Path, make_dataset: MakeDataset
) -> None:
    (folder / "u.data").write_bytes(FIVE)
    dataset, prepared = make_dataset(), cache / "prepared"
    program = (
        "import os, sys; from pathlib import Path; from engine.spec import Dataset;"
        "from engine.datasets.load import load_interactions;"
        "Path.replace = lambda *_: os.kill(os.getpid(), 9);"
        "load_interactions(Dataset.model_validate_json(sys.argv[1]))"
    )
    killed = subprocess.run([sys.executable, "-c", program, dataset.model_dump_json()], check=False)
    assert killed.returncode == -9
    assert [path.suffix for path in prepared.glob(".tiny*")] == [".tmp"]
    load_interactions(dataset)
    assert list(prepared.glob(".*")) == []
    assert len(list(prepared.glob("tiny-*.seqbench"))) == 1


@pytest.mark.parametrize("damage", ["truncated", "longer", "empty", "flipped", "text"])
def test_damaged_prepared_copy_is_made_anew(
    folder: Path, cache: Path, make_dataset: MakeDataset, damage: str
) -> None:
    (folder / "u.data").write_bytes(FIVE)
    first = load_interactions(make_dataset())
    (copy,) = (cache / "prepared").glob("tiny-*.seqbench")
    whole = copy.read_bytes()
    position = whole.index(first.items.tobytes())
    damaged = {
        "truncated": whole[: len(whole) // 2],
        "empty": b"",
        "flipped": whole[:position] + b"\x07" + whole[position + 1 :],
        "longer": whole + b"0",
        "text": b"not a copy\n",
    }
    copy.write_bytes(damaged[damage])

    assert load_interactions(make_dataset()).checksum == first.checksum
    assert copy.read_bytes() != damaged[damage]


def test_works_without_a_writable_cache(
    folder: Path, cache: Path, make_dataset: MakeDataset
) -> None:
    (folder / "u.data").write_bytes(FIVE)
    cache.write_text("a file where the folder should be")
    assert load_interactions(make_dataset()).num_users == 2


def test_movielens_100k(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = _load_real("ml-100k", real_data, monkeypatch)
    assert (loaded.num_users, loaded.num_items, len(loaded.items)) == (943, 1682, 100_000)
    # The published file's user 196 comes first; his first rating in time is of item 286.
    lines = [line.split("\t") for line in (real_data / "ml-100k/u.data").read_text().splitlines()]
    own = sorted((int(at), n, int(item)) for n, (u, item, _, at) in enumerate(lines) if u == "196")
    assert loaded.items[: loaded.offsets[1]].tolist() == [item for _, _, item in own]


def test_movielens_1m_quickly(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.process_time()
    loaded = _load_real("ml-1m", real_data, monkeypatch)
    seconds = time.process_time() - began
    assert (loaded.num_users, loaded.num_items, len(loaded.items)) == (6040, 3706, 1_000_209)
    assert seconds < 3, "the budget is about a second on an idle machine"


def _load_real(name: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> Interactions:
    monkeypatch.setenv("SEQBENCH_DATA", os.fspath(data))
    dataset = load_catalogue().dataset(name)
    if not (data / str(dataset.folder)).is_dir():
        pytest.skip(f"{name} is not under SEQBENCH_DATA")
    return load_interactions(dataset)
