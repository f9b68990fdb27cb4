"""Published results beside ours: the right cell, the right split, the right aggregate."""

from __future__ import annotations

import shlex
import sqlite3

import pytest
from measured_runs import MeasuredStore

from engine.analysis.reference import alike_sources, references_of
from engine.analysis.run.details import run_details
from engine.analysis.run.relaunch import relaunch_command
from engine.config import Catalogue, PublishedTable
from engine.metrics import REFERENCE_COLUMNS
from engine.store import queries, series
from engine.store.compare.comparison import comparison_columns


@pytest.fixture
def catalogue(measured: MeasuredStore) -> Catalogue:
    return measured.catalogue


def test_every_reference_cell_is_found_with_its_figures(catalogue: Catalogue) -> None:
    table = catalogue.published["reference-27"]
    for cell in table.cells:
        (found,) = references_of([table], cell.model, cell.dataset, cell.length)
        assert dict(found.figures) == cell.figures
        assert [name for name, _ in found.figures] == [
            name for name in REFERENCE_COLUMNS if name in cell.figures
        ]
    assert references_of([table], "sasrec", "ml-100k", 51) == []


def test_a_metric_meets_our_validation_maximum_and_our_test_figure(
    catalogue: Catalogue, con: sqlite3.Connection
) -> None:
    run = next(r for r in queries.list_runs(con, ["done"]) if r.model == "xlstm")
    details = run_details(con, run.id)
    assert details is not None
    (found,) = references_of(catalogue.published.values(), run.model, run.dataset, run.length)
    epochs = series.epochs(con, run.id)
    chosen = max(epochs, key=lambda epoch: epoch["valid_ndcg"])
    beside = {entry.column: entry for entry in found.beside(details.figures)}
    recall = beside["Recall@10/test"]
    assert recall.alike == max(epoch["valid_recall"] for epoch in epochs)
    assert recall.test == chosen["test_recall"]
    assert recall.difference == pytest.approx(recall.alike - float(recall.published))
    assert recall.test_difference == pytest.approx(recall.test - float(recall.published))
    seconds = beside["EpochTime"]
    assert seconds.alike == max(epoch["train_seconds"] for epoch in epochs)
    assert (seconds.test, seconds.test_difference) == (None, None)
    assert beside["GPU/Memory(MiB)"].difference is None
    assert set(found.sources()) <= set(alike_sources("max")) <= set(comparison_columns())


def test_figures_with_seen_items_masked_meet_masked_ones_only(catalogue: Catalogue) -> None:
    table = catalogue.published["reference-27"]
    masked = PublishedTable.model_validate(
        table.model_dump(exclude_unset=True) | {"ranking": "seen-masked", "aggregate": "best"}
    )
    (found,) = references_of([masked], "sasrec", "ml-100k", 50)
    metrics = [name for name in found.sources() if name.startswith(("valid_", "test_"))]
    assert metrics
    assert all(name.endswith("_masked_best") for name in metrics)


def test_details_of_an_unknown_run(con: sqlite3.Connection) -> None:
    assert run_details(con, "nobody") is None


def test_the_relaunch_command_gives_the_same_run(
    catalogue: Catalogue, con: sqlite3.Connection
) -> None:
    for run in queries.list_runs(con):
        details = run_details(con, run.id)
        assert details is not None
        words = shlex.split(relaunch_command(details.spec, catalogue))
        assert words[:2] == ["seqbench", "run"]
        options = list(zip(words[2::2], words[3::2], strict=True))
        named = {key: value for key, value in options if key != "--set"}
        spec = catalogue.run_spec(
            named["--model"],
            named["--dataset"],
            int(named["--length"]),
            int(named["--seed"]),
            named["--profile"],
            dict(value.split("=", 1) for key, value in options if key == "--set"),
        )
        assert spec.fingerprint() == run.fingerprint
    assert "--set" in relaunch_command(details.spec, catalogue) or run.seed != 9


def test_the_relaunch_command_without_a_catalogue_names_the_cell(
    con: sqlite3.Connection,
) -> None:
    run = queries.list_runs(con)[0]
    details = run_details(con, run.id)
    assert details is not None
    assert f"--model {run.model}" in relaunch_command(details.spec, None)
