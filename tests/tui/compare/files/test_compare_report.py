"""The report from the Compare screen: asks where to, never overwrites unasked, writes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from comparing import comparing
from measured_runs import MeasuredStore
from pilots import screen_text, wait_for
from reported_runs import add_reported
from textual.widgets import Input

from tui.compare.screen import CompareScreen
from tui.results.export import ExportScreen


@pytest.fixture
def store(tmp_path: Path) -> MeasuredStore:
    found = MeasuredStore(tmp_path)
    for model in ("sasrec", "xlstm"):
        add_reported(found, model, 50, 1)
    return found


async def test_it_writes_what_the_filter_leaves(
    store: MeasuredStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.html").write_text("mine")
    async with comparing(store) as (app, pilot):
        await pilot.press("slash", *"xlstm", "enter", "W")
        await wait_for(pilot, lambda: isinstance(app.screen, ExportScreen), "the question")
        assert "runs matching xlstm" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert "Press Enter again to overwrite." in screen_text(app)
        assert (tmp_path / "report.html").read_text() == "mine"
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, CompareScreen), "the report", 120)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "filter xlstm" in page
    assert "sasrec L=" not in page


async def test_what_cannot_be_written_is_said_and_can_be_changed(
    store: MeasuredStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with comparing(store) as (app, pilot):
        await pilot.press("W")
        app.screen.query_one(Input).value = "report.pdf"
        await pilot.press("enter")
        await wait_for(
            pilot,
            lambda: "End its name in .html, .htm, .md, .markdown" in screen_text(app),
            "the sentence",
        )
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(app.screen, CompareScreen), "the table")
    assert not list(tmp_path.glob("report*"))
