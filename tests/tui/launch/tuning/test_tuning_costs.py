"""What the dialog for a study says that it will cost, and where its runs go."""

from __future__ import annotations

import random
import re
import socket
from contextlib import closing

import psutil
import pytest
from live_runs import NOW, LiveStore, epoch_line, start
from pilots import screen_text, settled, wait_for
from textual.widgets import Label
from tune_dialog import BOTH, begin, open_dialog, said, type_into

from engine.machine.slots import Slot
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.launch import cluster as launch_cluster

pytestmark = pytest.mark.usefixtures("no_data")


async def test_the_cost_is_that_of_past_runs(
    empty_store: LiveStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = [Slot("cpu/0", "cpu", "CPU", 2)]
    monkeypatch.setattr("engine.machine.slots.detect_slots", lambda settings: one)
    run, chance = empty_store.launch("sasrec", epochs=60), random.Random(1)
    empty_store.mark(run, "running")
    end = {"kind": "end", "status": "done", "cause": "completed", "seconds": 12.0}
    lines = [start(host=socket.gethostname()), *(epoch_line(n, chance) for n in range(1, 4))]
    empty_store.journal(run, [*lines, {"t": NOW, "best_epoch": 3, "epochs_trained": 3, **end}])
    async with SeqbenchApp(empty_store.location).run_test(size=(120, 36)) as pilot:
        screen = await open_dialog(pilot, settings="epochs=60")
        await wait_for(pilot, lambda: "past runs" in said(screen, "cost"), "the machine")
        sasrec, gru4rec, *_ = said(screen, "cost").splitlines()
        assert re.search("20 trials, about .* s; then 3 runs, about 36 s$", sasrec)
        assert gru4rec.endswith("20 trials, then 3 runs of the best")
        assert "46 runs, time not known yet" in screen_text(pilot.app)
        await pilot.press("escape")
        await open_dialog(pilot, BOTH[1:], settings="epochs=60")
        assert "23 runs, about " in screen_text(pilot.app)
        assert " in 1 slot " in screen_text(pilot.app)


async def test_a_study_goes_to_a_cluster(
    absent_store: StoreLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch_cluster, "on_cluster", lambda: True)
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        screen = await open_dialog(pilot)
        assert "Where" in [str(label.content) for label in screen.query(Label)]
        await type_into(pilot, screen, launcher="slurm")
        assert "slurm: " in said(screen, "cost")
        await begin(pilot)
    with closing(connect_reader(absent_store)) as con:
        assert {row[0] for row in con.rows("SELECT launcher FROM runs")} == {"slurm"}


async def test_leaving_ends_what_is_being_measured(
    absent_store: StoreLocation, measures: None
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        screen = await open_dialog(pilot, measured=False)
        await wait_for(pilot, lambda: screen._measuring.process, "a measurement begins")
        assert "measuring 2 runs …" in said(screen, "cost")
        assert screen._measuring.process is not None
        pid = screen._measuring.process.pid
        await pilot.press("escape")
        await wait_for(pilot, lambda: not psutil.pid_exists(pid), "its process is gone")
        await settled(pilot)


@pytest.mark.slow
async def test_what_no_run_tells_is_measured(absent_store: StoreLocation, measures: None) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        screen = await open_dialog(pilot, BOTH[1:], settings="epochs=3", measured=False)
        await wait_for(
            pilot, lambda: "measured just now" in said(screen, "cost"), "it is measured", 100
        )
        assert "20 trials, at most" in said(screen, "cost")
        assert "; then 3 runs, at most" in said(screen, "cost")
        assert "23 runs, at most" in screen_text(pilot.app)
