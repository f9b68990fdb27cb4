"""The comparison written to a file from the Compare screen."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from zipfile import ZipFile

import pytest
from comparing import column_of, comparing
from measured_runs import MeasuredStore, filled_store
from pilots import settled, wait_for
from textual.widgets import Input, Static

from engine.analysis.columns import shown_columns
from tui.app import SeqbenchApp
from tui.compare.screen import CompareScreen
from tui.dialogs.quit import QuitScreen, way_back
from tui.results.export import ExportScreen


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MeasuredStore:
    monkeypatch.chdir(tmp_path)
    return filled_store(tmp_path)[0]


def name_file(app: SeqbenchApp, name: str) -> None:
    app.screen.query_one("#file", Input).value = name


async def test_what_is_shown_is_written_filtered_and_sorted(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("slash", *"xlstm", "enter", "s", "d")  # the first is being deleted
        await settled(pilot)
        shown = column_of(app, "test_ndcg_best")
        await pilot.press("e")
        await wait_for(pilot, lambda: isinstance(app.screen, ExportScreen), "the question")
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, CompareScreen), "written")
        rows = list(csv.DictReader(Path("comparison.csv").read_text().splitlines()))
        assert {row["model"] for row in rows} == {"xlstm"}
        names = [column.name for column in shown_columns("best")]
        assert list(rows[0]) == ["created" if name == "age" else name for name in names]
        assert [f"{float(row['NDCG@10/test']):.4f}" for row in rows] == shown


async def test_cells_are_written_as_cells(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        await pilot.press("b", "e")
        await wait_for(pilot, lambda: isinstance(app.screen, ExportScreen), "the question")
        name_file(app, "cells.json")
        await pilot.press("tab", "enter")
        await wait_for(pilot, lambda: isinstance(app.screen, CompareScreen), "written")
        cells = json.loads(Path("cells.json").read_text())
        assert {cell["seeds"] for cell in cells} == {1, 2}
        assert {"NDCG@10/test (std)", "GradientNorm", "checksum"} <= set(cells[0])


async def test_a_paper_and_a_sheet_get_the_columns_shown_or_all(measured: MeasuredStore) -> None:
    async with comparing(measured) as (app, pilot):
        for name, keys in (("a.tex", ()), ("b.tex", ("tab",)), ("c.xlsx", ("tab", "tab"))):
            await pilot.press("e")
            await wait_for(pilot, lambda: isinstance(app.screen, ExportScreen), "the question")
            name_file(app, name)
            await pilot.press(*keys)
            summary = str(app.screen.query_one("#summary", Static).content)
            assert ("all columns" if len(keys) == 1 else "the 13 columns shown") in summary
            await pilot.press("enter")
            await wait_for(pilot, lambda: isinstance(app.screen, CompareScreen), "written")
    few, many = (Path(name).read_text().splitlines()[2].count("&") for name in ("a.tex", "b.tex"))
    assert (few, many > 45) == (12, True)
    with ZipFile("c.xlsx") as book:
        assert "GradientNorm" not in book.read("xl/sharedStrings.xml").decode()


async def test_what_is_typed_is_judged_at_once(measured: MeasuredStore) -> None:
    Path("comparison.csv").write_text("mine")
    async with comparing(measured) as (app, pilot):
        await pilot.press("e")
        await wait_for(pilot, lambda: isinstance(app.screen, ExportScreen), "the question")
        problem = app.screen.query_one("#problem", Static)
        for name, sentence in (
            ("comparison.csv", "File exists."),
            ("comparison.pdf", "End its name in .csv, .md, .tex, .xlsx, .json, .txt, .tar.zst"),
            ("free.csv", ""),
        ):
            name_file(app, name)
            await wait_for(
                pilot,
                lambda words=sentence: (
                    str(problem.content).startswith(words)
                    and bool(str(problem.content)) is bool(words)
                ),
                sentence or "no problem",
            )
    assert Path("comparison.csv").read_text() == "mine"


async def test_what_cannot_be_the_file_is_said_and_nothing_is_lost(
    measured: MeasuredStore,
) -> None:
    Path("folder.csv").mkdir()
    os.mkfifo("pipe.md")
    there = Path("kept-elsewhere")
    there.write_text("mine")
    Path("mine.md").symlink_to(there)
    async with comparing(measured) as (app, pilot):
        await pilot.press("e")
        await wait_for(pilot, lambda: isinstance(app.screen, ExportScreen), "the question")
        problem = app.screen.query_one("#problem", Static)
        for name, sentence in (
            ("comparison", "End its name in .csv, .md, .tex, .xlsx, .json, .txt"),
            ("folder.csv", "That is a folder"),
            ("none/there.md", "There is no folder none"),
            (f"{'x' * 300}.md", "That can't be a file: File name too long"),
            ("pipe.md", "Press Enter again to overwrite."),
            ("pipe.md", "pipe.md can't be written: nobody reads from this pipe."),
            ("~nobody-here/mine.md", "There is no folder ~nobody-here"),
            ("mine.md", "Press Enter again to overwrite."),
        ):
            name_file(app, name)
            await pilot.press("enter")
            await wait_for(pilot, lambda words=sentence: words in str(problem.content), sentence)
        assert there.read_text() == "mine"
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, CompareScreen), "written")
        assert there.read_text().startswith("| state | model |")
        assert Path("mine.md").is_symlink()


async def test_a_working_folder_that_is_gone_is_no_end(
    measured: MeasuredStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    async with comparing(measured) as (app, pilot):
        (tmp_path / "gone").rmdir()
        await pilot.press("e")
        await wait_for(pilot, lambda: isinstance(app.screen, ExportScreen), "the question")
        problem = app.screen.query_one("#problem", Static)
        await pilot.press("enter")
        await wait_for(pilot, lambda: "can't be written" in str(problem.content), "the sentence")
        await pilot.press("escape", "q")
        await wait_for(pilot, lambda: isinstance(app.screen, QuitScreen), "the question to leave")
        assert "seqbench --db" in str(way_back(measured.location))
