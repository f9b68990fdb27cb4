"""`suite save`: what `run` would queue, kept under a name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from engine.store.location import StoreLocation

Run = Callable[..., Result]
RunJson = Callable[..., Any]

CHOICE = ("--model", "sasrec,xlstm", "--dataset", "synthetic", "--seed", "1,2", "--set", "epochs=3")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEQBENCH_CONFIG", raising=False)


def test_a_saved_choice_is_run_by_its_name(
    held: StoreLocation, cli: Run, cli_json: RunJson, tmp_path: Path
) -> None:
    saved = cli("suite", "save", "mine", "--title", "Two models", *CHOICE)
    assert saved.exit_code == 0, saved.stderr
    assert saved.stdout.strip() == str(tmp_path / "configs/suites/mine.yaml")
    assert "4 runs" in saved.stderr
    plan = cli_json("run", "--suite", "mine", "--dry-run", "--json")
    assert [(run["model"], run["seed"]) for run in plan] == [
        ("sasrec", 1), ("sasrec", 2), ("xlstm", 1), ("xlstm", 2),
    ]  # fmt: skip
    assert cli_json("suite", "show", "mine", "--json")["overrides"] == {"epochs": 3}


def test_it_is_replaced_only_if_that_is_said(cli: Run, cli_json: RunJson) -> None:
    cli("suite", "save", "mine", *CHOICE)
    again = cli("suite", "save", "mine", *CHOICE, "--length", "20")
    assert again.exit_code == 2
    assert "There is a suite 'mine' already" in again.stderr
    assert "give --replace to write it anew." in again.stderr
    assert cli_json("suite", "show", "mine", "--json")["lengths"] == [50]
    assert cli("suite", "save", "mine", *CHOICE, "--length", "20", "--replace").exit_code == 0
    assert cli_json("suite", "show", "mine", "--json")["lengths"] == [20]


def test_a_part_of_a_suite_that_names_cells_keeps_them(cli: Run, cli_json: RunJson) -> None:
    folder = Path("configs/suites")
    folder.mkdir(parents=True)
    (folder / "few.yaml").write_text(
        "name: few\ntitle: Few\nmodels: [sasrec, xlstm]\ndatasets: [synthetic, ml-100k]\n"
        "lengths: [50]\ncells: [[sasrec, synthetic, 50], [xlstm, ml-100k, 50]]\nseeds: [1]\n"
    )
    assert "xlstm × ml-100k × 50" in cli("suite", "show", "few").stdout
    assert cli("suite", "save", "part", "--suite", "few", "--model", "xlstm").exit_code == 0
    part = cli_json("suite", "show", "part", "--json")
    assert (part["models"], part["datasets"], part["cells"]) == (["xlstm"], ["ml-100k"], [])
    nothing = cli("run", "--suite", "few", "--model", "xlstm", "--dataset", "synthetic")
    assert nothing.exit_code == 2
    assert "has no such cell" in nothing.stderr


def test_a_name_of_ours_is_not_taken(cli: Run) -> None:
    taken = cli("suite", "save", "smoke", *CHOICE)
    assert taken.exit_code == 2
    assert "is the name of a suite in" in taken.stderr
