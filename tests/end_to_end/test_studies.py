"""A study with real processes: `tune`, killed processes, a deleted store, and `tune --keep`."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from user_lab import Lab

from engine.journal import JournalLine, read_journal
from engine.store.connect import connect_reader
from engine.store.studies import trials_of

AXES = ("--dataset", "tiny", "--length", "8", "--name", "mine", "--seed", "3")
SPACE = """\
name: sasrec
space:
  lr: {low: 0.001, high: 0.1, log: true}
  dropout: [0.1, 0.5]
"""


def shown(lab: Lab) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lab.run("studies", "show", "mine", "--json"))
    return found


def _journal(lab: Lab, number: int) -> list[JournalLine]:
    """What the attempts at a trial wrote."""
    for folder in lab.location.folders():
        trial = json.loads(folder.spec.read_text())["spec"].get("trial")
        if trial is not None and trial["number"] == number:
            return [line for _, path in folder.journals() for line in read_journal(path).lines]
    return []


def _trains(lab: Lab, number: int) -> bool:
    return sum(line.kind == "epoch" for line in _journal(lab, number)) > 1


def test_a_study_survives_what_is_killed_and_deleted(lab: Lab) -> None:
    (lab.folder / "space.yaml").write_text(SPACE)
    small = ("--set", "dim=16", "--set", "epochs=30", "--set", "patience=100")
    own = ("--space", str(lab.folder / "space.yaml"), "--trials", "4", "--final-seeds", "2")
    assert lab.run("tune", "--model", "sasrec", *AXES, *small, *own).strip() == "mine"

    for number in (0, 1, 2):
        lab.wait_until(partial(_trains, lab, number), f"trial {number} to train")
        supervisor = lab.supervisor()
        starts = [line for line in _journal(lab, number) if line.kind == "start"]
        victims = [starts[-1].fields["pid"]] if number == 1 else filter(None, [supervisor])
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        if number == 2:
            for name in ("runs.db", "runs.db-wal", "runs.db-shm"):
                lab.location.db.with_name(name).unlink(missing_ok=True)
        lab.run("studies")  # as every command, it starts another supervisor

    lab.wait_until(lambda: shown(lab)["state"] == "done", "the study to be over")
    found = shown(lab)
    assert [(each["trial"], each["state"]) for each in found["trials"]] == [
        (number, "done") for number in range(4)
    ]
    (chosen,) = found["chosen"]
    values = [each["valid_ndcg"] for each in found["trials"]]
    assert chosen["valid_ndcg"] == max(values)
    assert chosen["trials"] == 4
    assert len(found["final_runs"]) == 2
    for folder in lab.location.folders():
        spec = json.loads(folder.spec.read_text())["spec"]
        text = "".join(path.read_text() for _, path in folder.journals())
        assert ("test_ndcg" in text) == folder.test_ranks.exists() == ("trial" not in spec)
        if "trial" not in spec:
            assert spec["chosen_by"]["trials"] == 4
            assert spec["training"]["lr"] == chosen["settings"]["lr"]

    rows = list(csv.DictReader(io.StringIO(lab.run("studies", "show", "mine", "--csv"))))
    assert [row["trial"] for row in rows] == ["0", "1", "2", "3"]
    assert [float(row["valid_ndcg"]) for row in rows] == values
    compared = json.loads(lab.run("compare", "--format", "json"))
    assert {row["profile"] for row in compared} == {"study-mine"}
    assert {row["Trials"] for row in compared} == {4}
    seconds = sum(each["seconds"] for each in found["trials"])
    assert [row["TuningTime"] for row in compared] == [pytest.approx(seconds)] * 2

    (recipe,) = lab.run("tune", "--keep", "mine").split()
    kept = yaml.safe_load(Path(recipe).read_text())["profiles"]["study-mine"]["chosen"]
    assert kept == {"study": "mine", "trials": 4, "seconds": pytest.approx(seconds)}
    again = ("run", "--model", "sasrec", "--dataset", "tiny", "--length", "8")
    planned = json.loads(
        lab.run(*again, "--profile", "study-mine", "--seed", "4,5,6", "--dry-run", "--json")
    )
    assert [bool(each["present"]) for each in planned] == [True, True, False]
    with closing(connect_reader(lab.location)) as con:
        assert {each.end for each in trials_of(con, "mine")} == {"over"}


def test_a_grid_is_followed_to_its_end(lab: Lab) -> None:
    (lab.folder / "space.yaml").write_text("name: sasrec\nspace:\n  dropout: [0.1, 0.5]\n")
    own = ("--space", str(lab.folder / "space.yaml"), "--sampler", "grid", "--final-seeds", "1")
    small = ("--set", "dim=16", "--set", "epochs=1", "--wait", "--json")
    found = json.loads(lab.run("tune", "--model", "sasrec", *AXES, *own, *small))
    assert found["state"] == "done"
    # The recipe as it stands, and then each combination.
    assert [each["settings"]["dropout"] for each in found["trials"]] == [0.3, 0.1, 0.5]
    (line,) = lab.run("studies").splitlines()[1:]
    assert line.split()[:5] == ["mine", "tiny", "8", "sasrec", "3/20"]
    assert line.endswith("done")
