"""Rows about published results, of tables with other protocols than the reference's, hold too; and
a row that is changed is found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from measured_runs import MeasuredStore
from report_words import made
from reported_runs import add_reported

from engine.report.gather import Wanted
from engine.report.markdown import markdown

from .check import Judged, check

SECTION = "Compared with published results"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MeasuredStore:
    store = MeasuredStore(tmp_path_factory.mktemp("published"))
    benchmark = {"loss": "sampled", "negatives": 256}
    for seed in (1, 2, 3):
        add_reported(store, "sasrec", 50, seed, dataset="ml-1m")
        add_reported(store, "sasrec", 200, seed, dataset="ml-1m", **benchmark)
    return store


@pytest.fixture(scope="module")
def text(store: MeasuredStore) -> str:
    return markdown(made(store, Wanted()), None)


def _rows(text: str, store: MeasuredStore, folder: Path) -> list[Judged]:
    path = folder / "report.md"
    path.write_text(text, encoding="utf-8")
    return [each for each in check(path, store.location.runs) if each.section == SECTION]


def test_every_row_holds(text: str, store: MeasuredStore, tmp_path: Path) -> None:
    found = _rows(text, store, tmp_path)
    assert [each for each in found if each.state != "holds"] == []
    assert "| SASRec+, Klenitskiy &amp; Vasilev 2023 | ml-1m | 0.1821 | sasrec L50 " in text
    assert "**NDCG@10: eSASRec's benchmark: SASRec+SS, 1-4 layers**" in text
    assert len(found) > 20


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (r"0\.1684 \|", "0.1685 |"),
        (r"0\.1821 \|", "0.1831 |"),
        (r"L = 128, 3,416 items", "L = 50, 3,416 items"),
        (r"yours L = 50", "yours L = 200"),
    ],
)
def test_a_row_that_is_changed_is_found(
    text: str, store: MeasuredStore, tmp_path: Path, was: str, becomes: str
) -> None:
    changed = re.sub(was, becomes, text, count=1)
    assert changed != text
    assert "false" in {each.state for each in _rows(changed, store, tmp_path)}
