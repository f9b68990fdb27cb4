"""``seqbench tune`` and ``seqbench studies``: what they queue, say and refuse."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.studies import trials_of

Run = Callable[..., Any]
TUNE = ("tune", "--model", "sasrec,gru4rec", "--dataset", "synthetic")


def test_a_study_begins_with_the_recipes_as_they_stand(
    held: StoreLocation, cli: Run, cli_json: Run
) -> None:
    begun = cli(*TUNE, "--set", "epochs=2", "--trials", "5")
    assert begun.exit_code == 0, begun.output
    assert begun.stdout == "sasrec-gru4rec-synthetic-l50\n"
    assert "5 trials of each of 2 models" in begun.stderr
    with closing(connect_reader(held)) as con:
        trials = trials_of(con, "sasrec-gru4rec-synthetic-l50")
    assert [(each.number, each.model, each.state) for each in trials] == [
        (0, "sasrec", "queued"), (1, "gru4rec", "queued"),
    ]  # fmt: skip
    assert [each.spec["training"]["epochs"] for each in trials] == [2, 2]
    # Another one of the same models has another name.
    assert cli_json(*TUNE, "--json") == {"study": "sasrec-gru4rec-synthetic-l50-2"}
    listed = cli_json("studies", "--json")
    assert [each["name"] for each in listed] == [
        "sasrec-gru4rec-synthetic-l50-2", "sasrec-gru4rec-synthetic-l50",
    ]  # fmt: skip
    assert {each["state"] for each in listed} == {"tuning"}
    shown = cli("studies", "show", "sasrec-gru4rec-synthetic-l50").stdout
    assert "tuning, 0 of 10 trials ended" in shown
    for run in trials:
        assert run.run in shown
        assert "of sasrec-gru4rec-synthetic-l50" in cli("show", run.run).stdout


def test_a_stopped_study_makes_no_further_trial(held: StoreLocation, cli: Run) -> None:
    cli(*TUNE, "--name", "mine")
    stopped = cli("studies", "stop", "mine")
    assert "makes no further trial" in stopped.stderr
    with closing(connect_reader(held)) as con:
        trials = trials_of(con, "mine")
        asked = con.rows("SELECT action, run FROM requests ORDER BY id")
    assert [each.end for each in trials] == ["stopped"] * 2
    assert [tuple(row) for row in asked] == [("cancel", each.run) for each in trials]
    assert "as it is" in cli("studies", "stop", "mine").stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("tune",), "--model is needed"),
        (("tune", "--model", "sasrec"), "--dataset is needed"),
        ((*TUNE, "--length", "20,50"), "A study has one length."),
        ((*TUNE, "--set", "lr=0.1,0.2"), "lr is given 2 values: put them into a space"),
        ((*TUNE, "--set", "refit=true"), "refit can't be in a study"),
        ((*TUNE, "--name", "No"), "A study's name is small letters"),
        ((*TUNE, "--name", "taken"), "There is a study 'taken' already: choose another name."),
        ((*TUNE, "--seed", "2147483647"), "leaves no 3 seeds after it"),
        ((*TUNE, "--prune", "asha", "--space", "epochs.yaml"), "sasrec tries epochs"),
        ((*TUNE, "--sampler", "grid"), "A grid needs the values of lr"),
        ((*TUNE, "--keep", "taken"), "--keep tunes nothing"),
        (("tune", "--keep", "taken"), "No trial of taken is done: there is nothing to keep."),
        (("tune", "--keep", "takne"), "There is no study 'takne': did you mean 'taken'?"),
        (("studies", "show", "takne"), "There is no study 'takne': did you mean 'taken'?"),
        (
            ("tune", "--model", "markov", "--dataset", "synthetic"),
            "markov is fitted, not trained: it tries its settings on validation by itself.",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    held: StoreLocation, cli: Run, tmp_path: Path, words: tuple[str, ...], problem: str
) -> None:
    (tmp_path / "epochs.yaml").write_text("name: sasrec\nspace:\n  epochs: [10, 20]\n")
    assert cli(*TUNE, "--name", "taken").exit_code == 0
    refused = cli(*words)
    assert refused.exit_code in (1, 2)
    assert problem in refused.stderr
    with closing(connect_reader(held)) as con:
        assert len(con.rows("SELECT 1 FROM runs")) == 2


def test_settings_that_all_trials_have_leave_the_space(
    held: StoreLocation, cli: Run, tmp_path: Path
) -> None:
    (tmp_path / "space.yaml").write_text("name: sasrec\nspace:\n  dropout: [0.1]\n")
    own = ("tune", "--model", "sasrec", "--dataset", "synthetic", "--space", "space.yaml")
    assert "Nothing of the space of sasrec is left" in cli(*own, "--set", "dropout=0.3").stderr
    assert cli(*own, "--name", "one", "--set", "lr=0.3").exit_code == 0
    with closing(connect_reader(held)) as con:
        (trial,) = trials_of(con, "one")
    (model,) = trial.spec["trial"]["study"]["models"]
    assert model["space"] == {"dropout": [0.1]}
    assert model["training"]["lr"] == trial.spec["training"]["lr"] == 0.3


def test_without_optuna_nothing_is_begun(held: StoreLocation, cli: Run, no_optuna: None) -> None:
    refused = cli(*TUNE)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "pip install 'seqbench[tune]'" in refused.stderr


def test_studies_are_listed_without_what_only_some_need(held: StoreLocation, cli: Run) -> None:
    assert cli(*TUNE, "--name", "one").exit_code == 0
    script = """
import sys
from tui.cli.main import seqbench
try:
    seqbench(["studies"], prog_name="seqbench")
except SystemExit:
    import tui.cli.studies.tune
    print({"optuna", "numpy", "torch", "pandas", "matplotlib", "textual"} & set(sys.modules))
"""
    command = [sys.executable, "-c", script]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[1].startswith("one ")
    assert told.splitlines()[-1] == "set()"


def test_without_a_study_the_list_says_how_to_begin_one(held: StoreLocation, cli: Run) -> None:
    assert "see `seqbench tune`" in cli("studies").stderr
