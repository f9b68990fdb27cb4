"""Training on past a limit of epochs, with real processes: `run`, `continue`, a kill, `rebuild`."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from typing import Any

import pytest
from user_lab import Lab

from engine.journal import read_journal
from engine.metrics import EPOCH_ENERGY, EPOCH_TIMES
from engine.store import queries, series
from engine.store.connect import connect_reader
from engine.store.requests import request_delete

SETTINGS = ("--set", "dim=16", "--set", "batch_size=4", "--set", "patience=100000")
RUN = ("run", "--model", "sasrec", "--dataset", "tiny", "--length", "8", *SETTINGS)
TIMED = {*EPOCH_TIMES, *EPOCH_ENERGY, "gpu_memory_mib", "gpu_utilization"}
WHERE = {"run", "attempt", "seq", "t"}


def run_of(lab: Lab, run: str) -> queries.Run:
    with closing(connect_reader(lab.location)) as con:
        found = queries.get_run(con, run)
    assert found is not None
    return found


def figures(lab: Lab, run: str) -> list[dict[str, Any]]:
    with closing(connect_reader(lab.location)) as con:
        rows = series.epochs(con, run)
    return [{k: v for k, v in row.items() if k not in TIMED | WHERE} for row in rows]


def wait_state(lab: Lab, run: str, state: str) -> None:
    lab.wait_until(lambda: run_of(lab, run).state == state, f"{run} to be {state}")


def wait_epoch(lab: Lab, run: str, epoch: int, attempt: int) -> None:
    def reached() -> bool:
        found = run_of(lab, run)
        return found.attempt == attempt and (found.epoch or 0) >= epoch

    lab.wait_until(reached, f"epoch {epoch} of {run}, by attempt {attempt}")


def short_run(lab: Lab) -> str:
    """A run that is done, at its limit of three epochs."""
    run = lab.run(*RUN, "--set", "epochs=3").strip()
    wait_state(lab, run, "done")
    return run


@pytest.mark.slow
def test_a_run_goes_on_when_the_other_is_gone_and_its_worker_killed(lab: Lab) -> None:
    short = short_run(lab)
    lab.run("pause")
    further = lab.run("continue", short, "--epochs", "100000").strip()
    request_delete(lab.location, [short])
    lab.run("resume")
    wait_epoch(lab, further, 6, attempt=2)
    folder = lab.location.folder(further)
    lines = read_journal(folder.journal(2)).lines
    begun = next(line.fields for line in lines if line.kind == "start")
    os.kill(begun["pid"], signal.SIGKILL)
    wait_epoch(lab, further, 9, attempt=3)
    lab.run("cancel", further)
    wait_state(lab, further, "cancelled")
    assert not lab.location.folder(short).path.exists()

    anew = lab.run(*RUN, "--set", "epochs=100000").strip()
    wait_epoch(lab, anew, run_of(lab, further).epoch or 0, attempt=1)
    lab.run("cancel", anew)
    wait_state(lab, anew, "cancelled")
    assert run_of(lab, anew).fingerprint == run_of(lab, further).fingerprint
    found = figures(lab, further)
    assert [row["epoch"] for row in found] == list(range(1, len(found) + 1))
    assert found == figures(lab, anew)[: len(found)]
    assert begun["resumed_epoch"] == 3

    for path in lab.made.glob("runs.db*"):
        path.unlink()
    lab.run("db", "rebuild")
    assert figures(lab, further) == found


@pytest.mark.slow
def test_a_run_does_not_go_on_with_other_data(lab: Lab) -> None:
    short = short_run(lab)
    file = lab.folder / "data" / "tiny" / "u.data"
    rows = [line.rsplit("\t", 1) for line in file.read_text().splitlines()]
    file.write_text("".join(f"{row}\t{600 - int(at)}\n" for row, at in rows))
    further = lab.run("continue", short, "--epochs", "4").strip()
    wait_state(lab, further, "failed")
    run = run_of(lab, further)
    assert run.cause == "data"
    assert run.message is not None
    assert str(file) in run.message
    assert "put the old file back" in run.message
    assert (run.epoch, run_of(lab, short).state) == (3, "done")
