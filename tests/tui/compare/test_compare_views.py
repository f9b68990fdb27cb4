"""Saved views, the baseline and the filter's last word on the Compare screen."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from bursts import click, type_at_once
from comparing import column_of, comparing, lines, status, table
from measured_runs import MeasuredStore, filled_store
from pilots import settled, wait_for
from textual.widgets import Input, OptionList, Static

from engine.analysis.columns.definitions import DIFFERENCE
from engine.analysis.views import find_view, save_view, saved_view
from engine.cell import Cell
from tui.app import SeqbenchApp
from tui.compare.screen import CompareScreen
from tui.dialogs.saved import ChooseScreen, SaveScreen
from tui.results.diff import DiffScreen
from tui.run.screen import RunScreen

NDCG = "test_ndcg_best"


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[MeasuredStore, dict[str, str]]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEQBENCH_CONFIG", raising=False)
    return filled_store(tmp_path)


def differences(app: SeqbenchApp) -> list[str]:
    return column_of(app, NDCG + DIFFERENCE)


async def test_what_is_shown_is_saved_and_shown_again(
    stored: tuple[MeasuredStore, dict[str, str]],
) -> None:
    async with comparing(stored[0]) as (app, pilot):
        await pilot.press("slash", *"model:xlstm", "enter", "b", "right", "s")
        await settled(pilot)
        await pilot.press("B")
        await settled(pilot)
        before, figures = [column.key for column in table(app).columns], lines(app)
        await pilot.press("S")
        await wait_for(pilot, lambda: isinstance(app.screen, SaveScreen), "the dialog")
        assert not app.screen.query_one("#yaml-room").display, "it has no name yet"
        await pilot.press(*"mine")
        assert app.screen.query_one("#yaml-room").display
        assert "configs/views/mine.yaml" in str(app.screen.query_one("#where", Static).content)
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, CompareScreen), "it is written")
        view = find_view("mine")
        assert (view.filter, view.by_cell) == ("model:xlstm", True)
        assert view.sort == "Recall@10/test:desc"
        assert Cell.named(view.baseline).place == ("xlstm", "ml-100k", 50)
        save_view(saved_view({"name": "other", "columns": ("note",), "aggregate": "max"}))

        await pilot.press("V")
        await wait_for(pilot, lambda: isinstance(app.screen, ChooseScreen), "the list")
        options = app.screen.query_one(OptionList)
        assert options.highlighted_option is not None
        assert options.highlighted_option.id == "mine"
        await pilot.press("down", "enter")
        await wait_for(pilot, lambda: table(app).total == 23, "the other view")
        await settled(pilot)
        assert [column.key for column in table(app).columns][5:] == ["note"]
        assert "max" in status(app)
        assert app.screen.query_one(Input).value == ""
        await pilot.press("V")
        await wait_for(pilot, lambda: isinstance(app.screen, ChooseScreen), "the list")
        await pilot.press("up", "enter")
        await wait_for(pilot, lambda: table(app).total == 3, "the first view")
        await settled(pilot)
        assert [column.key for column in table(app).columns] == before
        assert lines(app)[2:] == figures[2:]


async def test_who_clicks_twice_on_a_view_opens_nothing_beneath_it(
    stored: tuple[MeasuredStore, dict[str, str]],
) -> None:
    save_view(saved_view({"name": "mine"}))
    async with comparing(stored[0]) as (app, pilot):
        await pilot.press("V")
        await wait_for(pilot, lambda: isinstance(app.screen, ChooseScreen), "the list")
        x, y = app.screen.query_one(OptionList).content_region.offset
        assert table(app).content_region.contains(x + 2, y), "a row is beneath it"
        type_at_once(app, click(x + 2, y))
        await wait_for(pilot, lambda: isinstance(app.screen, CompareScreen), "the view")
        type_at_once(app, click(x + 2, y))
        await settled(pilot)
        assert isinstance(app.screen, CompareScreen)
        type_at_once(app, 2 * click(x + 2, y + 1))
        await wait_for(pilot, lambda: isinstance(app.screen, RunScreen), "that run")


async def test_a_view_that_cannot_be_read_is_told_in_a_sentence(
    stored: tuple[MeasuredStore, dict[str, str]],
) -> None:
    async with comparing(stored[0]) as (app, pilot):
        await pilot.press("V")
        await wait_for(pilot, lambda: len(app._notifications) == 1, "there is none yet")
        Path("configs/views").mkdir(parents=True)
        Path("configs/views/bad.yaml").write_text("name: bad\nfilter: ndgc>1\n")
        await pilot.press("V")
        await wait_for(pilot, lambda: len(app._notifications) == 2, "what is wrong")
        told = [each.message for each in app._notifications]
        assert any("bad.yaml:2: filter" in text and "did you mean 'ndcg'" in text for text in told)
        assert isinstance(app.screen, CompareScreen)


async def test_differences_to_the_baseline_stay_in_sight_and_are_no_verdict(
    stored: tuple[MeasuredStore, dict[str, str]],
) -> None:
    measured, _ = stored
    async with comparing(measured, (120, 24)) as (app, pilot):
        assert NDCG + DIFFERENCE not in [column.key for column in table(app).columns]
        await pilot.press("down", "B")
        await settled(pilot)
        (pinned,) = table(app).pinned
        assert pinned is not None
        assert pinned.key == table(app)._rows[1].key
        figures, shown = column_of(app, NDCG), differences(app)
        base = float(figures[1])
        assert shown[1] == "", "its own"
        assert float(shown[2].replace("−", "-")) == pytest.approx(
            float(figures[2]) - base, abs=2e-4
        )
        keys = [column.key for column in table(app).columns]
        tones = {row.cells[keys.index(NDCG + DIFFERENCE)].tone for row in table(app)._rows}
        assert tones == {"muted"}, "no difference looks better than another"
        of_others = [
            text for text, where in zip(shown, column_of(app, "dataset"), strict=True)
            if where != "ml-100k"
        ]  # fmt: skip
        assert set(of_others) == {""}, "another data set isn't compared"
        assert "=" in lines(app)[2][:3]
        await pilot.press("end")
        await settled(pilot)
        assert "=" in lines(app)[2][:3], "pinned while the rows scroll"
        await pilot.press("home", "right", "s")
        await settled(pilot)
        assert len(table(app)._rows) == 23, "its column can be sorted by"
        await pilot.press("equals_sign")
        await settled(pilot)
        assert isinstance(app.screen, DiffScreen), "the paired test is one key away"
    async with comparing(measured, (120, 24)) as (app, pilot):
        assert table(app).pinned, "kept for the store"
        await pilot.press("slash", *"xlstm", "enter", "b")
        await wait_for(pilot, lambda: table(app).total == 3, "cells of another model")
        await settled(pilot)
        (pinned,) = table(app).pinned
        assert pinned is not None
        assert "sasrec" in pinned.cells[1].text
        assert all(text.startswith("−") for text in differences(app))
        await pilot.press("e")
        await settled(pilot)
        await pilot.press("enter")
        await wait_for(pilot, lambda: Path("comparison.csv").exists(), "written")
        rows = list(csv.DictReader(Path("comparison.csv").read_text().splitlines()))
        assert [row["model"] for row in rows] == ["sasrec", "xlstm", "xlstm", "xlstm"]
        assert float(rows[1][f"NDCG@10/test{DIFFERENCE}"]) < 0


async def test_again_on_the_baseline_there_is_none(
    stored: tuple[MeasuredStore, dict[str, str]],
) -> None:
    async with comparing(stored[0]) as (app, pilot):
        await pilot.press("b")
        await settled(pilot)
        await pilot.press("B")
        await settled(pilot)
        assert table(app).pinned
        await pilot.press("B")
        await settled(pilot)
        assert table(app).pinned == ()
        assert NDCG + DIFFERENCE not in [column.key for column in table(app).columns]


async def test_a_field_that_is_being_typed_leaves_the_table(
    stored: tuple[MeasuredStore, dict[str, str]],
) -> None:
    async with comparing(stored[0]) as (app, pilot):
        await pilot.press("slash", *"model:sas ")
        await wait_for(pilot, lambda: table(app).total == 9, "filtered")
        for key in "ndc":
            await pilot.press(key)
            await settled(pilot)
            assert table(app).total == 9
        await pilot.press("tab")
        assert app.screen.query_one(Input).value == "model:sas ndcg"
        assert "ndcg ndcg_masked" in status(app)
        await pilot.press(*">0.06")
        await wait_for(pilot, lambda: table(app).total == 5, "by the figure")
        await pilot.press(*" stat", "tab")
        assert app.screen.query_one(Input).value == "model:sas ndcg>0.06 state:"
        await pilot.press("backspace", "enter")
        await wait_for(pilot, lambda: not table(app).display, "enter looks for the word itself")
