"""The report on how settings were chosen."""

from __future__ import annotations

import re
import sys
from contextlib import closing
from pathlib import Path

import pytest
from measured_runs import MeasuredStore
from report_words import lines_of, made, words
from reported_runs import add_reported, reported_store
from tuned_runs import add_study

from engine.analysis.tuning.best import best_of
from engine.analysis.tuning.studies import study_reports
from engine.analysis.tuning.text import budget_sentence
from engine.report import tuning_plots
from engine.report.blocks import Report
from engine.report.gather import Wanted
from engine.report.html import html
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write

TITLE = "How settings were chosen"


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> MeasuredStore:
    """Two models tuned alike, one of them with a trial that failed; a third one by hand."""
    store = MeasuredStore(tmp_path_factory.mktemp("tuned"))
    add_study(store, "sasrec", "xlstm", trials=10, failed=(7,))
    add_reported(store, "bert4rec", 50, 1, profile="tuned")
    return store


@pytest.fixture(scope="module")
def report(tuned: MeasuredStore) -> Report:
    return made(tuned, Wanted())


def rows(report: Report, start: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in lines_of(report, TITLE, start)]


def test_budgets_are_set_beside_each_other(report: Report) -> None:
    (sentence,) = lines_of(report, TITLE, "ml-100k: settings were chosen with different budgets")
    assert "By hand: bert4rec L50; with 10 trials: sasrec L50 and xlstm L50." in sentence
    columns = {line.split(" | ")[0]: line for line in lines_of(report, "Results", "| ")}
    assert columns["| bert4rec L50"].endswith("| by hand | by hand |")
    assert re.search(r"\| 10 \| [\d.]+ \|$", columns["| sasrec L50"])


def test_what_was_chosen_and_the_expected_best_are_those_of_the_trials(
    tuned: MeasuredStore, report: Report
) -> None:
    with closing(connect_reader(tuned.location)) as con:
        (study,), _ = study_reports(con, ["one"])
    assert [len(each.trials) for each in study.models] == [10, 10]
    assert [0.0 in each.reached for each in study.models] == [False, True]
    of_models = {each.model.model: each for each in study.models}
    tables = {len(row): row for row in rows(report, "| xlstm |")}
    best = of_models["xlstm"].best
    assert best is not None
    assert tables[9][1:4] == ["10", "0", "1"]
    assert tables[9][6:8] == [f"{best.value:.4f}", str(best.number)]
    expected = [best_of(of_models["xlstm"].reached, trials) for trials in (1, 2, 5, 10)]
    assert tables[5][1:] == [
        f"{each.mean:.4f} [{each.low:.4f}, {each.high:.4f}]" for each in expected
    ]


def test_the_learning_rate_matters_most(report: Report) -> None:
    names = [row[1] for row in rows(report, "| sasrec | ") if "%" in row[2]]
    assert sorted(names) == ["dim", "dropout", "lr"]
    assert names[0] == "lr"


def test_it_is_readable_without_scripts_and_without_eyes(report: Report) -> None:
    page = html(report)
    section = page[page.index(f">{TITLE}</h2>") : page.index(">Learning curves</h2>")]
    assert section.count("<svg ") == 3
    assert "<script" not in section
    text = words(report, TITLE)
    assert "Parallel coordinates of 10 trials of sasrec: a line for each over its settings" in text
    assert re.search(r"The best 3, which are coloured, have lr 0\.0\d+ to 0\.0\d+; dropout", text)
    assert "sasrec from 0.0" in text


@pytest.mark.parametrize(
    ("most", "said"),
    [
        (
            200,
            "a line for each of 9 trials over its settings, those that are done and in the space, "
            "the best third coloured, the chosen one thick",
        ),
        (
            5,
            "a line for each of 5 trials over its settings, the best of those that are done and in "
            "the space, the best third coloured, the chosen one thick",
        ),
    ],
)
def test_the_caption_says_which_trials_are_drawn(
    tuned: MeasuredStore, monkeypatch: pytest.MonkeyPatch, most: int, said: str
) -> None:
    monkeypatch.setattr(tuning_plots, "MOST_LINES", most)
    text = words(made(tuned, Wanted()), TITLE)
    assert f"one, xlstm: {said}" in text
    if most == 200:
        whole = "a line for each trial over its settings, the best third coloured, the chosen one"
        assert f"one, sasrec: {whole} thick" in text


def test_trials_are_listed_the_best_first_with_none_of_test(report: Report) -> None:
    text = words(report, TITLE)
    trials = [row for row in rows(report, "| ") if len(row) == 8 and row[0].isdigit()]
    assert len(trials) == 20
    values = [float(row[2]) for row in trials[:10]]
    assert values == sorted(values, reverse=True)
    assert trials[-1][1] == "failed"
    assert "test" not in text.replace("No trial is evaluated on test.", "")


def test_where_nobody_states_a_budget_nothing_is_said(tmp_path: Path) -> None:
    report = made(reported_store(tmp_path), Wanted())
    assert TITLE not in [section.title for section in report.sections]
    assert "trials" not in words(report, "Results")


def test_trials_that_are_gone_are_told(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    runs = add_study(store, "sasrec", trials=2)
    with closing(connect_writer(store.location)) as connection, write(connection):
        for run in runs:
            connection.execute("DELETE FROM runs WHERE id = ?", (run,))
    text = words(made(store, Wanted()), TITLE)
    assert "the settings of every trained cell were chosen with 2 trials." in text
    assert "The trials of the study one aren't in this store." in text


def test_without_optuna_all_but_importance_is_told(
    tuned: MeasuredStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    text = words(made(tuned, Wanted()), TITLE)
    assert "Importance of settings isn't told: Tuning needs Optuna" in text
    assert "Trials of xlstm in one" in text


@pytest.mark.parametrize(
    ("budgets", "sentence"),
    [
        ({"a": None, "b": None}, ""),
        ({}, ""),
        ({"a": 0, "b": 0}, "d: the settings of every trained cell were chosen by hand."),
        (
            {"a": 1, "b": None},
            "d: settings were chosen with different budgets, so that a difference between cells "
            "may be one between budgets. With 1 trial: a; with a budget that nobody states: b.",
        ),
    ],
)
def test_budgets_in_a_sentence(budgets: dict[str, float | None], sentence: str) -> None:
    assert budget_sentence("d", budgets) == sentence
