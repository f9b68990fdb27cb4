"""A run that is still improving at its limit, as its page looks, and the question for a higher
one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from live_app import know_the_surroundings
from measured_runs import MeasuredStore
from pilots import settled
from sizes import ONE_SIZE
from textual.pilot import Pilot

from tui.app import SeqbenchApp
from tui.run.screen import RunScreen

Compare = Callable[..., bool]


@pytest.mark.parametrize("size", ONE_SIZE, ids=str)
@pytest.mark.parametrize("asked", [False, True], ids=["page", "question"])
def test_still_improving(
    snap_compare: Compare,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    size: tuple[int, int],
    asked: bool,
) -> None:
    know_the_surroundings(monkeypatch, tmp_path)
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    store = MeasuredStore(tmp_path / "lab")
    run = store.add("xlstm", epochs=6, improving=True)

    async def look(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.app.push_screen(RunScreen(run))
        await settled(pilot)
        if asked:
            await pilot.press("m")
        await settled(pilot)

    assert snap_compare(SeqbenchApp(store.location), terminal_size=size, run_before=look)
