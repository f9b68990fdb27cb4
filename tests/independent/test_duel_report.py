"""What a report says of duels holds, judged by a program that shares no code with it; and that
program can tell."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from measured_runs import MeasuredStore
from report_words import made
from tuned_runs import add_study

from engine.report.gather import Wanted
from engine.report.write import write_report

from .check import Judged, check

FIGURE = re.compile(r"(?<![\d.])\d\.\d{4}(?!\d)")


def judged(path: Path, store: MeasuredStore) -> list[Judged]:
    return list(check(path, store.location.runs))


@pytest.mark.parametrize(
    ("models", "most"), [(("sasrec", "xlstm"), 6), (("sasrec", "bert4rec"), 5)]
)
def test_every_sentence_and_look_holds_and_none_that_is_changed(
    tmp_path: Path, models: tuple[str, str], most: int
) -> None:
    store = MeasuredStore(tmp_path / "store")
    add_study(store, *models, trials=2, seeds=(2, 3, 4), duel=most)
    whole = made(store, Wanted())
    own = tuple(each for each in whole.sections if each.title == "Duels")
    path = tmp_path / "report.md"
    write_report(replace(whole, sections=own), path)
    found = judged(path, store)
    assert [each for each in found if each.section and each.state != "holds"] == []
    assert sum(bool(each.section) for each in found) >= 4
    text = path.read_text(encoding="utf-8")
    figures = list(FIGURE.finditer(text))
    assert len(figures) >= 10
    for figure in figures:
        other = f"{float(figure[0]) + 0.0021:.4f}"
        path.write_text(text[: figure.start()] + other + text[figure.end() :], encoding="utf-8")
        assert any(each.state == "false" for each in judged(path, store)), figure[0]
