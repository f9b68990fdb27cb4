"""The comparison on the screen: order, filter, aggregates, reference figures, live changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from comparing import column_of, comparing, lines, status, table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from measured_runs import MeasuredStore, filled_store
from pilots import screen_text, settled, wait_for
from textual.widgets import Input, Static

from engine.analysis.columns.definitions import COSTS
from engine.analysis.columns.offered import every_column, preset, shown_columns
from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.compare.columns import table_columns
from tui.compare.page import CompareRow, Page, PageRequest
from tui.compare.rows import Drawn, table_rows
from tui.compare.screen import CompareScreen
from tui.compare.status import usual_status
from tui.compare.view import View
from tui.pivot.screen import PivotScreen
from tui.run.screen import RunScreen
from tui.widgets.table import PagedTable


@pytest.fixture
def measured(tmp_path: Path) -> MeasuredStore:
    return filled_store(tmp_path)[0]


async def test_opens_sorted_by_test_ndcg_with_what_is_unknown_last(
    measured: MeasuredStore,
) -> None:
    async with comparing(measured) as (app, _):
        figures = column_of(app, "test_ndcg_best")
        known = [figure for figure in figures if figure != "–"]
        assert known == sorted(known, reverse=True)
        assert figures[len(known) :] == ["–"] * 2
        assert len(figures) == 23
        assert "23 runs" in status(app)
        assert "epoch chosen on validation" in status(app)


@pytest.mark.parametrize(
    ("filter_", "total", "said"),
    [("", 9, "9 runs "), ("model:sasrec", 3, "3 of 69 runs "), ("study:*", 69, "69 runs ")],
)
def test_without_a_filter_trials_of_studies_are_not_counted(
    filter_: str, total: int, said: str
) -> None:
    view = View(filter=filter_)
    page = Page(PageRequest(view, 0, 20), total, ())
    assert str(usual_status(page, 69, view, 0, 80)).strip().startswith(said)


async def test_sorts_by_the_column_under_the_cursor_both_ways(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("right", "s")
        await settled(pilot)
        assert "↓" in lines(app)[1]
        recall = [figure for figure in column_of(app, "test_recall_best") if figure != "–"]
        assert recall == sorted(recall, reverse=True)
        await pilot.press("s")
        await settled(pilot)
        assert "↑" in lines(app)[1]
        assert [f for f in column_of(app, "test_recall_best") if f != "–"] == recall[::-1]
        assert column_of(app, "test_recall_best")[-1] == "–"
        await pilot.click(PagedTable, offset=(8, 1))
        await settled(pilot)
        assert column_of(app, "model") == sorted(column_of(app, "model"))


async def test_every_column_can_be_sorted_by(measured: MeasuredStore) -> None:
    async with comparing(measured, (80, 24)) as (app, pilot):
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        for aggregate in ("best", "max", "last", "mean"):
            for column in shown_columns(aggregate):
                table(app).move_to_column(
                    [shown.key for shown in table(app).columns].index(column.source)
                )
                screen.action_sort()
            await settled(pilot)
            assert len(table(app)._rows) == 23
            screen.action_aggregate()
            await settled(pilot)


async def test_filters_while_typing_and_escape_clears(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("slash", *"xl", "space", *"done")
        await wait_for(pilot, lambda: table(app).total == 6, "six runs of xLSTM are done")
        assert set(column_of(app, "model")) == {"xlstm"}
        assert "6 of 23 runs" in status(app)
        await pilot.press("enter")
        assert table(app).has_focus
        await pilot.press("slash", *" zzz")
        await wait_for(pilot, lambda: not table(app).display, "nothing matches")
        assert "esc clears it" in str(app.screen.query_one("#empty", Static).content)
        await pilot.press("escape")
        await wait_for(pilot, lambda: table(app).display and table(app).total == 23, "all again")
        assert table(app).has_focus


async def test_aggregates_go_round_and_max_is_marked(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        best = column_of(app, "test_ndcg_best")
        seen = []
        for _ in range(4):
            await pilot.press("a")
            await settled(pilot)
            seen.append(status(app).split(":")[0].split()[-1])
            if seen[-1] == "max":
                assert "uses the test set" in status(app)
                assert "test_ndcg_max" in [column.key for column in table(app).columns]
        assert seen == ["max", "last", "mean", "best"]
        assert column_of(app, "test_ndcg_best") == best


async def test_reference_figures_stand_beside_ours(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        panel = app.screen.query_one("#reference", Static)
        rows = str(panel.content).splitlines()
        assert "max over epochs" in str(panel.border_title)
        assert rows[1].split()[3:6] == ["0.068", "0.130", "0.14"]
        assert rows[2].startswith("ours, validation max")
        assert rows[4].startswith("ours, test, chosen epoch")
        shown = column_of(app, "test_ndcg_best")[table(app).cursor_index]
        assert rows[4].split()[4] == shown
        await pilot.press("slash", *"synt")
        await wait_for(pilot, lambda: table(app).total == 1, "one run")
        await settled(pilot)
        assert "no published results" in str(panel.border_title)
        await wait_for(pilot, lambda: panel.outer_size.height == 1, "one line")
        await pilot.press("escape", "escape")
        await wait_for(pilot, lambda: panel.outer_size.height == 7, "the published figures")
        await pilot.press("r")
        assert not panel.display


@pytest.mark.parametrize("by_cell", [False, True])
async def test_runs_on_another_copy_are_marked_beside_published_figures(
    tmp_path: Path, by_cell: bool
) -> None:
    store = MeasuredStore(tmp_path)
    store.set(store.add(), marks="other-copy")
    async with comparing(store) as (app, pilot):
        if by_cell:
            await pilot.press("b")
            await settled(pilot)
        else:
            assert column_of(app, "test_ndcg_best")[0].startswith("!")
        title = str(app.screen.query_one("#reference", Static).border_title)
        assert title.startswith("! other-copy · ")
        await pilot.press("question_mark")
        whose = "For a run of this cell" if by_cell else "For this run"
        said = f"! other-copy  {whose}, its data set's file isn't"
        await wait_for(pilot, lambda: said in screen_text(app), "the mark is explained")
        await pilot.press("escape", "v")
        await wait_for(pilot, lambda: isinstance(app.screen, PivotScreen), "the pivot")
        await settled(pilot)
        await pilot.press("down", "down")
        await settled(pilot)
        assert "! other-copy · sasrec × ml-100k × 50" in screen_text(app)
        await pilot.press("question_mark")
        said = "! other-copy  For a run of this cell, its data set's"
        await wait_for(pilot, lambda: said in screen_text(app), "the cell's mark is explained")


async def test_hidden_for_a_moment_the_table_keeps_the_focus(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        table(app).display = False
        app.screen._refresh_layout()  # sends word that it is hidden, heard after it is shown again
        table(app).display = True
        await settled(pilot)
        assert table(app).has_focus


async def test_follows_the_store_and_keeps_its_run(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("down", "down", "down")
        key, index = table(app).cursor_key, table(app).cursor_index
        better = measured.add("sasrec", dataset="ml-1m", seed=3, length=50, epochs=30)
        await wait_for(pilot, lambda: table(app).total == 24, "the new run is shown")
        await settled(pilot)
        assert table(app).cursor_key == key
        assert table(app).cursor_index in (index, index + 1)
        assert better in [row.key for row in table(app)._rows]


async def test_enter_opens_the_run_and_escape_comes_back(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("down")
        key = table(app).cursor_key
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, RunScreen)
        assert app.screen.run_id == key
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, CompareScreen)
        assert table(app).cursor_key == key


async def test_copies_every_digit(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        shown = column_of(app, "test_ndcg_best")[0]
        await pilot.press("y")
        assert len(app.clipboard) > len(shown)
        assert f"{float(app.clipboard):.4f}" == shown


async def test_the_best_of_a_data_set_is_marked(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, _):
        keys = [column.key for column in table(app).columns]
        place = keys.index("test_ndcg_best")
        marked = [row.cells[1].text for row in table(app)._rows if row.cells[place].tone == "best"]
        assert marked == ["sasrec"]


async def test_hostile_text_is_inert(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        run = table(app).cursor_key
        assert run is not None
        measured.set(
            run, note="\x1b[2J[bold red]x[/] \u202e[link=file:///etc]", model="[b]\x1b]0;t\x07"
        )
        await wait_for(pilot, lambda: "[b] ✎" in column_of(app, "model"), "the hostile name")
        await settled(pilot)
        text = "\n".join(lines(app)) + app.export_screenshot()
        assert "\x1b" not in text
        assert "\u202e" not in text
        await pilot.press("enter")
        await settled(pilot)
        heading = str(app.screen.query_one("#heading", Static).content)
        assert "[bold red]x[/]" in heading
        assert "\x1b" not in heading
        assert "\u202e" not in app.export_screenshot()


async def test_without_a_store_it_says_what_to_do(absent_store: StoreLocation) -> None:
    app = SeqbenchApp(absent_store)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await settled(pilot)
        assert "No runs yet" in str(app.screen.query_one("#empty", Static).content)
        await pilot.press("s", "a", "r", "enter", "y", "down", "slash", "x", "escape")
        assert isinstance(app.screen, CompareScreen)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60), state=st.text(max_size=10))
def test_rows_of_any_text_are_one_harmless_line(text: str, state: str) -> None:
    shown = shown_columns("best", preset("all"))
    run = {column.source: (None if column.kind != "text" else text) for column in shown}
    page = Page(PageRequest(View(), 0, 1), 1, (CompareRow("run", run | {"state": state}),))
    (row,) = table_rows(page, shown)
    for cell in row.cells:
        assert not any(ord(character) < 32 or ord(character) == 127 for character in cell.text)


def test_imported_and_disturbed_runs_are_seen() -> None:
    shown = shown_columns("best", preset("all"))
    run = {column.source: (1.0 if column.kind != "text" else "x") for column in shown}
    run |= {"state": "done", "origin": "imported-csv", "marks": "shared"}
    page = Page(PageRequest(View(), 0, 1), 1, (CompareRow("run", run),))
    (row,) = table_rows(page, shown)
    texts = {column.name: cell.text for column, cell in zip(shown, row.cells, strict=True)}
    assert texts["state"] == "↓"
    marked = {name for name, text in texts.items() if text.startswith("!")}
    assert marked == COSTS


def test_a_row_that_is_kept_is_told_its_age_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [column for column in every_column("best").values() if column.name == "age"]
    now = 1_790_000_000.0
    monkeypatch.setattr("time.time", lambda: now)
    run = {column.source: now - 10 for column in shown} | {"state": "queued"}
    page = Page(PageRequest(View(), 0, 1), 1, (CompareRow("run", run),))
    drawn = Drawn()
    told = [table_rows(page, shown, before=drawn)[0].cells[0]]
    told.append(table_rows(page, shown, before=drawn)[0].cells[0])
    assert told[0] is told[1], "drawn once"
    now += 50
    told.append(table_rows(page, shown, before=drawn)[0].cells[0])
    assert [cell.text for cell in told] == ["10 s ago", "10 s ago", "1 m ago"]


@pytest.mark.parametrize("aggregate", ["best", "max", "last", "mean", "min"])
def test_headings_fit_their_columns(aggregate: Any) -> None:
    columns = table_columns(shown_columns(aggregate, preset("all")))
    assert all(len(line) <= column.width for column in columns for line in column.heading)
    assert [column.fixed for column in columns] == [True] * 5 + [False] * (len(columns) - 5)


@pytest.mark.parametrize(("size", "example"), [((80, 24), False), ((120, 36), True)])
async def test_the_filters_hint_gives_an_example_where_that_has_room(
    measured: MeasuredStore, size: tuple[int, int], example: bool
) -> None:
    async with comparing(measured, size) as (app, pilot):
        field = app.screen.query_one("#filter", Input)
        assert ("such as" in field.placeholder) is example
        await pilot.resize_terminal(200 - size[0], 40)
        await settled(pilot)
        assert ("such as" in field.placeholder) is not example


async def test_published_figures_fill_the_width_that_they_get(
    measured: MeasuredStore,
) -> None:
    async with comparing(measured, (80, 24)) as (app, pilot):
        panel = app.screen.query_one("#reference", Static)
        narrow = str(panel.content).splitlines()[0].split()
        await pilot.resize_terminal(140, 40)
        await settled(pilot)
        assert len(str(panel.content).splitlines()[0].split()) > len(narrow)


async def test_keys_of_the_app_are_text_in_the_filter(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("slash", *"a1q?")
        assert app.screen.query_one("#filter", Input).value == "a1q?"


@pytest.mark.parametrize("size", [(80, 24), (60, 18), (40, 10), (30, 10)])
async def test_a_metric_is_in_sight_whatever_the_width(
    measured: MeasuredStore, size: tuple[int, int]
) -> None:
    async with comparing(measured, size, "launch") as (app, pilot):
        await pilot.pause()
        assert "NDCG@10" in lines(app)[0] + lines(app)[1]
        metric, seed = (column_of(app, name)[0] for name in ("test_ndcg_best", "seed"))
        first = column_of(app, "model")[0], metric
        assert [text for text in first if text not in lines(app)[2].split()] == []
        await pilot.press("left")
        assert seed in lines(app)[2].split()
        await pilot.press("right")
        assert [text for text in first if text not in lines(app)[2].split()] == []


@pytest.mark.parametrize(("size", "least"), [((80, 24), 9), ((60, 18), 11), ((40, 10), 4)])
async def test_the_table_comes_first_where_lines_are_few(
    measured: MeasuredStore, size: tuple[int, int], least: int
) -> None:
    async with comparing(measured, size) as (app, pilot):
        rows = [line for line in lines(app) if "ml-100k" in line]
        assert len(rows) >= least
        before = app.screen.query_one("#reference").display
        assert before == (size[1] >= 20)
        await pilot.press("r")
        assert app.screen.query_one("#reference").display != before, "on demand it is there"
