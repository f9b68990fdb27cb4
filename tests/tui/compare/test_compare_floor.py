"""The floor on Compare: rows that stay in sight, and marks of what isn't above it."""

from __future__ import annotations

from pathlib import Path

import pytest
from comparing import column_of, comparing, lines, table
from floor_stores import floor_store
from measured_runs import MeasuredStore
from pilots import settled

from tui.compare.rows import FLOOR

MARKED = {"sasrec", "bert4rec ≈", "xlstm ▽", "markov", "popularity"}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MeasuredStore:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEQBENCH_CONFIG", raising=False)
    return floor_store(tmp_path)


async def test_the_floor_stays_in_sight_and_marks_what_is_not_above_it(
    store: MeasuredStore,
) -> None:
    async with comparing(store, (120, 24)) as (app, pilot):
        assert set(column_of(app, "model")) == MARKED
        (floor,) = table(app).pinned
        assert (floor.cells[0].text, floor.cells[1].text) == (FLOOR, "markov")
        await pilot.press("b")
        await settled(pilot)
        assert len(table(app)._rows) == 5
        assert set(column_of(app, "model")) == MARKED
        (floor,) = table(app).pinned
        assert floor.cells[1].text == "markov"
        await pilot.press("end")
        await settled(pilot)
        assert "markov" in lines(app)[2]


async def test_below_the_baseline_with_differences_to_it(store: MeasuredStore) -> None:
    async with comparing(store, (120, 24)) as (app, pilot):
        await pilot.press("slash", *"model:sasrec", "enter", "b")
        await settled(pilot)
        (floor,) = table(app).pinned
        assert floor.cells[1].text == "markov", "though the filter leaves it out"
        await pilot.press("B")
        await settled(pilot)
        base, floor = table(app).pinned
        assert (base.cells[1].text, floor.cells[1].text) == ("sasrec", "markov")
        assert any(cell.text.startswith("−") for cell in floor.cells)
        await pilot.press("b")
        await settled(pilot)
        assert len(table(app).pinned) == 2


async def test_the_floor_of_a_data_set_that_does_not_match_is_not_shown(
    store: MeasuredStore,
) -> None:
    store.add("sasrec", dataset="ml-1m")
    async with comparing(store, (120, 24)) as (app, pilot):
        assert len(table(app).pinned) == 1
        await pilot.press("slash", *"dataset:ml-1m", "enter")
        await settled(pilot)
        assert table(app).pinned == ()
