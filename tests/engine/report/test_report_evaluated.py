"""Who is evaluated, in reports on real runs: every number of users in them is counted apart."""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.config import Catalogue, load_catalogue
from engine.planning import enqueue_refits
from engine.report.blocks import Report, Table
from engine.report.gather import Wanted
from engine.report.markdown import markdown
from engine.report.write import make_report
from engine.spec import Dataset
from engine.store.connect import connect_reader, connect_writer, create_or_migrate
from engine.store.database import write
from engine.store.intake.folders import save_unsaved
from engine.store.intake.ingest import ingest
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.requests import enqueue
from engine.worker.attempt import run_attempt

VALID_FROM, TEST_FROM = 600, 800
SPLITS: dict[str, dict[str, Any]] = {
    "last": {},
    "later": {"split": {"kind": "temporal", "valid_from": VALID_FROM, "test_from": TEST_FROM}},
    "core": {"filter": {"k_core": 4}},
    "timeless": {"columns": {"user": "user", "item": "item"}},
}
"""What an entry has beside the same file, by its name."""


def _rows() -> list[tuple[int, int, int]]:
    """User, item and time: few times, so that many are ties; users who come late, stay for a while
    only or have two interactions; items that come late."""
    chance = random.Random(4)
    rows = []
    for user in range(60):
        first, last = sorted(chance.sample(range(0, 1000, 25), 2))
        count = 2 if user % 9 == 0 else chance.randint(4, 14)
        for _ in range(count):
            at = chance.randrange(first, last + 1, 25)
            newest = 12 + at // 50
            rows.append((user, chance.randrange(newest), at))
    return rows


ROWS = _rows()


@dataclass
class Counted:
    """What a split does with the rows, counted apart from the engine."""

    users: int
    trained: int
    evaluated: dict[str, int]
    """Users."""
    ranked: dict[str, int]
    """Their items."""
    new: dict[str, int]
    """Users without training interactions."""
    cold: dict[str, int]
    tied: dict[str, int]


def counted(name: str) -> Counted:
    rows = ROWS
    if name == "core":
        while True:
            of_user: dict[int, int] = defaultdict(int)
            of_item: dict[int, int] = defaultdict(int)
            for user, item, _ in rows:
                of_user[user] += 1
                of_item[item] += 1
            kept = [row for row in rows if of_user[row[0]] >= 4 and of_item[row[1]] >= 4]
            if kept == rows:
                break
            rows = kept
    histories: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for user, item, at in rows:
        histories[user].append((0 if name == "timeless" else at, item))
    trained: list[int] = []
    held: dict[str, list[tuple[int, int, list[tuple[int, int]]]]] = {"validation": [], "test": []}
    users: dict[str, list[int]] = {"validation": [], "test": []}
    new: dict[str, int] = {"validation": 0, "test": 0}
    for user, history in histories.items():
        history.sort(key=lambda each: each[0])
        if name == "later":
            bounds = [sum(at < moment for at, _ in history) for moment in (VALID_FROM, TEST_FROM)]
            trained += [item for _, item in history[: bounds[0]]]
            ends = (("validation", bounds[0], bounds[1]), ("test", bounds[1], len(history)))
            for split, begin, end in ends:
                for place in range(max(1, begin), end):
                    rest = history[:place] + history[place + 1 :]
                    held[split].append((*history[place], rest))
                    users[split].append(user)
                new[split] += bounds[0] == 0 and user in users[split]
        elif len(history) < 3:
            trained += [item for _, item in history]
        else:
            trained += [item for _, item in history[:-2]]
            for split, place in (("validation", -2), ("test", -1)):
                held[split].append((*history[place], history[:place] + history[place:][1:]))
                users[split].append(user)
    return Counted(
        users=len(histories),
        trained=len(trained),
        evaluated={split: len(set(each)) for split, each in users.items()},
        ranked={split: len(each) for split, each in held.items()},
        new=new,
        cold={s: sum(item not in trained for _, item, _ in each) for s, each in held.items()},
        tied={
            s: sum(any(at == other for other, _ in rest) for at, _, rest in each)
            for s, each in held.items()
        },
    )


@dataclass
class Made:
    """A store with runs on each data set, and the catalogue that has them."""

    location: StoreLocation
    catalogue: Catalogue
    runs: dict[str, list[str]]

    def report(self, query: str = "") -> Report:
        with closing(connect_reader(self.location)) as con:
            return make_report(con, self.location, self.catalogue, Wanted(filter=query))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("evaluated")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEQBENCH_CACHE", str(folder / "cache"))
        (folder / "r.csv").write_text(
            "".join(["user,item,at\n", *(f"{','.join(map(str, row))}\n" for row in ROWS)])
        )
        catalogue = load_catalogue()
        for name, other in SPLITS.items():
            content = {
                "name": name, "title": name, "size": "small", "reader": "table",
                "columns": {"user": "user", "item": "item", "time": "at"},
                "users": 1, "items": 1, "interactions": 1, "folder": "mine",
                "local": str(folder), "files": {"r.csv": None},
            }  # fmt: skip
            catalogue.datasets[name] = Dataset.model_validate(content | other)
        location = StoreLocation(folder / "runs.db")
        create_or_migrate(location)
        runs = {name: [_run(location, catalogue, name, n) for n in (4, 8)] for name in SPLITS}
        return Made(location, catalogue, runs)


def _run(location: StoreLocation, catalogue: Catalogue, name: str, length: int) -> str:
    small = {"dim": 8, "heads": 1, "layers": 1, "epochs": 1, "batch_size": 64}
    spec = catalogue.run_spec("sasrec", name, length, 1, overrides=small)
    return _trained(location, enqueue(location, [spec])[0])


def _trained(location: StoreLocation, run: str) -> str:
    with closing(connect_writer(location)) as con:
        save_unsaved(con, location)
        with write(con):
            con.execute("UPDATE runs SET state = 'running' WHERE id = ?", (run,))
        assert run_attempt(location.folder(run), 1, "cpu", 1, lambda: False) == 0
        ingest(con, location.folder(run), 1)
        save_unsaved(con, location)
    return run


def table_of(report: Report, caption: str) -> list[dict[str, str]]:
    (found,) = (
        block
        for section in report.sections
        for block in section.blocks
        if isinstance(block, Table) and block.caption == caption
    )
    return [
        dict(zip(found.head, ("; ".join(cell.lines) for cell in row), strict=True))
        for row in found.rows
    ]


@pytest.mark.parametrize("name", SPLITS)
def test_the_report_tells_whom_a_split_evaluates(made: Made, name: str) -> None:
    own, report = counted(name), made.report(f"dataset:{name}")
    (used,) = table_of(report, "Data as used")
    assert used["users"] == str(own.users)
    assert used["trained on"] == str(own.trained)
    assert used["filter"] == ("k_core=4" if name == "core" else "none")
    assert used["split"] == (
        "temporal: validation from 600, test from 800" if name == "later" else "leave-one-out"
    )
    rows = {row[""]: row for row in table_of(report, "Who is evaluated")}
    assert list(rows) == ["validation", "test"]
    for split, row in rows.items():
        items = own.ranked[split]
        assert row["users evaluated"] == str(own.evaluated[split])
        assert row["items ranked"] == str(items)
        assert row["not in training"] == str(own.new[split])
        assert row["cold items"] == _share(own.cold[split], items)
        tied = "no times" if name == "timeless" else _share(own.tied[split], items)
        assert row["decided by a tie"] == tied


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.1f} %)"


@pytest.mark.parametrize("name", SPLITS)
def test_every_number_of_users_in_it_is_one_of_those(made: Made, name: str) -> None:
    own, text = counted(name), markdown(made.report(f"dataset:{name}"), None)
    numbers = re.findall(r"(\d[\d,]*) (?:(\w+) )?users\b(?! a second)", text)
    items = re.findall(r"(\d[\d,]*) test items\b", text)
    assert set(items) <= {str(own.ranked["test"])}
    known = {str(own.users), *map(str, own.evaluated.values())}
    assert {number for number, _ in numbers} <= known
    assert {number for number, word in numbers if word == "test"} <= {str(own.evaluated["test"])}
    if name == "later":
        assert "leave-one-out" not in text.lower()
    assert str(own.evaluated["test"]) in {number for number, _ in numbers}


def test_a_rebuilt_store_makes_the_same_report(made: Made) -> None:
    before = markdown(made.report(), None)
    assert rebuild(made.location) == 2 * len(SPLITS)
    assert markdown(made.report(), None) == before


def test_what_runs_of_before_did_not_record_is_said(made: Made) -> None:
    journals = [made.location.folder(run).journal(1) for run in made.runs["later"]]
    whole = [path.read_text() for path in journals]
    try:
        for path, text in zip(journals, whole, strict=True):
            start, *rest = text.splitlines(keepends=True)
            fields = json.loads(start)
            lost = [name for name in fields if name.startswith(("valid_", "test_", "train_"))]
            assert len(lost) == 17
            kept = {name: value for name, value in fields.items() if name not in lost}
            path.write_text("".join([json.dumps(kept) + "\n", *rest]))
        rebuild(made.location)
        report = made.report("dataset:later")
        (used,) = table_of(report, "Data as used")
        assert used["trained on"] == "not recorded"
        assert used["split"] == "temporal valid_from=600 test_from=800"
        for row in table_of(report, "Who is evaluated"):
            assert set(list(row.values())[-5:]) == {"not recorded"}
    finally:
        for path, text in zip(journals, whole, strict=True):
            path.write_text(text)
        rebuild(made.location)


def test_what_a_refit_is_trained_on_stands_beside_its_counts(made: Made, tmp_path: Path) -> None:
    location = StoreLocation(tmp_path / "runs.db")
    create_or_migrate(location)
    first = _run(location, made.catalogue, "later", 4)
    _trained(location, *enqueue_refits(location, None, [first]))
    own, report = counted("later"), Made(location, made.catalogue, {}).report()
    used = {row["trained on"]: row["split"] for row in table_of(report, "Data as used")}
    too = "trained on validation too"
    assert used[str(own.trained)] == "temporal: validation from 600, test from 800"
    assert any(split.endswith(f" test from 800, {too}") for split in used.values())
    rows = [(row["split"], row[""]) for row in table_of(report, "Who is evaluated")]
    assert sorted(rows) == [
        ("temporal", "test"),
        ("temporal", "validation"),
        (f"temporal, {too}", "test"),
    ]
    bounds = [line for line in markdown(report, None).splitlines() if "apart from chance" in line]
    assert [too in line for line in bounds] == [False] * (len(bounds) - 1) + [True]
