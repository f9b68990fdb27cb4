"""Help that teaches: what stands under the cursor, states and figures."""

from __future__ import annotations

import pytest
from live_runs import LiveStore
from pilots import screen_text, settled, wait_for
from textual.containers import VerticalScroll

from tui.app import SeqbenchApp
from tui.compare.screen import CompareScreen
from tui.dialogs.help import HelpScreen
from tui.widgets.table import PagedTable


def words(app: SeqbenchApp) -> str:
    return " ".join(screen_text(app).replace("│", " ").split())


async def test_on_compare_the_column_under_the_cursor_is_explained(busy_store: LiveStore) -> None:
    app = SeqbenchApp(busy_store.location)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await settled(pilot)
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: "NDCG@10/test  Mean over users" in screen_text(app), "NDCG")
        assert "Shown: at the epoch chosen" in words(app)
        await pilot.press("escape", "a", "right", "question_mark")
        await wait_for(
            pilot, lambda: "Recall@10/test  The same as HitRate@10" in screen_text(app), "Recall"
        )
        assert "maximum over epochs: looks at" in words(app)


async def test_help_is_that_of_the_screen_beneath(busy_store: LiveStore) -> None:
    areas = {"1": "Launch", "2": "Live", "3": "Compare", "enter": "Run"}
    app = SeqbenchApp(busy_store.location)
    async with app.run_test(size=(80, 24)) as pilot:
        for key, area in areas.items():
            await settled(pilot)
            await pilot.press(key)
            await settled(pilot)
            await pilot.press("question_mark")
            await wait_for(pilot, lambda: f"Help · {area}" in screen_text(app), area)  # noqa: B023
            assert isinstance(app.screen, HelpScreen)
            await pilot.press("end")
            shown = app.screen.query_one(VerticalScroll)
            await wait_for(pilot, lambda: shown.is_vertical_scroll_end, "the end")  # noqa: B023
            assert ("± std" in screen_text(app)) is (area != "Launch")
            await pilot.press("escape")


async def test_on_a_run_its_state_is_explained_and_what_to_try(busy_store: LiveStore) -> None:
    app = SeqbenchApp(busy_store.location)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3", "slash", *"state:failed", "enter")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: "✗ failed  Ended with an error" in screen_text(app), "why")
        await pilot.press("escape", "escape", "escape")
        table = app.screen.query_one(PagedTable)
        await wait_for(pilot, lambda: table.total > 1, "all runs again")
        await pilot.press("home", "enter")
        await settled(pilot)
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: "● done  Finished; its result" in screen_text(app), "done")
        assert "NDCG@10/test Mean over users" in words(app)


async def test_without_runs_compare_explains_no_column_wrongly(empty_store: LiveStore) -> None:
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await settled(pilot)
        assert isinstance(app.screen, CompareScreen)
        await pilot.press("question_mark")
        await wait_for(pilot, lambda: "Keys" in screen_text(app), "help")


@pytest.mark.parametrize("grouped", [False, True], ids=["runs", "cells"])
async def test_every_column_of_compare_has_its_explanation(
    busy_store: LiveStore, grouped: bool
) -> None:
    app = SeqbenchApp(busy_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("3", *(["b"] if grouped else []))
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        await wait_for(pilot, lambda: screen.table.cursor_column, "a column")
        for index in range(len(screen.table.columns)):
            screen.table.move_to_column(index)
            chosen = screen.table.cursor_column
            assert chosen is not None
            assert list(screen.help_topics()), chosen.key
