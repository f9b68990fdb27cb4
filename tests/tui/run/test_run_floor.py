"""Where a run's cell stands against the floor, on the run's page."""

from __future__ import annotations

from pathlib import Path

import pytest
from floor_stores import floor_store
from pilots import settled, wait_for
from textual.widgets import Static

from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader
from tui.app import SeqbenchApp
from tui.run.screen import RunScreen


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("sasrec", "Its cell is above the floor, Markov counts"),
        ("bert4rec", "Its cell can't be distinguished from the floor, Markov"),
        ("markov", ""),
    ],
)
async def test_its_page_says_where_its_cell_stands(tmp_path: Path, model: str, words: str) -> None:
    store = floor_store(tmp_path)
    con = connect_reader(store.location)
    run = next(run for run, cell in counted_runs(con, Choice()).items() if cell.model == model)
    con.close()
    app = SeqbenchApp(store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        await wait_for(pilot, lambda: app.catalogue is not None, "the configuration")
        app.call_later(app.open_run, run)
        await wait_for(pilot, lambda: isinstance(app.screen, RunScreen), "the page")
        await settled(pilot)

        def text() -> str:
            return str(app.screen.query_one("#result", Static).content)

        await wait_for(pilot, lambda: "95 % over users" in text(), "the ranks are read")
        assert words in text()
        assert ("the floor" in text()) == bool(words)
