"""A finished run's model under another rule of targets: as a run that was trained under it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from timed_runs import timed_data, timed_run, trained_folder

from engine.errors import DataError
from engine.journal import read_journal
from engine.metrics import METRIC_COLUMNS, RESULT_OF
from engine.results.evaluations import (
    read_evaluation,
    read_evaluation_ranks,
)
from engine.results.files import read_ranks
from engine.runfolder import RunFolder
from engine.specfile import load_spec
from engine.worker.evaluate.otherrule import evaluate, ranked
from engine.worker.trained import open_trained

KINDS = ("start", "epoch", "end")
TEMPORAL = {"kind": "temporal", "valid_share": 0.2, "test_share": 0.2}


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return timed_data(monkeypatch, tmp_path)


def under(targets: str) -> dict[str, Any]:
    return TEMPORAL | {"targets": targets}


def told(folder: RunFolder) -> tuple[dict[str, float], dict[str, Any]]:
    """What a run with one epoch says of itself: its metrics, and its journal's start."""
    lines = read_journal(folder.journal(1)).lines
    epochs = [line.fields for line in lines if line.kind == "epoch"]
    chosen = epochs[lines[-1].fields["best_epoch"] - 1]
    metrics = {name: chosen[name] for name in METRIC_COLUMNS}
    (start,) = (line for line in lines if line.kind == "start")  # a heartbeat may come first
    return metrics | lines[-1].fields["results"], start.fields


def training(model: str) -> dict[str, Any]:
    more = {"negatives": 8} if model == "hstu" else {}
    return {} if model == "popularity" else {"epochs": 1, **more}


@pytest.mark.parametrize(
    "model", ["popularity", "sasrec", pytest.param("hstu", marks=pytest.mark.slow)]
)
def test_an_evaluation_is_what_a_run_under_that_rule_reaches(tmp_path: Path, model: str) -> None:
    rules = ("successive", "last", "random", "first")
    runs = {
        rule: timed_run(tmp_path / "runs", f"{model}-{rule}", model, under(rule), **training(model))
        for rule in rules
    }
    for own in ("successive", "last"):
        for rule in rules:
            if rule == own:
                continue
            assert evaluate(runs[own], None, rule) == f"temporal-{rule}"
            found = read_evaluation(runs[own], f"temporal-{rule}")
            metrics, start = told(runs[rule])
            assert found.metrics == metrics
            assert {name: start[name] for name in found.counts} == found.counts
            assert found.checksum == start["checksum"]
            ours, users = read_evaluation_ranks(runs[own], found.rule)
            theirs, owners = read_ranks(runs[rule])
            assert np.array_equal(ours, theirs)
            assert (users is None) == (owners is None) == (rule != "successive")
            assert users is None or np.array_equal(users, owners)
    assert runs["successive"].evaluations() == [
        f"temporal-{rule}" for rule in ("first", "last", "random")
    ]


@pytest.mark.parametrize("model", ["popularity", "sasrec"])
def test_a_refit_is_ranked_under_another_rule_as_a_refit_under_that_rule(
    tmp_path: Path, model: str
) -> None:
    refits = {}
    for rule in ("successive", "last"):
        first = timed_run(tmp_path / "runs", rule, model, under(rule), **training(model))
        made = load_spec(first)
        again = made.training.model_copy(update={"refit": True})
        spec = made.model_copy(update={"training": again, "refits": first.run_id})
        refits[rule] = trained_folder(tmp_path / "runs" / f"refit-{rule}", spec)
    own, other = refits.values()
    assert evaluate(own, None, "last") == "temporal-last"
    found = read_evaluation(own, "temporal-last")
    (start, *epochs, end) = [
        line for line in read_journal(other.journal(1)).lines if line.kind in KINDS
    ]
    shown = {name: epochs[-1].fields[name] for name in METRIC_COLUMNS if "valid" not in name}
    assert found.metrics == shown | end.fields["results"]
    assert {name: start.fields[name] for name in found.counts} == found.counts
    assert np.array_equal(read_evaluation_ranks(own, found.rule)[0], read_ranks(other)[0])
    with pytest.raises(DataError, match="would be ranked on what it was trained on"):
        evaluate(own, "leave-one-out", None)


def test_ranking_by_the_runs_own_rule_gives_its_own_metrics(tmp_path: Path) -> None:
    for targets in ("successive", "random"):
        folder = timed_run(tmp_path / "runs", targets, "sasrec", under(targets), epochs=3)
        opened = open_trained(folder)
        found = ranked(opened, opened.split, torch.device("cpu"))
        assert found.metrics == told(folder)[0]
        assert found.metrics.keys() <= {*METRIC_COLUMNS, *RESULT_OF}
        assert np.array_equal(found.ranks, read_ranks(folder)[0])


def test_a_model_that_saw_the_targets_is_not_ranked_on_them(tmp_path: Path) -> None:
    folder = timed_run(tmp_path / "runs", "one", "popularity", {"kind": "leave-one-out"})
    with pytest.raises(DataError, match="ranks one target per user, so that no other targets can"):
        evaluate(folder, None, "last")
    seen = r"it would be ranked on what it was trained on \(\d+ of the [\d,]+ targets of \d+ test"
    with pytest.raises(DataError, match=seen):
        evaluate(folder, "temporal", None)
    other = timed_run(tmp_path / "runs", "two", "popularity", under("last"))
    with pytest.raises(DataError, match="under leave-one-out it would be ranked on what it was"):
        evaluate(other, "leave-one-out", None)
    assert not folder.evaluations() + other.evaluations()


def test_a_model_is_not_ranked_on_other_data(tmp_path: Path, data: Path) -> None:
    folder = timed_run(tmp_path / "runs", "one", "popularity", under("last"))
    whole = data.read_text()
    data.write_text(whole.replace("u0,", "u1,", 1))
    with pytest.raises(DataError, match="holds other data than the run was trained on"):
        evaluate(folder, None, "first")
    assert not folder.evaluations()


def test_damaged_ranks_are_not_taken_for_an_evaluations(tmp_path: Path) -> None:
    folder = timed_run(tmp_path / "runs", "one", "popularity", under("last"))
    rule = evaluate(folder, None, "first")
    ranks = folder.evaluation_ranks(rule)
    ranks.write_bytes(ranks.read_bytes()[:-1] + b"?")
    with pytest.raises(ValueError, match="aren't those that the metrics are of"):
        read_evaluation_ranks(folder, rule)
    folder.evaluation(rule).write_text('{"format": 1}')
    with pytest.raises(ValueError, match="not an evaluation"):
        read_evaluation(folder, rule)
