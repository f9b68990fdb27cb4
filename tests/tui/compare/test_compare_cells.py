"""Cells, marks, diff and columns on the Compare screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from comparing import column_of, comparing, lines, status, table
from measured_runs import MeasuredStore, filled_store, give_ranks
from pilots import screen_text, settled, wait_for
from textual.app import App
from textual.widgets import Input, Static

from engine.spec import Filter, SplitRule
from tui.compare.screen import CompareScreen
from tui.results.diff import DiffScreen
from tui.run.screen import RunScreen


@pytest.fixture
def measured(tmp_path: Path) -> MeasuredStore:
    return filled_store(tmp_path)[0]


async def test_cells_have_mean_and_deviation_and_unfold(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("b")
        await settled(pilot)
        assert "10 cells" in status(app)
        figures = column_of(app, "test_ndcg_best")
        means = [figure.split()[0] for figure in figures]
        assert means == sorted(means, reverse=True)
        assert "±" in figures[0]
        assert column_of(app, "seed")[:2] == ["×2", "×1"]
        assert column_of(app, "state") == ["▸"] * 10
        assert table(app)._rows[0].cells[5].tone == "best"
        reference = str(app.screen.query_one("#reference", Static).content)
        assert figures[0].split()[0] in reference

        await pilot.press("enter")
        await settled(pilot)
        assert column_of(app, "state")[:4] == ["▾", "●", "●", "▸"]
        assert column_of(app, "seed")[:4] == ["×2", "1", "42", "×1"]
        assert "10 cells" in status(app)
        await pilot.press("down", "enter")
        await settled(pilot)
        assert isinstance(app.screen, RunScreen)
        await pilot.press("escape")
        await settled(pilot)
        await pilot.press("up", "enter")
        await settled(pilot)
        assert column_of(app, "state") == ["▸"] * 10


async def test_cells_are_sorted_and_filtered(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("b", "s")
        await settled(pilot)
        means = [figure.split()[0] for figure in column_of(app, "test_ndcg_best")]
        assert means == sorted(means)
        field = app.screen.query_one(Input)
        field.value = "model:xlstm length>50"
        await wait_for(pilot, lambda: table(app).total == 2, "two cells")
        await settled(pilot)
        assert "2 cells" in status(app)
        assert set(column_of(app, "model")) == {"xlstm"}
        field.value = "model:xlstm seed:5"
        await wait_for(pilot, lambda: not table(app).display, "nothing is found")
        assert "No cell matches" in str(app.screen.query_one("#empty", Static).content)
        await pilot.press("escape", "b")
        await settled(pilot)
        assert table(app).total == 23


async def test_a_wrong_filter_says_where_and_leaves_the_table(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        field = app.screen.query_one(Input)
        field.value = "model:sasrec"
        await wait_for(pilot, lambda: table(app).total == 9, "filtered")
        field.value = "model:sasrec ndgc>0.1"
        await settled(pilot)
        assert "character 14: there is no field 'ndgc': did you mean 'ndcg'" in status(app)
        assert table(app).total == 9
        assert table(app).display
        field.value = "model:sasrec ndcg>0.06"
        await wait_for(pilot, lambda: table(app).total == 5, "filtered by a figure")
        await settled(pilot)
        assert "5 of 23 runs" in status(app)


async def test_a_narrow_terminal_shows_all_of_what_is_wrong(measured: MeasuredStore) -> None:
    async with comparing(measured, (80, 24)) as (app, pilot):
        rows = len(lines(app))
        await pilot.press("slash", *"model:sasrec xyzzy:3")
        await settled(pilot)
        shown = " ".join(screen_text(app).split())
        assert "there is no field 'xyzzy': quote it to search the text (docs/queries.md)." in shown
        await pilot.press("escape")
        await settled(pilot)
        assert len(lines(app)) == rows


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"split": SplitRule(kind="temporal")}, "different split kept apart"),
        ({"lr": 0.002}, "different settings kept apart"),
        ({"lr": 0.002, "split": SplitRule(kind="temporal")}, "different split kept apart"),
    ],
)
async def test_cells_of_one_place_say_why_they_stand_apart(
    tmp_path: Path, other: dict[str, Any], why: str
) -> None:
    store = MeasuredStore(tmp_path)
    store.add(seed=1)
    async with comparing(store) as (app, pilot):
        await pilot.press("b")
        await settled(pilot)
        assert "kept apart" not in status(app)
        store.add(seed=2, **other)
        await wait_for(pilot, lambda: table(app).total == 2, "two cells")
        assert why in status(app)


async def test_other_rules_of_the_data_are_told_in_words(tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    store.add(seed=1)
    split = SplitRule(kind="temporal", test_share=0.2)
    store.add(seed=1, split=split, kept=Filter(k_core=5, min_rating=4.0))
    async with comparing(store) as (app, pilot):
        await pilot.press("space", "space", "equals_sign")
        await settled(pilot)
        lines = str(app.screen.query_one("#diff", Static).content).splitlines()
        assert any("Different splits" in line for line in lines)
        told = {line.split()[0]: line for line in lines if line}
        assert {*told["split"].split("  ")} >= {"leave-one-out"}
        assert "temporal test_share=0.2" in told["split"]
        assert "k_core 5, min_rating 4.0" in told["filter"]
        assert not any("{" in line for line in lines)


async def test_two_that_are_marked_stand_side_by_side(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        assert screen.check_action("diff", ()) is None
        await pilot.press("space", "down", "space")
        await settled(pilot)
        assert "2 marked" in status(app)
        assert [row.marked for row in table(app)._rows[:3]] == [True, False, True]
        assert table(app).render_line(2).text.startswith("▌")
        await pilot.press("equals_sign")
        await settled(pilot)
        assert isinstance(app.screen, DiffScreen)
        lines = str(app.screen.query_one("#diff", Static).content).splitlines()
        assert lines[0].split() == ["left", next(iter(screen.selection.marked))]
        settings = [line.split() for line in lines]
        assert ["seed", "42", "9"] in settings
        assert ["dim", "64", "32"] in settings
        assert not any(line[:1] in (["model"], ["patience"]) for line in settings)
        ndcg = next(line for line in settings if line[:1] == ["NDCG@10/test"])
        assert ndcg[1:3] == [column_of(app, "test_ndcg_best", screen)[i] for i in (0, 2)]
        assert ndcg[3].startswith("−0.000")
        await pilot.press("x")
        await settled(pilot)
        swapped = str(app.screen.query_one("#diff", Static).content)
        assert "+0.000" in swapped
        await pilot.press("y")
        assert "NDCG@10/test\t" in app.clipboard
        await pilot.press("escape", "escape")
        await settled(pilot)
        assert not screen.selection.marked
        assert not any(row.marked for row in table(app)._rows)


async def test_of_two_runs_the_differences_are_said_and_no_verdict(tmp_path: Path) -> None:
    store, _ = filled_store(tmp_path)
    give_ranks(store)
    async with comparing(store) as (app, pilot):
        await pilot.press("space", "down", "space", "equals_sign")
        await wait_for(pilot, lambda: "no conclusion" in diff_of(app), "the words are read")
        text = diff_of(app)
        told = " ".join(text.split())
        assert (
            "one seed each: no conclusion; `seqbench run --model sasrec --dataset ml-100k" in told
        )
        assert re.search(r"NDCG@10: \S+ \(95 %, over users alone: \S+ to \S+\)\.", told)
        assert not re.search(r"better|worse|\bp [<=]|shown", text)


def diff_of(app: App[None]) -> str:
    return str(app.screen.query_one("#diff", Static).content)


async def test_cells_are_set_side_by_side_too(measured: MeasuredStore) -> None:
    async with comparing(measured, (80, 24)) as (app, pilot):
        await pilot.press("b")
        await settled(pilot)
        await pilot.press("space", "end", "space", "equals_sign")
        await settled(pilot)
        text = str(app.screen.query_one("#diff", Static).content)
        assert "sasrec × ml-100k × 50 · reference, 2 seeds" in text
        assert "±" in text
        assert "aren't comparable" not in text


async def test_fixed_columns_stay_when_the_rest_scrolls(measured: MeasuredStore) -> None:
    async with comparing(measured, (80, 24)) as (app, pilot):
        before = table(app).render_line(3).text[:30]
        await pilot.press(*["right"] * 12)
        await settled(pilot)
        assert table(app).scroll_offset.x > 0
        assert table(app).render_line(3).text[:30] == before


async def test_a_cell_is_as_old_as_its_runs(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("b")
        await wait_for(pilot, lambda: "cells" in status(app), "cells")
        await settled(pilot)
        ages = column_of(app, "created")
        assert ages
        assert all(age == "just now" or age.endswith(" ago") for age in ages)
