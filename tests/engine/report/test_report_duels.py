"""The report's section on duels."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from measured_runs import MeasuredStore
from report_words import made
from tuned_runs import add_study

from engine.analysis.duels.stored import duel_of
from engine.analysis.duels.words import verdict
from engine.report.blocks import Paragraph, Section, Table
from engine.report.gather import Wanted
from engine.report.html import html
from engine.report.markdown import markdown
from engine.runfolder import RunFolder
from engine.store.connect import connect_reader

SEEDS = (2, 3, 4)


@pytest.fixture
def store(tmp_path: Path) -> MeasuredStore:
    found = MeasuredStore(tmp_path)
    add_study(found, "sasrec", "xlstm", trials=2, seeds=SEEDS, duel=6)
    add_study(found, "sasrec", name="two", trials=2)
    return found


def section(store: MeasuredStore, filter: str = "") -> Section | None:  # noqa: A002
    sections = made(store, Wanted(filter=filter)).sections
    return next((each for each in sections if each.title == "Duels"), None)


def is_of(folder: RunFolder, model: str) -> bool:
    """Whether a run is of what the duel chose of a model."""
    spec = json.loads(folder.spec.read_text())["spec"]
    return spec["model"] == model and (spec.get("chosen_by") or {}).get("study") == "one"


def ndcg(folder: RunFolder) -> float:
    ranks = np.load(folder.test_ranks, allow_pickle=False)[0].astype(float)
    return float(np.where(ranks <= 10, 1 / np.log2(1 + ranks), 0).mean())


def test_a_duel_is_told_with_its_looks(store: MeasuredStore) -> None:
    found = section(store)
    assert found is not None
    with closing(connect_reader(store.location)) as con:
        duel = duel_of(con, store.location, "one")
    assert duel is not None
    told = verdict(duel)
    assert told.startswith("sasrec is better than xlstm on ml-100k at length 50: NDCG@10/test")
    assert next(each.text for each in found.blocks if isinstance(each, Paragraph)) == told
    (looks,) = (each for each in found.blocks if isinstance(each, Table))
    row = [cell.lines[0] for cell in looks.rows[-1]]
    for model, shown in zip(("sasrec", "xlstm"), row[1:3], strict=True):
        values = [ndcg(folder) for folder in store.location.folders() if is_of(folder, model)]
        assert len(values) == len(SEEDS)
        assert float(shown) == pytest.approx(np.mean(values), abs=5e-5)
    assert (row[0], row[-1]) == ("3", "yes")
    report = made(store, Wanted())
    assert told.split(":")[0] in html(report)
    assert told.split(":")[0] in markdown(report, Path("plots"))


def test_a_report_without_what_a_duel_chose_has_no_section(store: MeasuredStore) -> None:
    assert section(store, "profile:study-two") is None
