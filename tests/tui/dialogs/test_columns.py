"""Choosing the comparison's columns: presets, a search, their order, and what is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
from comparing import column_of, comparing, table
from measured_runs import MeasuredStore, filled_store
from pilots import settled
from textual.app import App

from engine.analysis.columns.offered import DEFAULT, HELD, choosable, preset
from engine.analysis.columns.sections import SECTIONS
from tui.dialogs.columns import ColumnList, ColumnsScreen
from tui.shell import remembered


@pytest.fixture
def measured(tmp_path: Path) -> MeasuredStore:
    return filled_store(tmp_path)[0]


def chosen(app: App[None]) -> tuple[str, ...]:
    return app.screen.query_one(ColumnList).chosen


async def test_columns_are_chosen_put_in_order_and_remembered(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        assert len(table(app).columns) == len(HELD) + len(DEFAULT)
        await pilot.press("C")
        await settled(pilot)
        assert isinstance(app.screen, ColumnsScreen)
        await pilot.press("down", "space", "up", "J", "J")
        names = list(chosen(app))
        assert names[:2] == ["MRR@10/test", "NDCG@10/test"]
        assert "Recall@10/test" not in names
        await pilot.press("enter")
        await settled(pilot)
        keys = [column.key for column in table(app).columns]
        assert keys[:7] == [
            "state", "model", "dataset", "length", "seed", "test_mrr_best", "test_ndcg_best",
        ]  # fmt: skip
        assert "test_recall_best" not in keys
        assert remembered.recall("compare")["columns"] == names
    async with comparing(measured) as (app, pilot):
        assert [column.key for column in table(app).columns] == keys
        await pilot.press("C", "r", "enter")
        await settled(pilot)
        assert len(table(app).columns) == len(HELD) + len(DEFAULT)


async def test_presets_none_and_a_search_choose_columns(measured: MeasuredStore) -> None:
    async with comparing(measured, (80, 24)) as (app, pilot):
        await pilot.press("C", "2")
        assert chosen(app) == preset("cost")
        await pilot.press("4")
        assert chosen(app) == tuple(choosable())
        await pilot.press("5")
        assert chosen(app) == preset("cutoffs")
        await pilot.press("6")
        assert chosen(app) == preset("items")
        await pilot.press("0", "enter")
        assert isinstance(app.screen, ColumnsScreen), "no column at all isn't an answer"
        await pilot.press("slash", *"hit test", "enter", "space")
        await settled(pilot)
        assert chosen(app) == ("HitRate@10/test",)
        shown = app.screen.query_one(ColumnList)
        texts = [shown.render_line(y).text.strip() for y in range(shown.size.height)]
        assert [text for text in texts if text] == [
            "Metrics", "✓  HitRate@10/test", "·  HitRate@10/test (seen masked)",
        ]  # fmt: skip
        await pilot.press("escape", *"/learning", "enter", "space", "escape")
        await pilot.press(*"/nothing has this", "enter", "space", "J", "escape")
        assert chosen(app) == ("HitRate@10/test", "LearningRate")
        await pilot.press("enter")
        await settled(pilot)
        assert len(table(app).columns) == len(HELD) + 2


async def test_what_is_found_moves_past_what_is_found(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("C", "slash", *"test", "enter", "J")
        assert chosen(app)[:3] == ("Recall@10/test", "NDCG@10/test", "MRR@10/test")
        await pilot.press("J", "K")
        assert chosen(app)[:3] == ("Recall@10/test", "NDCG@10/test", "MRR@10/test")
        await pilot.press("K", "escape", "escape")
        await settled(pilot)
        assert not isinstance(app.screen, ColumnsScreen)


async def test_what_is_not_shown_stands_below_the_title_of_its_section(
    measured: MeasuredStore,
) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("C")
        await settled(pilot)
        found = app.screen.query_one(ColumnList)
        titles = [line for line in found._lines if isinstance(line, str)]
        assert tuple(titles) == SECTIONS
        assert found._lines[: len(DEFAULT)] == list(range(len(DEFAULT)))
        await pilot.press("slash", *"settings drop", "enter", "space")
        assert found._found == ["dropout", "embedding_dropout"]
        await pilot.press("down", "K", "space")
        assert chosen(app)[-2:] == ("embedding_dropout", "dropout")
        assert [line for line in found._lines if isinstance(line, str)] == ["Settings"]
        await pilot.press("escape", "end", "home", "K")
        assert chosen(app)[0] == "NDCG@10/test"


async def test_a_click_shows_a_column(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("C")
        await settled(pilot)
        app.screen.query_one(ColumnList).choose(["note"])
        await pilot.press("space", "enter")
        assert isinstance(app.screen, ColumnsScreen)
        await pilot.click(ColumnList, offset=(5, 2))
        await pilot.press("enter")
        await settled(pilot)
        assert len(table(app).columns) == len(HELD) + 1


async def test_settings_are_columns_of_runs_and_of_cells(measured: MeasuredStore) -> None:
    names = ["lr", "norm", "training.epochs", "NDCG@10/test"]
    remembered.keep("compare", {"columns": names})
    async with comparing(measured) as (app, pilot):
        table(app).move_to_column([column.key for column in table(app).columns].index("lr"))
        await pilot.press("s")
        await settled(pilot)
        assert column_of(app, "lr") == ["0.001"] * 22 + ["0.002"]
        await pilot.press("s")
        await settled(pilot)
        assert column_of(app, "lr") == ["0.002"] + ["0.001"] * 22
        norms = dict(zip(column_of(app, "model"), column_of(app, "norm"), strict=True))
        assert norms == {"sasrec": "pre", "bert4rec": "pre", "xlstm": "–"}
        await pilot.press("/", *"lr>0.001", "enter")
        await settled(pilot)
        assert column_of(app, "lr") == ["0.002"]
        await pilot.press("escape", "b")
        await settled(pilot)
        assert column_of(app, "lr") == ["0.002"] + ["0.001"] * 9
        models = (name.split()[0] for name in column_of(app, "model"))
        assert dict(zip(models, column_of(app, "norm"), strict=True)) == norms
        assert column_of(app, "training.epochs")[0] == "300"
