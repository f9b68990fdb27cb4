"""Imported runs on the Compare screen: left out of cells and pivot, or made cells of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from comparing import column_of, comparing, status, table
from measured_runs import MeasuredStore, filled_store
from pilots import settled, wait_for
from pivoting import labels, pivoting, said

from engine.interchange.history import import_history
from tui.shell import remembered

HISTORY = """epoch,model,dataset,length,seed,test_ndcg,valid_ndcg
0,sasrec,ml-100k,50,1,0.30,0.31
1,sasrec,ml-100k,50,1,0.90,0.95
0,sasrec,ml-100k,150,1,0.20,0.21
"""


@pytest.fixture
def measured(tmp_path: Path) -> MeasuredStore:
    store = filled_store(tmp_path)[0]
    (tmp_path / "old.csv").write_text(HISTORY)
    import_history(tmp_path / "old.csv", store.location)
    return store


async def test_cells_are_made_of_them_when_asked_and_lead_in_nothing(
    measured: MeasuredStore,
) -> None:
    remembered.keep("compare", {"columns": ["NDCG@10/test", "profile"]})
    async with comparing(measured) as (app, pilot):
        await pilot.press("i")  # a line a run: they are there anyway
        await settled(pilot)
        assert "imported" not in status(app)
        await pilot.press("b")
        await wait_for(pilot, lambda: "10 cells" in status(app), "the cells")
        assert "2 imported left out" in status(app)
        await pilot.press("i")
        await wait_for(pilot, lambda: table(app).total == 12, "their cells are there")
        await settled(pilot)
        assert "with imported" in status(app)
        first = table(app)._rows[0]
        assert column_of(app, "seed")[0] == "↓×1"
        assert column_of(app, "test_ndcg_best")[0] == "0.9000"
        assert not any(cell.tone == "best" for cell in first.cells)
        await pilot.press("i")
        await wait_for(pilot, lambda: table(app).total == 10, "they are left out again")


async def test_in_the_pivot_they_are_rows_that_say_what_they_are(measured: MeasuredStore) -> None:
    async with pivoting(measured, size=(120, 50)) as (_, pilot, screen):
        before = labels(screen)
        assert "2 imported left out" in said(screen, "status")
        await pilot.press("i")
        await wait_for(pilot, lambda: "with imported" in said(screen, "status"), "they are rows")
        await settled(pilot)
        more = [label for label in labels(screen) if label not in before]
        assert any("50" in label and "imported" in label for label in more)
        assert any("150" in label and "imported" in label for label in more)
        rows = screen.table._rows
        best = [row.cells[0].text for row in rows if any(c.tone == "best" for c in row.cells)]
        assert best
        assert not any("imported" in label for label in best)
        await pilot.press("i")
        await wait_for(pilot, lambda: labels(screen) == before, "they are left out again")


async def test_where_there_is_none_it_is_said(tmp_path: Path) -> None:
    async with comparing(filled_store(tmp_path)[0]) as (app, pilot):
        await pilot.press("b")
        await wait_for(pilot, lambda: "10 cells" in status(app), "the cells")
        await pilot.press("i")
        (toast,) = app._notifications
        assert toast.message == "No imported run is among these."
