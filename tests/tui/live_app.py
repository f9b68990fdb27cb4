"""The app on its Live screen, over a store of known runs, at a known moment, on a known machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from live_runs import NOW
from pilots import wait_for
from textual.pilot import Pilot
from textual.widgets import Static

from engine.machine import slots, telemetry
from engine.machine.busyprocesses import BusyProcesses
from engine.machine.telemetry import HostSample, Sample
from tui.app import SeqbenchApp
from tui.charts.charted import ChartedScreen
from tui.compare import rows as compared
from tui.live import screen as live
from tui.live.device_panel import HISTORY, DevicePanel
from tui.live.queue_table import QueueTable
from tui.live.run_facts import RunFacts
from tui.live.screen import LiveScreen


class KnownSampler(telemetry.Sampler):
    """Reads this machine, and reports another: pictures must be alike everywhere."""

    def sample(self) -> Sample:
        super().sample()
        note = "No GPU found; showing CPU and RAM"
        return Sample(NOW, HostSample(43.0, 6_144.0, 24_576.0, 1.5, 8), (), note)


def know_the_surroundings(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Fix time, machine and home folder."""
    monkeypatch.setattr(telemetry, "Sampler", KnownSampler)
    monkeypatch.setattr(slots, "detect_slots", lambda settings: slots.divide(settings, [], 8))
    monkeypatch.setattr(BusyProcesses, "look", lambda *_: [])
    monkeypatch.setattr(live, "wall_clock", lambda: NOW)
    monkeypatch.setattr(compared, "ago", lambda _: "2 h ago")
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(SeqbenchApp, "look_after_queue", lambda app: None)
    monkeypatch.setenv("HOME", str(home))


def live_screen(pilot: Pilot[None]) -> LiveScreen:
    screen = pilot.app.screen
    assert isinstance(screen, LiveScreen)
    return screen


async def show_live(pilot: Pilot[None]) -> LiveScreen:
    """Go to the Live screen, and wait until it knows store, machine and (if any) a run."""
    app = pilot.app
    assert isinstance(app, SeqbenchApp)
    await wait_for(pilot, lambda: app.snapshot.version and app.device, "store and device known")
    await pilot.press("2")
    await wait_for(pilot, lambda: isinstance(app.screen, LiveScreen), "live screen")
    screen = live_screen(pilot)
    if app.snapshot.exists and app.snapshot.counts:
        await wait_for(pilot, lambda: screen._facts is not None, "a run is shown")
        await curves_read(pilot, screen)
        device = screen.query_one(DevicePanel)
        await wait_for(pilot, lambda: device._sample is not None, "the machine is shown")
    else:
        empty = screen.query_one("#empty", Static)
        await wait_for(pilot, lambda: empty.content, "the store is read")
    await pilot.pause()
    return screen


async def select(pilot: Pilot[None], run_id: str) -> LiveScreen:
    """Move the cursor to a run, and wait until it is shown."""
    screen = live_screen(pilot)
    runs = [run.id for run in screen.query_one(QueueTable)._runs]
    await pilot.press("home", *["down"] * runs.index(run_id))
    facts = screen.query_one(RunFacts)
    await wait_for(pilot, lambda: facts._facts and facts._facts.run.id == run_id, "run shown")
    await curves_read(pilot, screen)
    return screen


async def curves_read(pilot: Pilot[None], screen: ChartedScreen) -> None:
    """Wait until the charts have read of every run that they show."""
    charts = screen.charts
    await wait_for(
        pilot,
        lambda: charts.runs and all(curves.run is not None for curves in charts.runs),
        "the curves",
    )


async def still(pilot: Pilot[None]) -> None:
    """Fill the history of the machine, so that its length doesn't depend on the moment."""
    panel = pilot.app.screen.query_one(DevicePanel)
    assert panel._sample is not None
    for _ in range(HISTORY):
        panel.show(panel._sample)
    await pilot.pause()
