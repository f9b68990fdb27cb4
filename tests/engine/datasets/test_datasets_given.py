"""A split that is given by its files, in every form, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from engine.config import load_catalogue
from engine.datasets.interactions import Interactions
from engine.datasets.load import load_interactions, open_data
from engine.datasets.ordering import order_by_time
from engine.datasets.problems import find_problems
from engine.datasets.readers.joined import join
from engine.datasets.readers.sequences import is_sequential, read_sequences
from engine.datasets.readers.source import Ratings
from engine.datasets.readers.table import read_table
from engine.datasets.splitting.splits import Split, SplitData, given, split_data
from engine.datasets.splitting.statistics import split_counts
from engine.datasets.triples import others_beside, triple_of
from engine.errors import DataError, UsageError
from engine.spec import Columns, Dataset

Row = tuple[int, int, int]
ROWS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 8), st.integers(0, 20)), min_size=1, max_size=25
)


def ratings(rows: list[Row]) -> Ratings:
    users, items, times = (np.array(column) for column in zip(*rows, strict=True))
    return Ratings(users, items, times)


def entry(files: list[str], **changes: object) -> Dataset:
    content = {
        "name": "shop", "title": "Shop", "size": "small", "reader": "recbole", "users": 1,
        "items": 1, "interactions": 1, "folder": "shop", "files": dict.fromkeys(files),
        "split": {"kind": "given"},
    }  # fmt: skip
    return Dataset.model_validate(content | changes)


def of_user(data: Interactions, user: int) -> list[int]:
    return data.items[data.offsets[user] : data.offsets[user + 1]].tolist()


@settings(deadline=None)
@examples(train=ROWS, valid=ROWS, test=ROWS)
def test_every_target_comes_after_all_that_its_file_and_those_before_have_before_it(
    train: list[Row], valid: list[Row], test: list[Row]
) -> None:
    ordered = order_by_time(join([ratings(rows) for rows in (train, valid, test)]))
    split, users, items = given(ordered.interactions), ordered.user_ids, ordered.item_ids

    def own(rows: list[Row], user: int) -> list[int]:
        mine = [row for row in rows if row[0] == user]
        return [item for _, item, _ in sorted(mine, key=lambda row: row[2])]

    def ids(numbers: list[int]) -> list[int]:
        return [int(items[number - 1]) for number in numbers]

    found: dict[Split, dict[int, list[tuple[list[int], int]]]] = {"valid": {}, "test": {}}
    for name, of_split in found.items():
        for user, end in zip(split.users(name), split.ends(name), strict=True):
            start = split.interactions.offsets[user]
            before = split.interactions.items[start:end].tolist()
            target = ids([split.interactions.items[end]])[0]
            of_split.setdefault(int(users[user]), []).append((ids(before), target))

    def ranked(before: list[int], part: list[int]) -> list[tuple[list[int], int]]:
        whole = before + part
        places = range(max(1, len(before)), len(whole))
        return [(whole[:place], whole[place]) for place in places]

    everyone = {row[0] for row in (*train, *valid, *test)}
    for user in everyone:
        first, second, third = own(train, user), own(valid, user), own(test, user)
        assert found["valid"].get(user, []) == ranked(first, second)
        assert found["test"].get(user, []) == ranked(first + second, third)
        number = users.tolist().index(user)
        start = split.interactions.offsets[number]
        assert split.train_end[number] - start == len(first)
    trained = {item for _, item, _ in train}
    for name in ("valid", "test"):
        targets = [target for some in found[name].values() for _, target in some]
        assert int(split.cold(name).sum()) == sum(item not in trained for item in targets)


@settings(deadline=None)
@examples(
    parts=st.tuples(
        *[st.lists(st.sampled_from(["7", "12", "007", "ann", "é"]), min_size=1, max_size=6)] * 3
    )
)
def test_ids_of_several_files_are_those_of_one(
    tmp_path_factory: pytest.TempPathFactory, parts: tuple[list[str], ...]
) -> None:
    folder = tmp_path_factory.mktemp("ids")
    columns = Columns(user="u", item="i")

    def table(name: str, rows: list[str]) -> Ratings:
        path = folder / name
        path.write_text("u,i\n" + "".join(f"{row},{row}\n" for row in rows))
        return read_table(path, columns)

    joined = join([table(f"{number}.csv", rows) for number, rows in enumerate(parts)])
    whole = table("all.csv", [row for rows in parts for row in rows])
    for name in ("users", "items", "user_ids", "item_ids"):
        assert np.array_equal(getattr(joined, name), getattr(whole, name))


CSV = {
    "train": "user_id,item_id,timestamp\nann,1,10\nann,2,30\nbob,2,5\nbob,7,6\ncid,1,4\n",
    "valid": "user_id,item_id,timestamp\nann,3,20\nbob,1,7\ndan,2,1\n",
    "test": "user_id,item_id,timestamp\nann,9,50\nann,1,40\nbob,2,8\ndan,1,2\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEQBENCH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "shop"
    folder.mkdir(parents=True)
    return folder


def test_a_set_is_read_from_its_three_files(folder: Path) -> None:
    names = []
    for part, text in CSV.items():
        names.append(f"{part}.csv")
        (folder / names[-1]).write_text(text)
    columns = {"user": "user_id", "item": "item_id", "time": "timestamp"}
    dataset = entry(names, reader="table", columns=columns)
    for _ in range(2):  # from the files, then from the prepared copy
        data = load_interactions(dataset)
        ids = open_data(dataset).user_ids.tolist()
        split = split_data(data, dataset)
        assert [ids[user] for user in split.users("valid")] == [b"ann", b"bob"]
        assert [ids[user] for user in split.users("test")] == [b"ann", b"ann", b"bob", b"dan"]
        assert find_problems(data).backwards == 1, "ann is trained on what came after"
    changed = load_interactions(dataset).checksum
    (folder / "test.csv").write_text(CSV["test"].replace("ann,9,50\nann,1,40", "ann,9,40"))
    assert load_interactions(dataset).checksum != changed, "each file counts"


def test_the_parts_count_in_the_checksum(folder: Path) -> None:
    rows = [f"x\t{item}\n" for item in range(5)]
    head = "user_id:token\titem_id:token\n"
    for name, cut in (("a", 2), ("b", 3)):
        for part, some in zip(CSV, (rows[:cut], rows[cut:4], rows[4:]), strict=True):
            (folder / f"{name}.{part}.inter").write_text(head + "".join(some))
    first, second = (
        load_interactions(entry([f"{name}.{part}.inter" for part in CSV])) for name in "ab"
    )
    assert first.items.tolist() == second.items.tolist()
    assert first.checksum != second.checksum


HEAD = "user_id:token\titem_id_list:token_seq\titem_id:token\n"


def sequential(folder: Path, train: str, valid: str, test: str) -> SplitData:
    names = []
    for part, rows in zip(CSV, (train, valid, test), strict=True):
        names.append(f"shop.{part}.inter")
        (folder / names[-1]).write_text(HEAD + rows)
    dataset = entry(names)
    return split_data(load_interactions(dataset), dataset)


def test_lists_of_items_are_read_as_the_history(folder: Path) -> None:
    split = sequential(
        folder,
        "1\t21 22\t23\n1\t21\t22\n2\t22 24\t21\n",  # the second says nothing that is new
        "1\t21 22 23\t24\n3\t21 22\t24\n",
        "1\t22 23 24\t22\n3\t21 22 24\t23\n4\t24\t21\n",
    )
    data = split.interactions
    assert of_user(data, 0) == [1, 2, 3, 4, 2]
    assert of_user(data, 2) == [1, 2, 4, 3]
    starts = data.offsets[:-1]
    assert (split.train_end - starts).tolist() == [3, 3, 0, 0], "context isn't trained on"
    assert split.users("valid").tolist() == [0, 2]
    assert split.targets("valid").tolist() == [4, 4]
    assert split.users("test").tolist() == [0, 2, 3]
    assert split.histories("test", 4).tolist() == [[1, 2, 3, 4], [0, 1, 2, 4], [0, 0, 0, 4]]
    assert split.cold("valid").tolist() == [False, False]


@pytest.mark.parametrize(
    ("valid", "sentence"),
    [
        ("1\t21 22 29\t24\n", r"valid\.inter, line 2: the history of user '1' doesn't continue"),
        ("1\t21\t22\n", "doesn't continue the rows before it"),
        ("1\t21 22\n", r"valid\.inter, line 2: the item is empty"),
    ],
)
def test_rows_that_are_no_one_history_are_refused(folder: Path, valid: str, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        sequential(folder, "1\t21 22\t23\n", valid, "1\t21 22 23\t24\n")


def test_histories_are_read_in_any_form_of_text(tmp_path: Path) -> None:
    rows = "ann\t\t21\nann\t21\t22\nbob\t22 24\t21\n"
    plain, other = tmp_path / "plain.inter", tmp_path / "other.inter"
    plain.write_text(HEAD + rows)
    head = HEAD.replace("user_id", "uid").replace("item", "sku")
    text = (head + rows + head).replace("\t", ",").replace("\n", "\r")
    other.write_bytes(gzip.compress(text.encode("utf-16")))
    columns = Columns(user="uid:token", item="sku_id:token", separator=",")
    assert is_sequential(other, columns)
    expected, found = read_sequences([plain]), read_sequences([other], columns)
    for name in ("users", "items", "user_ids", "item_ids"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))
    assert expected.items.tolist() == [21, 22, 22, 24, 21]


def test_times_in_some_of_the_files_only_are_refused(folder: Path) -> None:
    for part in CSV:
        field = "\ttimestamp:float" if part == "train" else ""
        value = "\t5" if part == "train" else ""
        text = f"user_id:token\titem_id:token{field}\n1\t2{value}\n"
        (folder / f"shop.{part}.inter").write_text(text)
    with pytest.raises(DataError, match="have times and others don't"):
        load_interactions(entry([f"shop.{part}.inter" for part in CSV]))


def test_files_that_share_no_user_are_refused(folder: Path) -> None:
    for number, part in enumerate(CSV):
        text = f"user_id:token\titem_id:token\n{number}\t2\n"
        (folder / f"shop.{part}.inter").write_text(text)
    dataset = entry([f"shop.{part}.inter" for part in CSV])
    with pytest.raises(DataError, match="in the validation file and one before it: give files"):
        split_data(load_interactions(dataset), dataset)


def test_users_that_training_never_had_are_evaluated_after_their_own_history(folder: Path) -> None:
    for number, part in enumerate(CSV):
        text = f"user_id:token\titem_id:token\n{number}\t2\n{number}\t3\n"
        (folder / f"shop.{part}.inter").write_text(text)
    dataset = entry([f"shop.{part}.inter" for part in CSV])
    counts = split_counts(split_data(load_interactions(dataset), dataset))
    assert (counts.valid, counts.test, counts.test_cold_users) == (1, 1, 1)
    assert (counts.test_targets, counts.test_without_history) == (1, 1)


def test_histories_in_some_of_the_files_only_are_refused(folder: Path) -> None:
    (folder / "a.inter").write_text("user_id:token\titem_id:token\n1\t21\n1\t22\n")
    for name in "bc":
        (folder / f"{name}.inter").write_text(HEAD + "1\t21 22\t23\n")
    with pytest.raises(DataError, match=r"a\.inter has no column item_id_list"):
        load_interactions(entry(["a.inter", "b.inter", "c.inter"]))


def test_which_file_is_which_tells_runs_apart() -> None:
    run = load_catalogue().run_spec("sasrec", "ml-100k", 50, 1)
    names = ["a.inter", "b.inter", "c.inter"]
    found = {
        run.model_copy(update={"source": entry(order)}).settings() for order in (names, names[::-1])
    }
    assert len(found) == 2


def test_a_given_split_needs_its_files() -> None:
    with pytest.raises(ValueError, match="needs three 'files'"):
        entry(["x.inter"])


@pytest.mark.parametrize(
    "names",
    [
        ("shop.train.inter", "shop.valid.inter", "shop.test.inter"),
        ("train.csv", "val.csv", "test.csv"),
        ("log_training.tsv.gz", "log_dev.tsv.gz", "log_test.tsv.gz"),
        ("shop-Train.parquet", "shop-Validation.parquet", "shop-Test.parquet"),
    ],
)
def test_the_three_are_found_by_their_names(tmp_path: Path, names: tuple[str, str, str]) -> None:
    for name in (*names, "other.inter", "contest.csv", "trainers.csv"):
        (tmp_path / name).touch()
    found = triple_of(tmp_path)
    assert found is not None
    assert [path.name for path in found.paths] == list(names)
    assert {path.name for path in others_beside(tmp_path / names[2])} == set(names[:2])
    assert triple_of(tmp_path / names[0]) is None
    assert others_beside(tmp_path / "other.inter") == []
    (tmp_path / names[1]).unlink()
    assert [path.name for path in others_beside(tmp_path / names[0])] == [names[2]]


def test_several_sets_in_a_folder_are_told_apart_by_their_names(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for part in CSV:
            (tmp_path / f"{name}.{part}.inter").touch()
    with pytest.raises(UsageError, match=r"several data sets \('a.train.inter', 'b.train.inter'\)"):
        triple_of(tmp_path)
    found = triple_of(tmp_path / "b")
    assert found is not None
    assert found.valid.name == "b.valid.inter"
    with pytest.raises(UsageError, match="there is no file"):
        triple_of(tmp_path / "c")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="has no three files of one data set"):
        triple_of(tmp_path / "empty")
