"""The energy of runs in commands: where it is known its columns, and where it isn't nothing."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from measured_runs import MeasuredStore, journal
from reported_runs import add_reported

from engine.store.location import StoreLocation

Run = Callable[..., Result]
EPOCHS = 14


@pytest.fixture
def runs(held: StoreLocation, tmp_path: Path) -> list[str]:
    """Two seeds of a cell that took 10 and 11 J in each epoch, and one of before."""
    store = MeasuredStore(tmp_path)
    found = [add_reported(store, "sasrec", 50, seed) for seed in (1, 2)]
    for seed, run in enumerate(found, 1):
        lines = journal("sasrec", "ml-100k", 50, seed, EPOCHS, "done")
        for line in lines:
            if line["kind"] == "epoch":
                line |= {"gpu_joules": 9.0 + seed, "cpu_joules": None}
        store.ran(run, lines)
    return [*found, add_reported(store, "bert4rec", 50, 1)]


def test_energy_is_in_columns_with_what_it_is_of(runs: list[str], cli: Run) -> None:
    asked = (
        "--columns",
        "run,bestepoch,cost",
        "--sort",
        "epoch_energy",
        "--quality",
        "ndcg=0.0001",
    )
    found = list(csv.DictReader(io.StringIO(cli("compare", *asked, "--format", "csv").stdout)))
    names = ("EpochEnergy (J)", "EnergyToBest (J)", "TotalEnergy (J)", "EnergyToQuality (J)")
    told = {row["run"]: ([row[name] for name in names], row["EnergyOf"]) for row in found}
    one, other, before = runs
    best = {row["run"]: int(row["BestEpoch"]) for row in found}
    assert [float(text) for text in told[one][0]] == [10, 10 * best[one], 10 * EPOCHS, 10]
    assert told[other][0][0] == "11.0"
    assert {told[one][1], told[other][1]} == {"GPU"}
    assert told[before] == ([""] * 4, "")
    assert [row["run"] for row in found] == [other, one, before]
    cells = json.loads(
        cli("compare", "--by-cell", "--quality", "ndcg=0.0001", "--format", "json").stdout
    )
    known = {cell["model"]: [cell[name] for name in names] for cell in cells}
    to_best = (10 * best[one] + 11 * best[other]) / 2
    assert known["sasrec"] == pytest.approx([10.5, to_best, 10.5 * EPOCHS, 10.5])
    assert known["bert4rec"] == [None] * 4


def test_a_run_without_energy_has_no_line_of_it(runs: list[str], cli: Run) -> None:
    shown = " ".join(cli("show", runs[0]).stdout.split())
    assert re.search(
        r"energy 10\.000 J per epoch \(median\), 1?\d0\.\d+ J to the chosen one", shown
    )
    assert "J to the chosen one, 140.00 J in all (GPU)" in shown
    assert " energy " not in cli("show", runs[2]).stdout
    asked = ("compare", "--quality", "ndcg=0.0001")
    assert "EnergyToQuality" not in cli(*asked, "--filter", "model:bert4rec").stdout
    assert "EnergyToQuality" in cli(*asked).stdout


def test_the_report_has_energy_among_the_costs_and_says_of_what(runs: list[str], cli: Run) -> None:
    said = cli("report").stdout
    assert "Energy per epoch, J" in said
    assert "Energy to the chosen epoch, J" in said
    assert "Energy to quality, J" in said
    assert "10.500 ± 0.707" in said
    assert "where it isn't known of an epoch; of GPU." in said
    of_before = cli("report", "--filter", "model:bert4rec").stdout
    assert "Energy" not in of_before
