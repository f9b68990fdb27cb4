"""A duel with real processes: killed ones, a deleted store, the verdict and the report of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from typing import Any

import pytest
from user_lab import DEADLINE, Lab

from engine.journal import read_journal

DUEL = ("duel", "sasrec", "gru4rec", "--dataset", "tiny", "--length", "8", "--name", "mine")
SMALL = ("--set", "dim=16", "--set", "epochs=400", "--set", "patience=3", "--set", "lr=0.01")


def shown(lab: Lab) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lab.run("studies", "show", "mine", "--json"))
    return found


def chosen(lab: Lab) -> dict[tuple[str, int], int]:
    """How many epochs the runs of what was chosen have, by model and seed."""
    found = {}
    for folder in lab.location.folders():
        spec = json.loads(folder.spec.read_text())["spec"]
        if spec.get("chosen_by"):
            lines = [line for _, path in folder.journals() for line in read_journal(path).lines]
            key = spec["model"], spec["seed"]
            assert key not in found
            found[key] = sum(line.kind == "epoch" for line in lines)
    return found


@pytest.mark.slow
def test_a_duel_survives_what_is_killed_and_deleted(lab: Lab) -> None:
    command = lab.command(*DUEL, *SMALL, "--budget", "1", "--seeds", "5", "--wait")
    waiting = subprocess.Popen(command, env=lab.environment, stdout=subprocess.PIPE, text=True)
    for seed in (2, 4):
        lab.wait_until(lambda seed=seed: chosen(lab).get(("sasrec", seed)), f"seed {seed}")
        if (supervisor := lab.supervisor()) is not None:
            os.kill(supervisor, signal.SIGKILL)
        if seed == 4:
            for name in ("runs.db", "runs.db-wal", "runs.db-shm"):
                lab.location.db.with_name(name).unlink(missing_ok=True)
        lab.run("studies")  # as every command, it starts another supervisor
    lab.wait_until(lambda: shown(lab)["state"] == "done", "the duel to be over")

    found = shown(lab)
    duel = found["duel"]
    assert duel["outcome"] in ("decided", "futile", "used up")
    assert [look["seeds"] for look in duel["looks"]] == [*range(3, 1 + duel["seeds"])]
    models, seeds = ("sasrec", "gru4rec"), range(2, 2 + duel["tried"])
    assert chosen(lab).keys() == {(model, seed) for model in models for seed in seeds}
    assert duel["looks"][-1]["seeds"] == duel["seeds"] == duel["tried"]
    runs = json.loads(lab.run("compare", "--format", "json"))
    for place, model in enumerate(models):
        values = [row["NDCG@10/test"] for row in runs if row["model"] == model]
        mean = sum(values) / len(values)
        assert abs(duel["looks"][-1]["means"][place] - mean) < 1e-9
    text = lab.run("studies", "show", "mine")
    assert duel["verdict"] in text
    said, _ = waiting.communicate(timeout=DEADLINE)
    assert said.startswith("mine\n")
    assert said.endswith(f"{duel['verdict']}\n")
    assert waiting.returncode == (0 if duel["winner"] else 1)
    lab.run("db", "rebuild")
    assert shown(lab)["duel"] == duel

    for name in ("report.md", "report.html"):
        lab.run("report", "-o", str(lab.folder / name))
    report = (lab.folder / "report.md").read_text()
    section = report[report.index("## Duels") :]
    assert duel["verdict"].split("NDCG")[0] in section
    assert re.search(r"\| 3 \| [.0-9]+ \| [.0-9]+ \|", section)
    assert "Duels" in (lab.folder / "report.html").read_text()
