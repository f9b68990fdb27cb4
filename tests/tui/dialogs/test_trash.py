"""The picture of the dialog that lists deleted runs."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from live_app import know_the_surroundings
from live_runs import NOW
from measured_runs import MeasuredStore
from pilots import settled, wait_for
from sizes import Sizes, by_x
from textual.pilot import Pilot
from textual.screen import Screen

from engine.store.intake.trash import Deleted, throw_away
from tui.app import SeqbenchApp
from tui.dialogs import trash
from tui.dialogs.trash import TrashScreen
from tui.shell.text import ago

DAY = 86_400


def test_picture(snap_sizes: Sizes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know_the_surroundings(monkeypatch, tmp_path)
    monkeypatch.setattr(trash, "ago", partial(ago, now=NOW))
    monkeypatch.setattr(Deleted, "bytes", 5_123_456)  # filesystems differ
    monkeypatch.setattr(SeqbenchApp, "MODES", {"launch": Screen})  # the dialog alone
    store = MeasuredStore(tmp_path)
    noted = store.add("sasrec", seed=1)
    store.set(noted, note="for the [b]paper, " + "a note that goes on " * 9)
    throw_away(store.location, noted, NOW - 9 * DAY)
    throw_away(store.location, store.add("bert4rec", epochs=0, end="failed"), NOW - 3_600)
    for seed in range(30):
        throw_away(store.location, store.add("xlstm", seed=seed, epochs=1), NOW - 4 * DAY)

    async def look(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("U")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, TrashScreen), "the trash")
        await pilot.press("down")
        await settled(pilot)

    snap_sizes(SeqbenchApp(store.location), look, by_x)
