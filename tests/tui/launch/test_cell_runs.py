"""The runs of the cell under the cursor: the list, the curve beside it, opening one of them."""

from __future__ import annotations

import pytest
from live_runs import LiveStore
from pilots import settled, wait_for
from textual.pilot import Pilot

from engine.config import load_catalogue
from engine.order import parse_settings
from engine.planning import order_of_cells, plan
from engine.store.requests import enqueue
from tui.app import SeqbenchApp
from tui.charts.run_charts import RunCharts
from tui.launch.cell_runs import ListedRun, RunList
from tui.launch.screen import LaunchScreen
from tui.run.screen import RunScreen


def rows(pilot: Pilot[None]) -> list[str]:
    """The lines of the list, without what fills them."""
    found = pilot.app.screen.query(RunList)
    return [each.render_line(y).text.rstrip() for each in found for y in range(each.size.height)]


@pytest.fixture
def swept(empty_store: LiveStore) -> list[str]:
    """Runs of two learning rates and two seeds, of which the first is trained."""
    catalogue = load_catalogue()
    cell = ("sasrec", "synthetic", 50)
    settings = parse_settings("lr=0.01,0.002")
    order = order_of_cells(catalogue, [cell], (1, 2), settings=settings)
    specs = [run.spec for run in plan(catalogue, order, ()).runs]
    runs = enqueue(empty_store.location, specs)
    empty_store.train(runs[0], 5, end="done")
    return runs


async def test_each_run_is_told_by_what_differs(empty_store: LiveStore, swept: list[str]) -> None:
    async with SeqbenchApp(empty_store.location).run_test(size=(120, 50)) as pilot:
        await wait_for(pilot, lambda: "settings" in "".join(rows(pilot)[:1]), "the list")
        found = [row.split() for row in rows(pilot)[1:5]]
        assert {(row[1], row[-1]) for row in found} == {
            (seed, lr) for seed in "12" for lr in ("lr=0.01", "lr=0.002")
        }
        [done] = [row for row in found if row[0] == "●"]
        assert (done[1], done[-1]) == ("1", "lr=0.01")
        assert float(done[2]) > 0
        screen = pilot.app.screen
        assert isinstance(screen, LaunchScreen)
        screen.query_one(RunList).focus()
        await pilot.press("end", "up", "down", "home")
        while screen.cell.chosen != swept[0]:
            await pilot.press("down")
        charts = screen.query_one(RunCharts)
        await wait_for(pilot, lambda: charts.main and charts.main.known.epoch == 5, "its curve")
        empty_store.launch("sasrec", seed=9)
        await wait_for(pilot, lambda: any(row.split()[1:2] == ["9"] for row in rows(pilot)), "it")
        assert screen.cell.chosen == swept[0], "the chosen one stays"
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "its page")
        await pilot.press("escape", "escape")
        await wait_for(pilot, lambda: screen.grid.has_focus, "the grid")
        await pilot.press("down")
        await wait_for(pilot, lambda: not screen.query_one("#cell-runs").display, "no runs")


async def test_where_there_is_no_room_nothing_is_read(busy_store: LiveStore) -> None:
    async with SeqbenchApp(busy_store.location).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("right", "left")
        await settled(pilot)
        assert not pilot.app.screen.query(RunList)
        await pilot.resize_terminal(120, 40)
        await wait_for(pilot, lambda: len(rows(pilot)) > 2, "the list")


def test_a_list_shows_the_part_that_the_chosen_run_is_in() -> None:
    runs = [ListedRun(f"r{n}", "done", n, None, 0.0, "") for n in range(100)]
    table = RunList()
    table._runs, table._total = runs, 2_000
    for chosen, first in ((0, 0), (8, 0), (9, 1), (99, 91), (95, 91), (90, 90), (0, 0)):
        table._at = chosen
        lines = table.draw(60, 10)
        assert len(lines) == 10
        assert lines[0][0][0].endswith(f" {first + 1}–{first + 9} of 2,000")
        assert lines[1][1][0].split()[0] == str(first)
