"""Settings of runs as fields and columns: filter, order, values, and how they came there."""

from __future__ import annotations

import json
import operator
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from measured_runs import MeasuredStore
from sqlite_utils import Database
from written_journals import dump

from engine.analysis.columns.definitions import setting_columns
from engine.analysis.comparison import by_cell, column_names, compare_rows
from engine.config import override_keys
from engine.errors import UsageError
from engine.interchange.history import import_history
from engine.spec.settings import SETTINGS, TAKEN
from engine.store.compare.comparison import comparison, comparison_count
from engine.store.compare.filter_sql import conditions, fields
from engine.store.compare.filter_words import FilterError
from engine.store.compare.grouping import Choice, counted_runs
from engine.store.compare.lines import cell_lines
from engine.store.compare.ordering import Ordering
from engine.store.connect import connect_reader
from engine.store.database import StoreConnection
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.migrations import migrations

OLD = Path(__file__).parent / "stores" / "2d91d01.sql"

Values = dict[str, Any]
"""A run's settings by title, as its folder's specification has them."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> MeasuredStore:
    """Runs of three models with settings of their own, and one of another program."""
    folder = tmp_path_factory.mktemp("settings")
    store = MeasuredStore(folder)
    for model in ("sasrec", "bert4rec", "xlstm"):
        store.add(model, seed=1, epochs=4)
        store.add(model, seed=2, epochs=0)
    for number, (model, more) in enumerate(
        (
            ("sasrec", {"lr": 0.0005, "dropout": 0.3, "norm": "post", "tied": True}),
            ("sasrec", {"lr": 0.0005, "dropout": 0.5, "batch_size": 256, "loss": "gbce"}),
            (
                "bert4rec",
                {"lr": 0.00049, "lr_decay": "cosine", "warmup_steps": 10, "training.epochs": 20},
            ),
            ("xlstm", {"lr": 0.0015, "logit_soft_cap": None, "norm_eps": 1e-5}),
            ("xlstm", {"lr": 1e-05, "dtype": "bfloat16", "grad_clip": 1.0}),
        )
    ):
        for seed in (1, 2):
            store.add(model, seed=100 + seed, length=60 + number, epochs=2, **more)
    log = folder / "history.csv"
    log.write_text("epoch,NDCG@10/test,lr\n1,0.05,0.001\n")
    import_history(
        log, store.location, fixed={"model": "sasrec", "dataset": "ml-100k", "length": "50",
                                    "seed": "3"},
    )  # fmt: skip
    return store


@pytest.fixture(scope="module")
def known(filled: MeasuredStore) -> dict[str, Values]:
    return specified(filled.location)


def specified(location: StoreLocation) -> dict[str, Values]:
    """The settings of all runs, read from their folders; without those that are null."""
    found: dict[str, Values] = {}
    for folder in location.folders():
        spec = json.loads(folder.spec.read_text())["spec"]
        flat = {**spec.get("training", {}), **spec.get("architecture", {})}
        titles = {title: flat.get(setting.name) for title, setting in SETTINGS.items()}
        found[folder.run_id] = {
            title: json.dumps(value) if isinstance(value, bool) else value
            for title, value in titles.items()
            if value is not None
        }
    return found


@pytest.fixture
def con(filled: MeasuredStore) -> Iterator[StoreConnection]:
    with closing(connect_reader(filled.location)) as connection:
        yield connection


def found(con: StoreConnection, text: str) -> set[str]:
    """What a filter finds, the same in every order and counted so."""
    first, *others = (
        {row[0] for row in comparison(con, ["id"], sort, False, filter=text, limit=-1)}
        for sort in ("created", "test_ndcg_best", "valid_mrr_mean", "lr", "norm")
    )
    assert all(each == first for each in others)
    assert comparison_count(con, text) == len(first)
    return first


ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def meets(values: Values, title: str, op: str, asked: str) -> bool:
    """The filter's meaning in plain Python."""
    value = values.get(title)
    if asked == "*":
        return (value is not None) != (op == "!=")
    if op in ORDER:
        return value is not None and bool(ORDER[op](value, float(asked)))
    parts = [part for part in asked.split(",") if part]
    same = value is not None and any(alike(value, op, part) for part in parts)
    return same != (op == "!=")


def alike(value: Any, op: str, part: str) -> bool:
    if not isinstance(value, str):
        return bool(value == float(part))
    value, part = value.lower(), part.lower()
    if "*" in part or "?" in part:
        return fnmatchcase(value, part)
    return part in value if op == ":" else value == part


NUMBERS = [title for title, setting in SETTINGS.items() if setting.kind != "text"]
TEXTS = [title for title, setting in SETTINGS.items() if setting.kind == "text"]
ASKED = ("0.001", "1e-3", "0.0005", "5e-4", ".3", "0.3", "0.2", "64", "128", "256", "1", "2", "0",
         "0.0", "1e-5", "0.00001", "30", "200", "20", "10")  # fmt: skip
TYPED = ("pre", "post", "p*", "?re", "true", "FALSE", "cosine", "co", "constant", "gbce", "full",
         "learned", "auto", "float", "next-item", "masked")  # fmt: skip

numbers = st.one_of(
    st.tuples(
        st.sampled_from(NUMBERS), st.sampled_from(["<", "<=", ">", ">="]), st.sampled_from(ASKED)
    ),
    st.tuples(
        st.sampled_from(NUMBERS), st.sampled_from([":", "=", "!="]),
        st.lists(st.sampled_from(ASKED), min_size=1, max_size=2).map(",".join),
    ),
)  # fmt: skip
texts = st.tuples(
    st.sampled_from(TEXTS), st.sampled_from([":", "=", "!="]),
    st.lists(st.sampled_from(TYPED), min_size=1, max_size=2).map(",".join),
)  # fmt: skip
anything = st.tuples(st.sampled_from([*SETTINGS]), st.sampled_from([":", "="]), st.just("*"))
terms = st.tuples(st.booleans(), st.one_of(numbers, texts, anything))


@settings(max_examples=examples(60), deadline=None)
@given(groups=st.lists(st.lists(terms, min_size=1, max_size=2), min_size=1, max_size=3))
def test_a_filter_means_what_plain_python_says(
    filled: MeasuredStore, known: dict[str, Values], groups: list[list[Any]]
) -> None:
    text = " ".join(
        " OR ".join(f"{'-' * negated}{''.join(term)}" for negated, term in group)
        for group in groups
    )
    wanted = {
        run
        for run, values in known.items()
        if all(any(meets(values, *term) != negated for negated, term in group) for group in groups)
    }
    with closing(connect_reader(filled.location)) as con:
        assert found(con, text) == wanted


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("lr:0.0005", ("lr:5e-4", "lr=.0005", "LR:0.00050", "training.lr:0.0005")),
        ("batch_size:256", ("batch-size=256", "batch_size:0.256k", "training.batch-size:256")),
        ("dropout:0.3 lr<0.001", ("architecture.dropout:.3 lr<1e-3", "lr<0.001 -dropout<0.3"
                                  " -dropout>0.3")),
        ("training.loss:gbce", ("training.loss=GBCE", "-training.loss:full training.loss:*")),
        ("tied:true", ("tied=true", "-tied:false tied:*")),
        ("training.epochs:20", ("training.epochs<30 training.epochs>=20",)),
    ],
)  # fmt: skip
def test_ways_to_write_the_same(con: StoreConnection, text: str, others: tuple[str, ...]) -> None:
    wanted = found(con, text)
    assert 0 < len(wanted) < 10
    for other in others:
        assert found(con, other) == wanted


def test_settings_beside_other_fields(con: StoreConnection, known: dict[str, Values]) -> None:
    small = {run for run, values in known.items() if values.get("lr", 1) < 0.001}
    sasrec = found(con, "model:sasrec")
    assert found(con, "model:sasrec lr<0.001") == small & sasrec
    assert found(con, "model:sasrec OR lr<0.001") == small | sasrec
    measured = found(con, "ndcg>0.06")
    assert found(con, "ndcg>0.06 lr<0.001") == small & measured
    assert found(con, "ndcg>0.06 OR lr<0.001 OR seed:1") == small | measured | found(con, "seed:1")


def test_an_imported_run_has_no_settings(con: StoreConnection) -> None:
    (run,) = found(con, "origin:*")
    for title in SETTINGS:
        assert run not in found(con, f"{title}:*")
        assert run in found(con, f"-{title}:*")
    (row,) = compare_rows(con, filter="origin:*")
    assert [row[title] for title in SETTINGS] == [None] * len(SETTINGS)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("dropuot:0.3", "there is no field 'dropuot': did you mean 'dropout'?"),
        ("lr:fast", "lr: wants a number, and 'fast' is none."),
        ("loss:gbce", "loss: wants a number, and 'gbce' is none: the setting is training.loss."),
        ("lr<0.1,0.2", "lr< takes one value, not several."),
        ("norm<pre", "norm is text: write norm:… or norm=…."),
        ("dtype:float32", "there is no field 'dtype': did you mean 'training.dtype'?"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(FilterError) as caught:
        conditions(text)
    assert caught.value.problem == sentence


def test_what_is_no_column_is_told_with_the_nearest(con: StoreConnection) -> None:
    with pytest.raises(UsageError, match="did you mean 'dropout'"):
        compare_rows(con, sort="dropuot")


def test_every_setting_that_set_takes_is_a_field_and_a_column(filled: MeasuredStore) -> None:
    entries = filled.catalogue.models.values()
    names = {name for each in entries for name in override_keys(each, "reference")}
    assert {setting.name for setting in SETTINGS.values()} == names
    assert set(SETTINGS) <= set(fields())
    assert [column.name for column in setting_columns()] == list(SETTINGS)
    others = [name for name in column_names() if name not in SETTINGS]
    assert not names - TAKEN & set(others), "add it to TAKEN: it is another column's name"
    taken = set(others) | {name for name, field in fields().items() if not field.setting}
    assert names & taken == TAKEN


@pytest.mark.parametrize("title", SETTINGS)
def test_in_the_order_of_a_setting(
    con: StoreConnection, known: dict[str, Values], title: str
) -> None:
    for descending in (False, True):
        having = [run for run in known if title in known[run]]
        wanted = sorted(having, key=lambda run: (known[run][title], run), reverse=descending)
        wanted += sorted(set(known) - set(having), reverse=descending)
        whole = comparison(con, ["id", title], title, descending, limit=-1)
        assert whole == [(run, known[run].get(title)) for run in wanted]
        pages = [
            row
            for start in range(0, len(wanted), 7)
            for row in comparison(con, ["id", title], title, descending, limit=7, offset=start)
        ]
        assert pages == whole
        ordering = Ordering(con)
        ordering.make(Choice("model:sasrec OR origin:*"), title, descending)
        few = [row for row in whole if row[0] in found(con, "model:sasrec OR origin:*")]
        assert ordering.page(["id", title], 0, 100) == few


def test_rows_have_the_settings_of_the_specification(
    con: StoreConnection, known: dict[str, Values]
) -> None:
    rows = compare_rows(con)
    assert list(rows[0]) == column_names()
    for row in rows:
        assert {title: row[title] for title in SETTINGS if row[title] is not None} == (
            known[str(row["run"])]
        )
    cells = by_cell(rows, counted_runs(con, Choice()))
    assert {cell["lr"] for cell in cells} == {row["lr"] for row in rows if row["lr"] is not None}


def test_cells_in_the_order_of_a_setting(con: StoreConnection, known: dict[str, Values]) -> None:
    counted = counted_runs(con, Choice())
    value = {cell.name: known[run] for run, cell in counted.items()}
    for title in ("lr", "norm"):
        _, lines = cell_lines(con, Choice(), title, True)
        shown = [value[line.cell].get(title) for line in lines]
        there = [each for each in shown if each is not None]
        assert there == sorted(there, reverse=True)
        assert shown == there + [None] * (len(shown) - len(there))
        assert len(set(there)) > 1


def kept(location: StoreLocation) -> Mapping[str, Any]:
    with closing(connect_reader(location)) as con:
        return dump(con)


def test_a_rebuilt_store_has_the_same_settings(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    for lr in (0.01, 0.001, 0.01):
        store.add("xlstm", lr=lr, epochs=2, logit_soft_cap=None)
    before = kept(store.location)
    assert len({row[0] for row in before["settings"]}) == 2
    assert rebuild(store.location) == 3
    assert kept(store.location) == before


def test_a_store_of_before_gets_the_settings_of_its_runs(tmp_path: Path) -> None:
    location = StoreLocation(tmp_path / "runs.db")
    with closing(sqlite3.connect(location.db)) as con:
        con.executescript(OLD.read_text())
        migrations().apply(Database(con), stop_before="settings")
        assert con.execute("PRAGMA user_version").fetchone() == (12,)
        specs = dict(con.execute("SELECT run, spec FROM specs ORDER BY run").fetchall())
        damaged = next(iter(specs))
        con.execute("UPDATE specs SET spec = 'no JSON' WHERE run = ?", (damaged,))
        con.commit()
    with closing(connect_reader(location)) as con:
        rows = {str(row["run"]): row for row in compare_rows(con)}
        assert len(rows) == len(specs)
        for run, text in specs.items():
            spec = json.loads(text)
            own = "origin" not in spec and run != damaged
            assert rows[run]["lr"] == (spec["training"]["lr"] if own else None)
            # The text of one of them is of before that setting.
            overlap = spec["training"].get("window_overlap", 0.0) if own else None
            assert rows[run]["window_overlap"] == overlap
        assert len(found(con, "lr:0.002")) == 1
