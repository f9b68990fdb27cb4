"""What a run's page says of a refit, which trains on validation too."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from measured_runs import MeasuredStore

from engine.analysis.run.details import run_details
from engine.store.connect import connect_reader
from tui.run import sections
from tui.shell.events import journal_lines


def test_an_epoch_without_validation_is_told_without_it() -> None:
    told = {"attempt": 1, "seq": 2, "epoch": 3, "loss": 0.5, "valid_ndcg": 0.25,
            "valid_recall": 0.5, "train_seconds": 1.0, "eval_seconds": 2.0}  # fmt: skip
    (line,) = journal_lines((), [told])
    assert line.text == (
        "epoch   3   loss 0.5000   valid NDCG 0.2500   Recall 0.5000   train 1.0 s, eval 2.0 s"
    )
    (line,) = journal_lines((), [told | {"valid_ndcg": None, "valid_recall": None}])
    assert line.text == "epoch   3   loss 0.5000   train 1.0 s, eval 2.0 s"


@pytest.mark.parametrize("is_refit", [False, True])
def test_a_refit_has_nothing_of_validation(tmp_path: Path, is_refit: bool) -> None:
    store = MeasuredStore(tmp_path)
    run = store.add("sasrec")
    with closing(connect_reader(store.location)) as con:
        details = run_details(con, run)
    assert details is not None
    if is_refit:
        details = replace(details, run=replace(details.run, refits="sasrec-before"))
    result, heading = sections.result(details), str(sections.heading(details, None, 100))
    assert "test, all items" in str(result)
    assert ("validation, all items" in str(result)) == (not is_refit)
    assert ("best epoch" in heading) == (not is_refit)
    assert ("validation included" in heading) == is_refit
    row = next(line for line in result.split("\n") if str(line).startswith("test, all items"))
    assert "bold" in {str(span.style) for span in row.spans}


def test_a_trial_has_nothing_of_test(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    run = store.add("sasrec")
    with closing(connect_reader(store.location)) as con:
        details = run_details(con, run)
    assert details is not None
    details = replace(details, run=replace(details.run, study="one", trial=3))
    result = str(sections.result(details))
    assert "validation, all items" in result
    assert "test, " not in result
