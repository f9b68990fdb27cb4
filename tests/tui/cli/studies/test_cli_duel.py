"""``seqbench duel``: what it queues, says and refuses."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.studies import trials_of

Run = Callable[..., Any]
DUEL = ("duel", "sasrec", "gru4rec", "--dataset", "synthetic")


def test_a_duel_begins_as_a_study_of_both(held: StoreLocation, cli: Run, cli_json: Run) -> None:
    begun = cli(*DUEL, "--set", "epochs=2", "--budget", "5", "--seeds", "8")
    assert begun.exit_code == 0, begun.output
    assert begun.stdout == "sasrec-gru4rec-synthetic-l50\n"
    assert "5 trials of each model, then 3 to 8 seeds" in begun.stderr
    with closing(connect_reader(held)) as con:
        trials = trials_of(con, "sasrec-gru4rec-synthetic-l50")
    assert [each.model for each in trials] == ["sasrec", "gru4rec"]
    for trial in trials:
        study = trial.spec["trial"]["study"]
        assert (study["trials"], study["final_seeds"], study["duel"]) == (5, 3, 8)
    shown = cli("studies", "show", "sasrec-gru4rec-synthetic-l50").stdout
    assert "sasrec against gru4rec on synthetic at length 50: not decided yet" in shown
    found = cli_json("studies", "show", "sasrec-gru4rec-synthetic-l50", "--json")["duel"]
    assert (found["outcome"], found["winner"], found["most"]) == ("going on", None, 8)
    assert found["looks"] == []
    assert cli_json(*DUEL, "--json") == {"study": "sasrec-gru4rec-synthetic-l50-2"}


def test_other_studies_have_no_duel(held: StoreLocation, cli: Run, cli_json: Run) -> None:
    cli("tune", "--model", "sasrec", "--dataset", "synthetic", "--name", "mine")
    assert "duel" not in cli_json("studies", "show", "mine", "--json")
    with closing(connect_reader(held)) as con:
        (trial,) = trials_of(con, "mine")
    assert "duel" not in trial.spec["trial"]["study"]


def test_a_duel_that_is_stopped_at_its_trials_goes_on_with_the_best_so_far(
    held: StoreLocation, cli: Run
) -> None:
    cli(*DUEL, "--name", "mine")
    assert "what it chose is trained next" in cli("studies", "stop", "mine").stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("duel", "sasrec", "gru4rec"), "--dataset is needed."),
        (("duel", "sasrec", "--dataset", "synthetic"), "Missing argument 'MODEL'"),
        (("duel", "sasrec", "sasrec", *DUEL[3:]), "name two different ones"),
        (("duel", "sasrec", "markov", *DUEL[3:]), "markov is fitted, not trained"),
        (("duel", "sasrec", "gru4rek", *DUEL[3:]), "gru4rek"),
        ((*DUEL, "--seeds", "2"), "2 is not in the range 3<=x<=100"),
        ((*DUEL, "--length", "20,50"), "A study has one length."),
        ((*DUEL, "--seed", "2147483640"), "leaves no 10 seeds after it"),
    ],
)
def test_what_cannot_be_is_refused(
    held: StoreLocation, cli: Run, words: tuple[str, ...], problem: str
) -> None:
    refused = cli(*words)
    assert refused.exit_code in (1, 2)
    assert problem in refused.stderr
    assert not held.db.exists()
