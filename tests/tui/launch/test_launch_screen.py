from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from live_runs import LiveStore
from pilots import screen_text, settled, wait_for
from textual.pilot import Pilot
from textual.widgets import Input, Static, TextArea

from engine.analysis.columns.text import spread_text
from engine.config import load_catalogue
from engine.spec import parameter_count
from engine.store.compare.grouping import Choice, cell_table
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.queries import Run, list_runs, run_spec
from engine.store.requests import enqueue
from tui.app import SeqbenchApp
from tui.launch.confirm import ConfirmScreen
from tui.launch.grid.cells import CellKey
from tui.launch.grid.grid import CellGrid
from tui.launch.screen import LaunchScreen

SIZES = [(80, 24), (120, 36), (200, 50)]


@pytest.fixture(autouse=True)
def no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)


def launch_screen(pilot: Pilot[None]) -> LaunchScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, LaunchScreen)
    return screen


def shown(pilot: Pilot[None], selector: str) -> str:
    return str(pilot.app.screen.query_one(selector, Static).content)


def runs(location: StoreLocation) -> list[Run]:
    with closing(connect_reader(location)) as connection:
        return list_runs(connection)


async def test_a_fresh_machine_launches_with_enter_enter(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert not launch_screen(pilot).grid.selected
        assert "1 to launch" in shown(pilot, "#summary")
        assert not absent_store.db.exists()
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "confirm")
        spec = load_catalogue().run_spec("sasrec", "synthetic", 50, 42)
        assert f"{parameter_count(spec):,}" in shown(pilot, "#facts")
        assert "not known yet" in shown(pilot, "#facts")
        await pilot.press("enter")
        await wait_for(pilot, lambda: pilot.app.current_mode == "live", "Live")
    [run] = runs(absent_store)
    assert (run.model, run.dataset, run.length, run.seed) == ("sasrec", "synthetic", 50, 42)
    assert run.state == "queued"


async def test_in_few_lines_the_grid_comes_first(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(40, 10)) as pilot:
        await settled(pilot)
        assert sum("·" in row for row in screen_text(pilot.app).splitlines()[4:7]) == 3, (
            "cells are in sight"
        )
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        assert launch_screen(pilot).query_one("#summary").region.height


async def test_enter_means_the_cursor_until_cells_are_selected(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        screen = launch_screen(pilot)
        await pilot.press("down", "down", "down")
        under = screen.grid.cursor_key
        assert under == ("bert4rec", "synthetic", 50)
        assert screen.desk.order is not None
        assert set(screen.desk.order.cells) == {under}
        assert screen.desk.border_title == "⏎ launches the cell under the cursor"
        await pilot.press("space", "up")
        await wait_for(pilot, lambda: screen.desk.border_title == "Selection", "the selection")
        assert set(screen.desk.order.cells) == {under}
        await pilot.press("escape", "enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "confirm")
        await pilot.press("enter")
        await wait_for(pilot, lambda: pilot.app.current_mode == "live", "Live")
    [run] = runs(absent_store)
    assert (run.model, run.dataset, run.length) == ("sasrec", "synthetic", 100)


async def test_a_copy_that_is_not_the_published_one_is_said_on_its_column_and_line(
    absent_store: StoreLocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "data" / "ml-100k" / "u.data"
    copy.parent.mkdir(parents=True)
    copy.write_text("1\t2\t3\t4\n")
    monkeypatch.setenv("SEQBENCH_DATA", str(tmp_path / "data"))
    async with SeqbenchApp(absent_store).run_test(size=(160, 40)) as pilot:
        await settled(pilot)
        grid = launch_screen(pilot).grid
        while grid.cursor_key is None or grid.cursor_key[1] != "ml-100k":
            await pilot.press("right")
        await wait_for(pilot, lambda: "is not the published file" in shown(pilot, "#detail"), "it")
        assert f"Data        ! {copy} is not the published file" in shown(pilot, "#detail")
        assert "! other copy" in [column.note for column in launch_screen(pilot)._data.columns(
            load_catalogue())]  # fmt: skip


async def test_escape_launches_nothing(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test() as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "confirm")
        await pilot.press("escape")
        await settled(pilot)
        assert pilot.app.current_mode == "launch"
    assert not absent_store.db.exists()


async def test_only_what_is_missing_is_launched(empty_store: LiveStore) -> None:
    done = empty_store.launch("sasrec", seed=1)
    empty_store.train(done, 3, end="done")
    async with SeqbenchApp(empty_store.location).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        screen = launch_screen(pilot)
        await fill(pilot, seeds="1-3", settings="epochs=60")
        screen.grid.select([("sasrec", "synthetic", 50)])
        await settled(pilot)
        assert "2 to launch" in shown(pilot, "#summary")
        await pilot.press("l")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "confirm")
        assert "1 more queued, running or done already" in shown(pilot, "#facts")
        await pilot.press("y")
        await wait_for(pilot, lambda: pilot.app.current_mode == "live", "Live")
    assert sorted(run.seed for run in runs(empty_store.location)) == [1, 2, 3]


async def test_what_another_queues_meanwhile_is_not_queued_twice(empty_store: LiveStore) -> None:
    async with SeqbenchApp(empty_store.location).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await fill(pilot, seeds="1-2", settings="epochs=60")
        await settled(pilot)
        await pilot.press("l")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "confirm")
        spec = load_catalogue().run_spec("sasrec", "synthetic", 50, 1, overrides={"epochs": 60})
        enqueue(empty_store.location, [spec])
        await pilot.press("y")
        await wait_for(pilot, lambda: pilot.app.current_mode == "live", "Live")
    assert sorted(run.seed for run in runs(empty_store.location)) == [1, 2]


async def test_all_again_launches_what_is_done_too(empty_store: LiveStore) -> None:
    empty_store.train(empty_store.launch("sasrec", seed=42), 3, end="done")
    async with SeqbenchApp(empty_store.location).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await fill(pilot, settings="epochs=60")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert pilot.app.screen is launch_screen(pilot)  # nothing is missing
        await pilot.press("L")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "confirm")
        assert "1 of them queued, running or done already" in shown(pilot, "#facts")
        await pilot.press("enter")
        await wait_for(pilot, lambda: pilot.app.current_mode == "live", "Live")
    states = sorted(run.state for run in runs(empty_store.location))
    assert states == ["done", "queued"]


async def test_settings_seeds_and_lengths_reach_the_run(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await fill(pilot, seeds="7", lengths="20", settings="epochs=5\nlr=0.01")
        await settled(pilot)
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "confirm")
        await pilot.press("enter")
        await wait_for(pilot, lambda: pilot.app.current_mode == "live", "Live")
    with closing(connect_reader(absent_store)) as connection:
        [run] = list_runs(connection)
        spec = run_spec(connection, run.id)
    assert (spec.length, spec.seed) == (20, 7)
    assert (spec.training.epochs, spec.training.lr) == (5, 0.01)


async def fill(pilot: Pilot[None], **values: str) -> None:
    """Put texts into the form's fields."""
    for name, text in values.items():
        field = pilot.app.screen.query_one(f"#{name}")
        if isinstance(field, TextArea):
            field.load_text(text)
        else:
            assert isinstance(field, Input)
            field.value = text
    await pilot.pause()


async def test_a_wrong_field_says_so_beneath_and_launches_nothing(
    absent_store: StoreLocation,
) -> None:
    wrong = [
        ("settings", "batchsize=3", "did you mean 'batch_size'"),
        ("settings", "epochs=many", "expected a whole number"),
        ("settings", "epochs=0", "a number of at least 1"),
        ("settings", "dim=63", "must be a multiple of heads"),
        ("seeds", "x", "Seeds are whole numbers"),
        ("lengths", "1", "from 2 to 65,536"),
    ]
    right = {"settings": "", "seeds": "42", "lengths": "50"}
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        for name, typed, says in wrong:
            await fill(pilot, **{**right, name: typed})
            await settled(pilot)
            assert says in shown(pilot, "#form-problem")
            assert says in shown(pilot, "#summary")
            await pilot.press("enter")
            await settled(pilot)
            assert pilot.app.screen is launch_screen(pilot)
    assert not absent_store.db.exists()


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_the_form_is_a_key_away_and_escape_leads_back(
    absent_store: StoreLocation, size: tuple[int, int]
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=size) as pilot:
        await settled(pilot)
        screen = launch_screen(pilot)
        await pilot.press("o", "end", *"7")
        assert screen.query_one("#seeds", Input).value == "427"
        assert screen.query_one("#form").region.right <= size[0]
        await pilot.press("a", "backspace", "escape", "down")
        assert screen.grid.cursor_key == ("sasrec", "synthetic", 75)
        await settled(pilot)
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "confirm")
        assert "427" in shown(pilot, "#facts")


async def test_keys_select_cells_rows_columns_and_all(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        grid = launch_screen(pilot).grid
        everything = set(grid.keys())
        await pilot.press("space")
        assert grid.selected == {("sasrec", "synthetic", 50)}
        await pilot.press("space")
        assert grid.selected == set()
        await pilot.press("down", "right", "space")
        assert grid.selected == {("sasrec", "ml-100k", 75)}
        await pilot.press("r")
        assert grid.selected == {key for key in everything if key[0] == "sasrec" and key[2] == 75}
        await pilot.press("r", "c")
        assert grid.selected == {key for key in everything if key[1] == "ml-100k"}
        await pilot.press("a")
        assert grid.selected == everything
        await pilot.press("a")
        assert grid.selected == set()


async def test_clicks_select_cells_rows_and_columns(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(200, 36)) as pilot:
        await settled(pilot)
        grid = launch_screen(pilot).grid
        left = grid.size.width - 3  # of the scroll bar
        first = grid._geometry.label_width + 2
        await pilot.click(CellGrid, offset=(first, 4))
        assert grid.selected == {("sasrec", "synthetic", 75)}
        await pilot.click(CellGrid, offset=(first, 1))
        assert {key[1] for key in grid.selected} == {"synthetic"}
        assert len(grid.selected) == len(grid.keys()) / 4
        grid.select(())
        await pilot.click(CellGrid, offset=(4, 3))
        assert {(key[0], key[2]) for key in grid.selected} == {("sasrec", 50)}
        grid.select(())
        await pilot.click(CellGrid, offset=(left, 6))  # beside the last column
        assert grid.selected == set()


async def test_a_narrow_grid_scrolls_to_the_cursor(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(40, 12)) as pilot:
        await settled(pilot)
        grid = launch_screen(pilot).grid
        await pilot.press("end", "pagedown")
        await pilot.pause()
        key: CellKey = ("recent-popularity", "ml-10m", 100)
        assert grid.cursor_key == key
        lines = [grid.render_line(y).text for y in range(grid.size.height)]
        assert "ml-10m" in lines[0]
        assert any("Rece" in line for line in lines)


async def test_a_suite_fills_grid_and_form(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        pilot.app.screen.query_one("#suite").value = "smoke"  # type: ignore[attr-defined]
        await settled(pilot)
        screen = launch_screen(pilot)
        assert screen.grid.selected == {
            (m, "synthetic", 50) for m in ("sasrec", "bert4rec", "xlstm")
        }
        assert screen.query_one("#settings", TextArea).text == "epochs=5"
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "confirm")
        await pilot.press("enter")
        await wait_for(pilot, lambda: pilot.app.current_mode == "live", "Live")
    assert {run.suite for run in runs(absent_store)} == {"smoke"}


async def test_cells_show_the_state_and_result_of_their_runs(busy_store: LiveStore) -> None:
    async with SeqbenchApp(busy_store.location).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        grid = launch_screen(pilot).grid
        await wait_for(pilot, lambda: "●" in grid_text(grid), "the store in the grid")
        text = grid_text(grid)
        assert "×2" in text  # two seeds done
        for glyph in "●✗◐○⊘":
            assert glyph in text
        assert "● 2 done" in shown(pilot, "#detail")
        busy_store.train(busy_store.launch("xlstm", length=100), 2, end="done")
        await wait_for(pilot, lambda: grid_text(grid).count("●") == 2, "the new result")


async def test_a_cell_s_mean_is_told_as_the_comparison_tells_it(empty_store: LiveStore) -> None:
    for seed in (1, 2, 2):  # a seed twice counts once
        empty_store.train(empty_store.launch("sasrec", seed=seed), 12, end="done")
    with closing(connect_reader(empty_store.location)) as connection:
        [cell] = cell_table(connection, Choice(), ["test_ndcg_best"])
    text = spread_text(cell.figures["test_ndcg_best"].spread, "metric")
    async with SeqbenchApp(empty_store.location).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await wait_for(pilot, lambda: "● 3 done" in shown(pilot, "#detail"), "the runs")
        assert f"NDCG@10 {text}  mean of 2 seeds\n" in shown(pilot, "#detail")
        empty_store.train(empty_store.launch("sasrec", epochs=3), 1, end="done")
        await wait_for(pilot, lambda: "● 4 done" in shown(pilot, "#detail"), "other settings")
        found = shown(pilot, "#detail")
        assert f"NDCG@10 {text}  mean of 2 seeds, best of 2 settings\n" in found


def grid_text(grid: CellGrid) -> str:
    return "\n".join(grid.render_line(y).text for y in range(grid.size.height))


async def test_missing_data_is_named_with_its_cost(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert "↓ 4.9 MB" in grid_text(launch_screen(pilot).grid)
        await pilot.press("space", "right", "space", "enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "confirm")
        cost = shown(pilot, "#absent")
        assert "4.9 MB to fetch from files.grouplens.org" in cost
        assert "GroupLens research licence" in cost
        await pilot.press("enter")
        await wait_for(pilot, lambda: pilot.app.current_mode == "live", "Live")
    assert [run.dataset for run in runs(absent_store)] == ["synthetic"]
