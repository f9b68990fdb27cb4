"""The pivot on the Compare screen: folded, set beside the reference, copied, written, tested."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from comparing import column_of
from measured_runs import MeasuredStore, filled_store, give_ranks
from pilots import screen_text, settled, wait_for
from pivoting import labels, pivoting, rank, said
from row_pivot import pivot
from textual.widgets import Input, Static

from engine.analysis.columns.offered import preset
from engine.analysis.comparison import compare_rows
from engine.analysis.pivot.arranged import COLUMNS
from engine.analysis.pivot.stored import stored_pivot
from engine.analysis.pivot.text import format_pivot
from engine.store.compare.grouping import Choice, counted_runs, runs_of_cell
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.location import StoreLocation
from tui.compare.screen import CompareScreen
from tui.dialogs.columns import ColumnList
from tui.pivot import screen as pivot_screen
from tui.pivot.screen import PivotScreen
from tui.results.diff import DiffScreen
from tui.results.export import ExportScreen
from tui.run.screen import RunScreen


@pytest.fixture
def stored(tmp_path: Path) -> tuple[MeasuredStore, dict[str, str]]:
    return filled_store(tmp_path)


@pytest.fixture
def measured(stored: tuple[MeasuredStore, dict[str, str]]) -> MeasuredStore:
    return stored[0]


async def test_cells_stand_in_the_reference_tables_form_and_fold(measured: MeasuredStore) -> None:
    async with pivoting(measured) as (_, pilot, screen):
        shown = labels(screen)
        assert shown[:5] == ["▾ bert4rec", "  ▾ ml-100k", "      50", "      75", "      100"]
        assert shown[-1] == "Grand Total (Max)"
        assert "10 cells of 19 runs" in said(screen, "status")
        assert "differ in settings" in said(screen, "apart")
        assert column_of(pilot.app, "seeds", screen)[2] == "×2"
        assert screen.table.columns.all[2].key == "NDCG@10/test", "quality comes first"
        (best,) = (row for row in screen.table._rows if row.cells[2].tone == "best")
        ndcg = column_of(pilot.app, "NDCG@10/test", screen)
        assert best.cells[2].text.split()[0] == max(text.split()[0] for text in ndcg)
        # A subtotal is the highest below it.
        assert ndcg[0] == max(ndcg[2:5]).split()[0]
        everything = labels(screen)
        await pilot.press("enter")
        await settled(pilot)
        assert labels(screen)[:2] == ["▸ bert4rec", "▾ sasrec"]
        assert screen.table.total == len(everything) - 4
        await pilot.press("enter", "down", "down", "enter")
        await settled(pilot)
        assert labels(screen)[:3] == ["▾ bert4rec", "  ▸ ml-100k", "▾ sasrec"]
        row = screen.row_under_cursor
        assert row is not None
        assert (row.level, row.model) == ("dataset", "bert4rec")
        await pilot.press("f")
        await settled(pilot)
        assert [label.strip() for label in labels(screen)] == [
            "▾ bert4rec", "▸ ml-100k", "▾ sasrec", "▸ ml-100k", "▾ xlstm", "▸ ml-100k",
            "Grand Total (Max)",
        ]  # fmt: skip
        await pilot.press("f")
        await settled(pilot)
        assert labels(screen) == ["▸ bert4rec", "▸ sasrec", "▸ xlstm", "Grand Total (Max)"]
        assert screen.table.cursor_index == 0
        await pilot.press("f", "end", "enter")
        await settled(pilot)
        assert labels(screen) == everything


async def test_the_aggregate_and_the_filter_are_those_of_the_comparison(
    measured: MeasuredStore,
) -> None:
    keys = ("a", "slash", *"xlstm", "enter")
    async with pivoting(measured, *keys) as (app, pilot, screen):
        assert "max: maximum over epochs (uses the test set)" in said(screen, "status")
        assert "filter xlstm" in said(screen, "status")
        assert labels(screen)[0] == "▾ xlstm"
        with closing(connect_reader(measured.location)) as con:
            counted = counted_runs(con, Choice("xlstm"))
            expected = pivot(compare_rows(con, aggregate="max", filter="xlstm"), counted)
        await pilot.press("a")
        await settled(pilot)
        assert "last: at the last epoch; mean ± std over seeds" in said(screen, "status")
        await pilot.press("a", "a", "a")
        await settled(pilot)
        place = [row.label for row in expected].index("75")
        ndcg = column_of(app, "NDCG@10/test", screen)[place]
        assert ndcg == f"{expected[place].figures[COLUMNS.index('NDCG@10/test')]:.4f}"
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, CompareScreen)
        app.screen.query_one(Input).value = "state:failed"
        await settled(pilot)
        await pilot.press("v")
        await settled(pilot)
        empty = app.screen
        assert isinstance(empty, PivotScreen)
        assert "No run that is done matches “state:failed”" in said(empty, "empty")
        await pilot.press("e", "enter", "space", "f", "y", "Y", "r", "a")
        await settled(pilot)
        assert app.screen is empty


async def test_published_figures_stand_below_ours_and_a_cell_is_explained(
    stored: tuple[MeasuredStore, dict[str, str]],
) -> None:
    measured, runs = stored
    rank(measured, (runs["bert4rec-50-1"], runs["bert4rec-50-42"]), 0.2)
    async with pivoting(measured, size=(200, 50)) as (_, pilot, screen):
        assert "maximum of the cells beneath" in said(screen, "cell")
        plain = labels(screen)
        await pilot.press("r")
        await settled(pilot)
        shown = [label.strip() for label in labels(screen)]
        assert shown[2:7] == [
            "50", "published (labelled test)", "ours, validation max", "difference ± 95 %",
            "ours is",
        ]  # fmt: skip
        ndcg = column_of(pilot.app, "NDCG@10/test", screen)
        assert ndcg[3] == "0.068"
        assert ndcg[6] in ("better", "worse", "no difference shown")
        await pilot.press("down", "down", "down", "down")
        cell = screen.cell_under_cursor
        assert cell is not None
        assert cell.length == 50
        await pilot.press("r")
        await settled(pilot)
        assert labels(screen) == plain
        await pilot.press("home", "down", "down")
        await wait_for(pilot, lambda: " – 0." in said(screen, "cell"), "intervals are read")
        text = said(screen, "cell")
        assert "Only" not in text
        assert "inflates by" in text
        assert "+0.000" in text
        title = str(screen.query_one("#cell", Static).border_title)
        assert title.startswith("bert4rec × ml-100k × 50 · 2 seeds · reference")
        await pilot.press("down")
        await wait_for(pilot, lambda: "can't be read" in said(screen, "cell"), "no ranks")
        await pilot.press("down", "down", "down", "down")
        title = str(screen.query_one("#cell", Static).border_title)
        assert title.endswith("kept apart from its neighbors: different settings")


async def test_two_cells_are_tested_against_each_other(
    stored: tuple[MeasuredStore, dict[str, str]],
) -> None:
    measured, runs = stored
    rank(measured, [runs[f"bert4rec-50-{seed}"] for seed in (1, 42)], 0.1)
    rank(measured, [runs[f"bert4rec-75-{seed}"] for seed in (1, 42)], 0.6)
    async with pivoting(measured) as (app, pilot, screen):
        assert screen.check_action("diff", ()) is None
        await pilot.press("down", "down", "space", "space")
        await settled(pilot)
        assert "2 marked" in said(screen, "status")
        assert [row.marked for row in screen.table._rows[:5]] == [False, False, True, True, False]
        await pilot.press("equals_sign")
        await settled(pilot)
        assert isinstance(app.screen, DiffScreen)
        text = str(app.screen.query_one("#diff", Static).content)
        assert "HitRate@10, Recall@10: right is better, +0." in text
        assert "corrected (Holm) for the 3 metrics of these two" in text
        await pilot.press("x")
        await settled(pilot)
        text = str(app.screen.query_one("#diff", Static).content)
        assert "HitRate@10, Recall@10: right is worse, −0." in text
        await pilot.press("y")
        assert app.clipboard.startswith("NDCG@10: right is worse")


async def test_it_is_copied_and_written(
    measured: MeasuredStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with pivoting(measured) as (app, pilot, screen):
        await pilot.press("down", "down", "right", "right", "y")
        cell = screen.cell_under_cursor
        assert cell is not None
        assert app.clipboard == str(cell.figures[0])
        await pilot.press("enter", "Y")
        lines = app.clipboard.splitlines()
        assert lines[0].split("\t")[:3] == ["", "seeds", "NDCG@10/test"]
        assert lines[3].startswith("bert4rec › ml-100k › 50\t2\t"), "folded or not"
        assert len(lines) == 18
        await pilot.press("e")
        await settled(pilot)
        assert isinstance(app.screen, ExportScreen)
        app.screen.query_one(Input).value = "pivot.doc"
        await pilot.press("enter")
        await wait_for(pilot, lambda: "End its name in" in screen_text(app), "what is wrong")
        app.screen.query_one(Input).value = "pivot.json"
        await pilot.press("enter")
        await wait_for(pilot, lambda: app.screen is screen, "it is written")
        with closing(connect_reader(measured.location)) as con:
            expected = stored_pivot(con, Choice(), "best", catalogue=measured.catalogue).rows
        assert (tmp_path / "pivot.json").read_text() == format_pivot(expected, "json")


async def test_columns_are_chosen_remembered_and_exported(
    measured: MeasuredStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    give_ranks(measured)

    def shown(screen: PivotScreen) -> list[str]:
        return [column.key for column in screen.table.columns.all[2:]]

    async with pivoting(measured) as (app, pilot, screen):
        usual = shown(screen)
        assert usual[:3] == ["NDCG@10/test", "Recall@10/test", "MRR@10/test"]
        await pilot.press("C")
        await settled(pilot)
        offered = app.screen.query_one(ColumnList)
        assert offered.chosen == COLUMNS
        assert not {"age", "tags", "run"} & set(offered._names), "texts have no mean"
        await pilot.press("5", "enter")
        await settled(pilot)
        names = preset("cutoffs")
        assert tuple(shown(screen)) == names
        await pilot.press("e")
        await settled(pilot)
        app.screen.query_one(Input).value = "pivot.json"
        await pilot.press("enter")
        await wait_for(pilot, lambda: app.screen is screen, "it is written")
        with closing(connect_reader(measured.location)) as con:
            catalogue = measured.catalogue
            expected = stored_pivot(con, Choice(), "best", catalogue=catalogue, names=names).rows
        assert (tmp_path / "pivot.json").read_text() == format_pivot(expected, "json", names)
    async with pivoting(measured) as (app, pilot, screen):
        assert tuple(shown(screen)) == names
        await pilot.press("Y")
        await settled(pilot)
        assert app.clipboard.splitlines()[0].split("\t")[2:] == list(names)
        await pilot.press("C", "r", "enter")
        await settled(pilot)
        assert shown(screen) == usual


async def test_few_users_are_warned_of(
    stored: tuple[MeasuredStore, dict[str, str]],
) -> None:
    measured, runs = stored
    rank(measured, (runs["bert4rec-50-1"], runs["bert4rec-50-42"]), 0.0, users=90)
    async with pivoting(measured) as (_, pilot, screen):
        await pilot.press("home", "down", "down")
        await wait_for(pilot, lambda: "Only" in said(screen, "cell"), "intervals are read")
        # Of 90 users without a hit the rate may be 4 per cent.
        assert "0.0000 – 0.0402" in said(screen, "cell")
        assert "Only 90 test users: NDCG@10 is known to about ±0.020" in screen_text(pilot.app)


async def test_it_follows_the_store_when_a_run_ends(
    stored: tuple[MeasuredStore, dict[str, str]],
) -> None:
    measured, runs = stored
    async with pivoting(measured) as (app, pilot, screen):
        with closing(connect_writer(measured.location)) as con, write(con):
            con.execute("UPDATE runs SET state = 'done' WHERE id = ?", (runs["running"],))
        await wait_for(pilot, lambda: "of 20 runs" in said(screen, "status"), "one more run")
        rank(measured, runs.values(), 0.0, users=90)
        await pilot.press("escape", "enter")
        await settled(pilot)
        page = app.screen
        assert isinstance(page, RunScreen)
        await wait_for(
            pilot, lambda: "95 % over users" in said(page, "result"), "intervals are read"
        )
        assert ".000–.040" in said(page, "result")
        assert "! Only 90 test users: NDCG@10 is known to about ±0.020" in said(page, "result")


async def test_intervals_of_runs_before_another_ended_are_not_kept(
    measured: MeasuredStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, seeds = Event(), [0]

    def read_once_let(location: StoreLocation, choice: Choice, cell: str) -> str:
        with closing(connect_reader(location)) as con:
            found = len(runs_of_cell(con, choice, cell))
        seeds.append(found)
        assert gate.wait(60)
        return f"of {found} seeds"

    monkeypatch.setattr(pivot_screen, "read_cell", read_once_let)
    async with pivoting(measured) as (_, pilot, screen):
        await pilot.press("down", "down")
        await wait_for(pilot, lambda: seeds[-1] == 2, "the first reading")
        measured.add("bert4rec", seed=3)
        await wait_for(pilot, lambda: "×3" in column_of(pilot.app, "seeds", screen), "a seed more")
        gate.set()
        await wait_for(pilot, lambda: "of 3 seeds" in said(screen, "cell"), "intervals of it")
