"""The filter language of docs/queries.md: what it finds and what it refuses."""

from __future__ import annotations

import re
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from measured_runs import MeasuredStore, filled_store

from engine.analysis.columns.definitions import columns
from engine.spec.settings import SETTINGS
from engine.store.compare.comparison import comparison, comparison_count
from engine.store.compare.filter_sql import conditions, field_names, fields
from engine.store.compare.filter_words import FilterError, read_filter
from engine.store.connect import connect_reader
from engine.store.database import fetch

DOC = Path(__file__).parents[4] / "docs/queries.md"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[MeasuredStore, dict[str, str]]:
    store, runs = filled_store(tmp_path_factory.mktemp("filter"))
    store.set(runs["sasrec-50-1"], tags='["paper", "Über-lauf"]', note='100% "sure", a_b [x] It\'s')
    store.set(
        runs["xlstm-75-42"], tags='["thesis"]', suite="reference", created=time.time() - 864_000
    )
    return store, runs


def found(store: MeasuredStore, text: str, sort: str = "created", **more: Any) -> set[str]:
    with closing(connect_reader(store.location)) as con:
        rows = comparison(con, ["id"], sort, False, filter=text, limit=-1, **more)
        assert comparison_count(con, text, **more) == len(rows)
        return {row[0] for row in rows}


def expected(store: MeasuredStore, sql: str) -> set[str]:
    with closing(connect_reader(store.location)) as con:
        query = f"SELECT r.id FROM runs r JOIN summaries s ON s.run = r.id WHERE {sql}"
        return {row[0] for row in fetch(con, query)}


SASREC = "r.model = 'sasrec'"
PAPER = """r.tags LIKE '%"paper"%'"""
CASES = [
    ("", "1"),
    ("   ", "1"),
    ("model:", "1"),
    ("model:sasrec", SASREC),
    ("MODEL:SasRec", SASREC),
    ("model:sas", SASREC),
    ("model=sas", "0"),
    ("model=SASREC", SASREC),
    ("model!=sasrec", f"NOT {SASREC}"),
    ("-model:sasrec", f"NOT {SASREC}"),
    ("model:sas*", SASREC),
    ("model:*rec", "r.model <> 'xlstm'"),
    ("model:rec*", "0"),
    ('model:"sas*"', "0"),
    ("model:sasrec,xlstm", "r.model <> 'bert4rec'"),
    ("-model:sasrec,xlstm", "r.model = 'bert4rec'"),
    ("dataset:ml-?00k", "r.dataset = 'ml-100k'"),
    ("dataset:ml-* length>=75", "r.dataset LIKE 'ml-%' AND r.length >= 75"),
    ("length:5", "0"),
    ("length:50,100", "r.length <> 75"),
    ("L<75", "r.length < 75"),
    ("length != 50", "r.length <> 50"),
    ("seed:42", "r.seed = 42"),
    ("state:done", "r.state = 'done'"),
    ("state:cancel", "r.state = 'cancelled'"),
    ("-state:done", "r.state <> 'done'"),
    ("state!=done,failed", "r.state NOT IN ('done', 'failed')"),
    ("ndcg>0.06", "s.test_ndcg_best > 0.06"),
    ("ndcg > .06", "s.test_ndcg_best > 0.06"),
    ("ndcg>6e-2", "s.test_ndcg_best > 0.06"),
    ("-ndcg>0.06", "(s.test_ndcg_best > 0.06) IS NOT TRUE"),
    ("ndcg:0.06", "s.test_ndcg_best BETWEEN 0.055 AND 0.065"),
    ("ndcg!=0.06", "(s.test_ndcg_best BETWEEN 0.055 AND 0.065) IS NOT TRUE"),
    ("ndcg:*", "s.test_ndcg_best IS NOT NULL"),
    ("-ndcg:*", "s.test_ndcg_best IS NULL"),
    ("NDCG@10/test>0.06", "s.test_ndcg_best > 0.06"),
    ("valid-ndcg-masked>0.09", "s.valid_ndcg_masked_best > 0.09"),
    ("test_ndcg_max>0.06", "s.test_ndcg_max > 0.06"),
    ("params<270k", "r.parameters < 270000"),
    ("Model/TotalParams>=0.27M", "r.parameters >= 270000"),
    ("epochs:14", "s.epochs_trained = 14"),
    ("learning_rate:0.001 model:xlstm", "s.lr_best = 0.001 AND r.model = 'xlstm'"),
    ("tag:paper", PAPER),
    ("tag:pap", "0"),
    ("tag:pap*", PAPER),
    ("tag:über-lauf", "0"),
    ("tag:Über-LAUF", PAPER),
    ("tag:*", "r.tags <> '[]'"),
    ("-tag:*", "r.tags = '[]'"),
    ("suite:*", "r.suite IS NOT NULL"),
    ("suite:ref", "r.suite = 'reference'"),
    ("age<2d", "r.suite IS NULL"),
    ("age>=48h", "r.suite = 'reference'"),
    ("thesis", "r.tags LIKE '%thesis%'"),
    ("100%", PAPER),
    ("a_b", PAPER),
    ("%", PAPER),
    ("[x]", PAPER),
    ("note:*[x]*", PAPER),
    ("it's", PAPER),
    ("tag:paper OR tag:thesis", "r.tags <> '[]'"),
    ("tag:paper OR tag:thesis model:sasrec", PAPER),
    ("model:xlstm tag:paper OR tag:thesis", "r.suite = 'reference'"),
    ("ndcg>0.06 OR state:failed", "s.test_ndcg_best > 0.06 OR r.state = 'failed'"),
    ("ndcg>0.06 OR state:failed seed:7", "r.state = 'failed'"),
    ("ndcg>0.06 OR recall>0.1 OR seed:9", "s.test_ndcg_best > 0.06 OR s.test_recall_best > 0.1"
     " OR r.seed = 9"),
    ("ndcg>0.06 loss<6 model:sasrec", "s.test_ndcg_best > 0.06 AND s.loss_best < 6 AND " + SASREC),
    ("or", "0"),
    ('"OR"', "0"),
    ('"nothing has this', "0"),
    ("bert4rec-ml", "r.model = 'bert4rec'"),
    ("run:bert4rec-ml*", "r.model = 'bert4rec'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sql"), CASES)
def test_finds(filled: tuple[MeasuredStore, dict[str, str]], text: str, sql: str) -> None:
    store, _ = filled
    wanted = expected(store, sql)
    assert found(store, text) == wanted
    assert found(store, text, "test_ndcg_best") == wanted
    assert found(store, text, "valid_mrr_mean") == wanted


def test_cases_are_neither_all_nor_nothing(filled: tuple[MeasuredStore, dict[str, str]]) -> None:
    store, _ = filled
    some = [sql for _, sql in CASES if sql not in ("0", "1")]
    assert [sql for sql in some if not 0 < len(expected(store, sql)) < 23] == []


def test_figures_are_those_that_are_shown(filled: tuple[MeasuredStore, dict[str, str]]) -> None:
    store, _ = filled
    for aggregate in ("max", "min", "mean", "last"):
        wanted = expected(store, f"s.test_ndcg_{aggregate} > 0.05")
        assert found(store, "ndcg>0.05", aggregate=aggregate) == wanted


def test_runs_can_be_left_out(filled: tuple[MeasuredStore, dict[str, str]]) -> None:
    store, runs = filled
    some = [runs["failed"], runs["queued"]]
    for sort in ("created", "test_ndcg_best"):
        assert found(store, "", sort, without=some) == set(runs.values()) - set(some)


@pytest.mark.parametrize(
    ("text", "at", "sentence"),
    [
        ("ndgc>0.1", 1, "there is no field 'ndgc': did you mean 'ndcg'?"),
        ("model:sasrec colour:red", 14, "there is no field 'colour': quote it"),
        ("http://x", 1, "quote it to search the text"),
        ("ndcg>", 6, "ndcg> needs a value"),
        ("ndcg>high", 6, "ndcg> wants a number, and 'high' is none"),
        ("seed:1,two", 6, "seed: wants a number, and 'two' is none"),
        ("ndcg>0.1,0.2", 6, "ndcg> takes one value"),
        ("model>x", 1, "model is text: write model:… or model=…"),
        ("state:dnoe", 7, "there is no state 'dnoe': did you mean 'done'?"),
        ("state=don", 7, "there is no state 'don'"),
        ("age:2d", 5, "age is compared with a time, as in age<2d"),
        ("age<2", 5, "age is compared with a time"),
        ("OR model:x", 1, "OR goes between two conditions"),
        ("model:x OR", 9, "OR goes between two conditions"),
        ("a OR OR b", 6, "OR goes between two conditions"),
        ("a -", 3, "'-' says nothing to look for"),
        (">3", 1, "'>3' needs a field before it"),
        ("x" * 2_001, 2_000, "at most 2,000 characters"),
        ("x " * 61, 121, "at most 60 parts"),
    ],
)
def test_refuses_in_one_sentence_with_the_place(text: str, at: int, sentence: str) -> None:
    with pytest.raises(FilterError, match=re.escape(sentence)) as caught:
        conditions(text)
    assert caught.value.at == at
    assert str(caught.value).startswith(f"Filter, character {at}: ")
    assert "\n" not in str(caught.value)


@settings(max_examples=examples(150), deadline=None)
@given(
    text=st.text(
        st.sampled_from(list("ab*?[]%_~'\"\\;:<>=!-,. \x00é🎓")) | st.characters(), max_size=30
    )
    | st.builds(
        "{}{}{}".format,
        st.sampled_from([*fields(), "OR"]),
        st.sampled_from([":", "=", "!=", "<", ">=", " "]),
        st.text(max_size=8),
    )
)
def test_any_text_is_a_filter_or_a_sentence(
    filled: tuple[MeasuredStore, dict[str, str]], text: str
) -> None:
    try:
        parts = conditions(text)
    except FilterError as error:
        refused = error
    else:
        refused = None
    if refused is not None:
        assert 1 <= refused.at <= len(text) + 1
        return
    store, runs = filled
    if "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text):
        assert found(store, text) <= set(runs.values())
    for part in (part for group in parts for part in group):
        assert part.sql.count("?") == len(part.parameters)


@given(text=st.text(st.characters(exclude_characters='"'), min_size=1, max_size=30))
def test_quotes_take_everything_literally(text: str) -> None:
    ((term,),) = read_filter(f'"{text}"')
    assert (term.field, term.value, term.quoted) == ("", text, True)


def test_every_shown_figure_has_a_field() -> None:
    every = (fields() | field_names()).values()
    known = {field.sql.partition(".")[2] for field in every} | {"id"}
    assert {column.source for column in columns() if not column.setting} <= known
    assert {column.name for column in columns() if column.setting} <= set(fields())


def test_the_page_names_every_field_and_its_examples_are_understood() -> None:
    page = DOC.read_text(encoding="utf-8")
    plain = [
        name
        for name, field in fields().items()
        if not (name.startswith("valid_") or "masked" in name or field.setting)
    ]
    assert [name for name in plain if f"`{name}`" not in page] == []
    assert [name for name in SETTINGS if "." in name and f"`{name}`" not in page] == []
    table = (DOC.parent / "training.md").read_text(encoding="utf-8")
    assert [each.name for each in SETTINGS.values() if f"`{each.name}`" not in table] == []
    of_models = [each for each in SETTINGS.values() if each.section == "architecture"]
    rows = [f"| `{each.name}` | {each.about} |\n" for each in of_models]
    assert [row for row in rows if row not in table] == []
    block = re.search(r"```text\n(.*?)```", page, re.DOTALL)
    assert block is not None
    for line in block[1].splitlines():
        assert conditions(line)
