"""Runs taken in, and given away as an archive, from the Compare screen."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from comparing import comparing, table
from measured_runs import MeasuredStore, filled_store
from pilots import settled, wait_for
from textual.pilot import Pilot
from textual.widgets import Input, Static

from engine.analysis.comparison import compare_rows
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from tui.compare.files.importing import ImportScreen
from tui.compare.screen import CompareScreen
from tui.results.export import ExportScreen

HISTORY = "epoch,model,dataset,length,seed,test_ndcg\n0,gru4rec,ml-100k,50,1,0.05\n"


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MeasuredStore:
    monkeypatch.chdir(tmp_path)
    return filled_store(tmp_path)[0]


def said(pilot: Pilot[Any]) -> str:
    return str(pilot.app.screen.query_one("#about", Static).content)


async def asked(pilot: Pilot[Any], path: str, sentence: str) -> None:
    """Open the question if it isn't, name a path, and wait for what is said of it."""
    if not isinstance(pilot.app.screen, ImportScreen):
        await pilot.press("I")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ImportScreen), "the question")
    pilot.app.screen.query_one(Input).value = path
    await settled(pilot)
    await pilot.press("enter")
    await wait_for(pilot, lambda: sentence in said(pilot), sentence)


def figures(location: StoreLocation, words: str) -> list[dict[str, Any]]:
    with closing(connect_reader(location)) as con:
        return compare_rows(con, filter=words)


async def test_runs_go_out_as_an_archive_and_come_in_the_same(
    measured: MeasuredStore, tmp_path: Path
) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("slash", *"xlstm", "enter")
        await settled(pilot)
        await pilot.press("e")
        await wait_for(pilot, lambda: isinstance(app.screen, ExportScreen), "the question")
        app.screen.query_one("#file", Input).value = "xlstm.tar.gz"
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, CompareScreen), "written")
        (written,) = (toast.message for toast in app._notifications)
        assert written.startswith("6 runs; 1 skipped (queued, running or unreadable)")
    (tmp_path / "other").mkdir()
    other = MeasuredStore(tmp_path / "other")
    other.add("sasrec", seed=3)
    async with comparing(other) as (app, pilot):
        await asked(pilot, "xlstm.tar.gz", "An archive with 6 runs")
        assert table(app, app.screen_stack[-2]).total == 1, "nothing is taken in yet"
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, CompareScreen), "taken in")
        await wait_for(pilot, lambda: table(app).total == 7, "they are in the table")
        assert [toast.message for toast in app._notifications] == ["6 runs from xlstm.tar.gz"]
        await asked(pilot, "xlstm.tar.gz", "Ids already in the store: 6")
    words = "model:xlstm state:done"
    assert figures(other.location, words) == figures(measured.location, words)


async def test_history_is_said_to_be_what_it_is(measured: MeasuredStore, tmp_path: Path) -> None:
    Path("old.csv").write_text(HISTORY)
    async with comparing(measured) as (app, pilot):
        await asked(pilot, "old.csv", "History of another program with 1 run: gru4rec-ml-100k-l50")
        assert "Its runs are marked" in said(pilot)
        await pilot.press("enter")
        await wait_for(pilot, lambda: table(app).total == 24, "it is in the table")
    (row,) = figures(measured.location, "origin:*")
    assert (row["model"], row["origin"]) == ("gru4rec", "imported-csv")


async def test_what_cannot_be_imported_is_said_and_changes_nothing(
    measured: MeasuredStore,
) -> None:
    Path("broken.tar.gz").write_bytes(b"no archive")
    Path("empty").mkdir()
    Path("bare.csv").write_text("epoch,test_ndcg\n0,0.1\n")
    async with comparing(measured) as (app, pilot):
        for path, sentence in (
            ("absent.tar.zst", "absent.tar.zst can't be imported: No such file"),
            ("broken.tar.gz", "broken.tar.gz can't be imported: it is neither gzip nor Zstandard"),
            ("empty", "empty has no run in it"),
            ("bare.csv", "bare.csv doesn't give the model"),
            ("a\0b.tar.gz", "can't be"),
        ):
            await asked(pilot, path, sentence)
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(app.screen, CompareScreen), "the table")
        assert table(app).total == 23
