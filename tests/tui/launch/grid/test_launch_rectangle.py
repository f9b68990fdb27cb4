"""Rectangles of cells: with a key, with shift, with the mouse."""

from __future__ import annotations

from itertools import product

import pytest
from pilots import settled
from textual.events import MouseMove
from textual.pilot import Pilot

from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.launch.grid.cells import CellKey
from tui.launch.grid.grid import CellGrid
from tui.launch.screen import LaunchScreen
from tui.widgets.key_bar import KeyBar


@pytest.fixture(autouse=True)
def no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)


def grid_of(pilot: Pilot[None]) -> CellGrid:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, LaunchScreen)
    screen.grid.select(())
    return screen.grid


def block(models: str, datasets: str, lengths: tuple[int, ...]) -> set[CellKey]:
    return set(product(models.split(), datasets.split(), lengths))


def footer(pilot: Pilot[None]) -> list[str]:
    return [entry.label for entry in pilot.app.screen.query_one(KeyBar).entries]


async def test_v_selects_from_where_the_cursor_was(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        grid = grid_of(pilot)
        await pilot.press("right", "v")
        assert grid.selected == block("sasrec", "ml-100k", (50,))
        await pilot.press("right", "down")
        assert grid.selected == block("sasrec", "ml-100k ml-1m", (50, 75))
        assert grid.rectangle == (2, 2)
        assert "2 × 2" in str(grid.border_subtitle)
        await pilot.press("left", "left")  # across the anchor
        assert grid.selected == block("sasrec", "synthetic ml-100k", (50, 75))
        await pilot.press("enter")
        assert grid.rectangle is None
        await pilot.press("down")
        assert grid.selected == block("sasrec", "synthetic ml-100k", (50, 75))
        assert pilot.app.screen is pilot.app.screen_stack[0]  # nothing is launched


@pytest.mark.parametrize("key", ["v", "space"])
async def test_v_and_space_keep_a_rectangle(absent_store: StoreLocation, key: str) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        grid = grid_of(pilot)
        await pilot.press("v", "right", key)
        assert grid.rectangle is None
        assert grid.selected == block("sasrec", "synthetic ml-100k", (50,))


async def test_escape_drops_the_rectangle_and_then_the_selection(
    absent_store: StoreLocation,
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        grid = grid_of(pilot)
        await pilot.press("space", "down", "v", "right", "down")
        await settled(pilot)
        assert len(grid.selected) == 5
        assert {"Keep", "Drop"} <= set(footer(pilot))
        await pilot.press("escape")
        await settled(pilot)
        assert grid.selected == block("sasrec", "synthetic", (50,))
        assert "Drop" not in footer(pilot)
        await pilot.press("escape")
        assert grid.selected == set()


async def test_shift_selects_while_moving_until_the_cursor_moves_alone(
    absent_store: StoreLocation,
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        grid = grid_of(pilot)
        await pilot.press("shift+down", "shift+right", "shift+right", "shift+left")
        assert grid.selected == block("sasrec", "synthetic ml-100k", (50, 75))
        await pilot.press("right", "right")
        await pilot.press("shift+down")
        assert grid.selected == block("sasrec", "synthetic ml-100k", (50, 75)) | block(
            "sasrec", "ml-10m", (75, 100)
        )


async def test_the_mouse_drags_a_rectangle(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        grid = grid_of(pilot)
        first = grid._geometry.label_width + 4
        second = first + grid._geometry.column_width
        await drag(pilot, (first, 4), (second, 5))
        assert grid.selected == block("sasrec", "synthetic ml-100k", (75, 100))
        assert grid.cursor_key == ("sasrec", "ml-100k", 100)
        await pilot.click(CellGrid, offset=(first, 4))  # the first click after it counts
        assert ("sasrec", "synthetic", 75) not in grid.selected
        assert len(grid.selected) == 3
        await drag(pilot, (first, 3), (2 * grid.size.width, grid.size.height + 5))
        # Beyond the edge it takes what there is, as far down as was in sight.
        *_, last = grid.keys()
        assert len({dataset for _, dataset, _ in grid.selected}) == 4
        assert ("sasrec", "synthetic", 50) in grid.selected
        assert last not in grid.selected


async def test_a_drag_from_a_label_selects_nothing_by_itself(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        grid = grid_of(pilot)
        await pilot.mouse_down(CellGrid, offset=(3, 4))
        await move(pilot, (grid._geometry.label_width + 4, 5), 1)
        assert grid.selected == set()


async def drag(pilot: Pilot[None], start: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down(CellGrid, offset=start)
    await move(pilot, end, 1)
    edge = pilot.app.size
    inside = (min(end[0], edge.width - 2), min(end[1], edge.height - 2))
    await pilot.mouse_up(CellGrid, offset=inside)
    await pilot.pause()


async def move(pilot: Pilot[None], to: tuple[int, int], button: int) -> None:
    """A mouse that moves with a button down; Pilot's own moves have none."""
    edge = pilot.app.size
    inside = (min(to[0], edge.width - 2), min(to[1], edge.height - 2))
    await pilot._post_mouse_events([MouseMove], CellGrid, inside, button=button)
    await pilot.pause()
