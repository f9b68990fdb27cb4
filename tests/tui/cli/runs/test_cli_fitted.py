"""A run of a fitted model, as commands, the run's page and charts tell it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from click.testing import Result
from live_runs import LiveStore

from engine.analysis.run.details import RunDetails, run_details
from engine.analysis.run.further import at_its_limit, why_not_further
from engine.fitted import chosen_settings, combination_text, settings_to_try
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.location import StoreLocation
from engine.store.queries import list_runs, queue
from tui.charts.reading import read_curves
from tui.charts.run_charts import _waiting
from tui.charts.run_curves import Known, RunCurves
from tui.charts.specs import CHARTS
from tui.cli.runs.following import _standing
from tui.live.run_facts import Facts, _metrics, _rows, _state
from tui.run.sections import configuration, heading, provenance, result
from tui.shell.events import epoch_text
from tui.shell.text import epochs_text

Run = Callable[..., Result]


@pytest.fixture
def fitted(held: StoreLocation, busy_store: LiveStore) -> StoreLocation:
    """The store, with its first finished run as that of a fitted model."""
    with closing(connect_writer(held)) as con, write(con):
        (run, *_) = list_runs(con, ["done"])
        (text,) = con.rows("SELECT spec FROM specs WHERE run = ?", (run.id,))[0]
        spec = json.loads(text)
        spec["training"]["objective"] = "fitted"
        con.execute("UPDATE specs SET spec = ? WHERE run = ?", (json.dumps(spec), run.id))
        con.execute(
            "INSERT INTO settings SELECT -1, name, iif(name = 'objective', 'fitted', value)"
            " FROM settings WHERE configuration = (SELECT configuration FROM runs WHERE id = ?)",
            (run.id,),
        )
        con.execute("UPDATE runs SET configuration = -1 WHERE id = ?", (run.id,))
        con.execute("DELETE FROM steps WHERE run = ?", (run.id,))
        con.execute(
            "UPDATE epochs SET settings = json_object('window', epoch, 'weights', '1/distance'),"
            " loss = NULL, loss_sum = NULL, grad_norm = NULL, lr = NULL WHERE run = ?",
            (run.id,),
        )
        names = [row["name"] for row in con.rows("PRAGMA table_info(summaries)")]
        lost = [name for name in names if name.startswith(("loss_", "grad_norm_", "lr_"))]
        figures = ", ".join(f"{name} = NULL" for name in lost)
        con.execute(f"UPDATE summaries SET {figures} WHERE run = ?", (run.id,))
    return held


def details_of(location: StoreLocation) -> RunDetails:
    with closing(connect_reader(location)) as con:
        found = run_details(con, list_runs(con, ["done"])[0].id)
    assert found is not None
    return found


def test_show_tells_combinations_and_the_chosen_one(
    fitted: StoreLocation, cli: Run, cli_json: Callable[..., Any]
) -> None:
    details = details_of(fitted)
    best = details.run.best_epoch
    text = cli("show", details.run.id).stdout
    told = {" ".join(line.split()) for line in text.splitlines()}
    assert f"chosen window={best} weights=1/distance" in told
    assert any(line.startswith("combinations 12 of ") for line in told)
    assert "at most" not in text
    assert "nats per target" not in text
    (settings,) = (line for line in told if line.startswith("settings "))
    assert "dim=" in settings
    assert "lr=" not in settings
    assert "dtype" not in text
    found = cli_json("show", details.run.id, "--json")
    assert found["epochs_table"][1]["settings"] == {"window": 2, "weights": "1/distance"}
    assert found["epochs_table"][1]["loss"] is None


def test_its_page_its_log_and_its_charts_say_so(fitted: StoreLocation) -> None:
    details = details_of(fitted)
    best = details.run.best_epoch
    page = heading(details, None, 120).plain
    assert f"12 combinations tried, best {best} · window={best} weights=1/distance" in page
    assert epoch_text(details.epochs[1]).startswith(
        "combination   2   window=2 weights=1/distance   valid NDCG"
    )
    text = configuration(details).plain
    assert "architecture" in text
    assert "training" not in text
    assert not {"LearningRate", "GradientNorm", "Loss/train"} & set(result(details).plain.split())
    assert "dtype" not in provenance(details).plain
    facts = Facts(details.run, details.started, details.epochs)
    rows = dict(_rows(facts, 40))
    assert rows["tried"] == [f"combination 12 of {details.run.epochs}"]
    assert "step" not in rows
    assert "".join(t for t, _ in _metrics(facts, 40)[0]).startswith(f"combination {best} ")
    curves = RunCurves(details.run.id)
    loss, valid = (next(spec for spec in CHARTS if spec.id == id_) for id_ in ("loss", "valid"))
    assert _waiting(curves, loss) == "loading…"
    with closing(connect_reader(fitted)) as con:
        update = read_curves(con, details.run.id, Known())
    assert update is not None
    curves.take(update)
    assert not curves.curves["epoch.loss"].ys
    assert len(curves.curves["epoch.valid_ndcg"].ys) == 12
    assert [name for name, _ in curves.figures_at(1e9)] == [
        "combinations tried", "valid NDCG@10", "valid Recall@10", "test NDCG@10",
    ]  # fmt: skip
    assert _waiting(curves, loss) == "a fitted model has no such curve"
    assert _waiting(curves, valid) == "no combination finished"
    assert [spec.id for spec in CHARTS if spec.offered([curves]) and not spec.of_devices] == [
        "valid"
    ]
    trained = RunCurves("another")
    assert all(spec.offered([curves, trained]) for spec in CHARTS if not spec.of_devices)


def test_the_lists_of_runs_count_its_fits(
    fitted: StoreLocation, cli: Run, cli_json: Callable[..., Any]
) -> None:
    run = details_of(fitted).run
    assert run.fitted
    (line,) = (each for each in cli("ls").stdout.splitlines() if each.startswith(run.id))
    assert f" fit 12/{run.epochs} " in line
    said = {each["id"]: each["fitted"] for each in cli_json("ls", "--json")}
    assert [name for name, is_fitted in said.items() if is_fitted] == [run.id]
    with closing(connect_reader(fitted)) as con:
        assert [each.id for each in queue(con) if each.fitted] == [run.id]
        assert _standing(con, run).split(", ")[0].endswith(f" with combination {run.best_epoch}")
        going = replace(run, state="running", epoch=3)
        assert _standing(con, going) == f"running: combination 3 of {run.epochs}"
    trained = replace(run, fitted=False)
    assert epochs_text(run) == f"fit 12/{run.epochs}"
    assert epochs_text(run, named=False) == epochs_text(trained) == f"12/{run.epochs}"
    (headline, _), *_ = _state(run, "", 60)[0]
    assert headline.endswith("all combinations") or run.cause != "completed"


def test_it_is_not_trained_further(fitted: StoreLocation) -> None:
    details = details_of(fitted)
    folder = fitted.folder(details.run.id)
    why = why_not_further(folder, details.run, details.spec, None)
    assert why is not None
    whole = replace(details.run, epoch=details.run.epochs)
    assert at_its_limit(replace(whole, fitted=False))
    assert not at_its_limit(whole)
    assert why.endswith("is of a fitted model, which has tried all its combinations of settings.")


def test_settings_that_are_null_are_tried() -> None:
    grid = {"window": (5, 10), "decay": (0.5,), "weights": ("1/distance", "flat")}
    given = {"window": None, "decay": 0.9, "weights": None}
    found = settings_to_try(given, grid)
    assert list(map(combination_text, found)) == [
        "window=5 weights=1/distance",
        "window=5 weights=flat",
        "window=10 weights=1/distance",
        "window=10 weights=flat",
    ]
    assert settings_to_try(given | {"window": 5, "weights": "flat"}, grid) == [{}]
    epochs = [{"epoch": 1, "settings": {}}, {"epoch": 2, "settings": {"window": 5}}]
    assert chosen_settings(epochs, 2) == {"window": 5}
    assert chosen_settings(epochs, None) == chosen_settings(epochs, 1) == {}
