"""Every view of the app over hostile text: nothing acts, nothing is displaced, nothing breaks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from held import worked_on
from hostile_store import FOLDER, hostile_store
from hostile_text import ACTING, HUGE, MARK, harms, screen_lines
from live_runs import LiveStore
from pilots import settled, wait_for
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Input, Select

from tui.app import SeqbenchApp
from tui.compare.screen import CompareScreen
from tui.dialogs.ask import AskScreen
from tui.dialogs.fetch import FetchScreen
from tui.launch.confirm import ConfirmScreen
from tui.launch.grid.grid import CellGrid
from tui.live.log.tail import LogTail
from tui.live.screen import LiveScreen
from tui.results.note import NoteScreen
from tui.run.screen import RunScreen
from tui.widgets.table import PagedTable

CASES = pytest.mark.parametrize(
    ("text", "size"),
    [
        pytest.param(ACTING, (80, 24), id="80x24"),
        pytest.param(ACTING, (132, 43), id="132x43", marks=pytest.mark.slow),
        pytest.param(HUGE, (132, 43), id="huge", marks=pytest.mark.slow),
    ],
    indirect=["text"],
)


@pytest.fixture(
    params=[
        pytest.param(ACTING, id="acting"),
        pytest.param(HUGE, id="huge", marks=pytest.mark.slow),
    ]
)
def text(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def hostile(tmp_path: Path, text: str) -> Iterator[tuple[LiveStore, str]]:
    """A store whose queue is held, and its failed run."""
    store, failed = hostile_store(tmp_path / FOLDER, text)
    with worked_on(store.location):
        yield store, failed


@pytest.fixture
def config(tmp_path: Path, text: str) -> Path:
    """A layer of configuration whose titles and notes are hostile."""
    short = text[:5_000]
    layer = tmp_path / "layer"
    entries: dict[str, dict[str, Any]] = {
        "models/sasrec": {"title": short, "paper": short},
        "datasets/ml-100k": {"title": short, "license": short, "note": short},
        "datasets/synthetic": {"title": short},
        "suites/smoke": {"title": short, "note": short},
        "reference/reference-27": {"title": short, "source": short, "split": short},
    }
    for name, content in entries.items():
        path = layer / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        entry = {"name": path.stem, **content}
        path.write_text(yaml.safe_dump(entry, width=10**6), encoding="utf-8")
    return layer


def shows(pilot: Pilot[None]) -> str:
    return "\n".join(screen_lines(pilot.app))


@CASES
async def test_runs_with_hostile_text(
    hostile: tuple[LiveStore, str], size: tuple[int, int]
) -> None:
    store, failed = hostile
    app = SeqbenchApp(store.location)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        assert "ready" in shows(pilot)

        await pilot.press("2")
        await wait_for(pilot, lambda: isinstance(app.screen, LiveScreen), "Live")
        live = app.screen
        assert isinstance(live, LiveScreen)
        await wait_for(pilot, lambda: live._facts is not None, "a run is shown")
        await pilot.press("end")
        tail = live.query_one(LogTail)
        await wait_for(pilot, lambda: len(tail._log) > 1, "its log is shown")
        await settled(pilot)
        assert MARK in shows(pilot)
        await pilot.press("home", "x")
        await wait_for(pilot, lambda: isinstance(app.screen, AskScreen), "the question")
        assert "Cancel" in shows(pilot)
        await pilot.press("escape", "3")
        await wait_for(pilot, lambda: isinstance(app.screen, CompareScreen), "Compare")
        table = app.screen.query_one(PagedTable)
        await wait_for(pilot, lambda: bool(table._rows), "rows")
        await settled(pilot)
        assert MARK in shows(pilot)
        await pilot.press("slash")
        app.post_message(Paste(ACTING))
        field = app.screen.query_one(Input)
        await wait_for(pilot, lambda: bool(field.value), "the paste")
        await settled(pilot)
        assert not harms(field.value)
        assert shows(pilot)

        await app.push_screen(RunScreen(failed))
        await settled(pilot)
        assert MARK in shows(pilot)
        await pilot.press("pagedown", "pagedown")
        assert shows(pilot)
        await pilot.press("n")
        await wait_for(pilot, lambda: isinstance(app.screen, NoteScreen), "the note")
        assert MARK in shows(pilot)
        await pilot.press("escape", "d")
        await wait_for(pilot, lambda: isinstance(app.screen, AskScreen), "the question")
        assert failed in shows(pilot)
        await pilot.press("escape", "y")
        await settled(pilot)
        assert not harms(app.clipboard)


@CASES
async def test_configuration_with_hostile_text(
    tmp_path: Path, config: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    app = SeqbenchApp(LiveStore(tmp_path).location, config)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        assert app.catalogue is not None, app.catalogue_problem
        assert MARK in shows(pilot)
        await pilot.press("o")
        suite = app.screen.query_one("#suite", Select)
        suite.focus()
        suite.expanded = True
        await pilot.pause()
        assert MARK in shows(pilot)
        suite.value = "smoke"
        suite.expanded = False
        await settled(pilot)
        assert shows(pilot)
        app.screen.query_one(CellGrid).focus()
        await pilot.press("right", "space", "enter")
        await wait_for(pilot, lambda: isinstance(app.screen, ConfirmScreen), "the last look")
        assert MARK in shows(pilot)
        await pilot.press("escape")
        await settled(pilot)
        await pilot.press("f")
        await wait_for(pilot, lambda: isinstance(app.screen, FetchScreen), "the offer")
        assert MARK in shows(pilot)


async def test_what_the_app_says_of_itself(tmp_path: Path, text: str) -> None:
    app = SeqbenchApp(LiveStore(tmp_path).location)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)
        app.notify(text, title=text, severity="error", markup=True)
        app.screen.notify(text)
        await wait_for(pilot, lambda: shows(pilot).count(MARK) >= 3, "both toasts and a title")
        assert "1 Launch" in shows(pilot)


async def test_a_configuration_that_fails_with_hostile_text(tmp_path: Path, text: str) -> None:
    suite = tmp_path / "layer" / "suites" / "evil.yaml"
    suite.parent.mkdir(parents=True)
    suite.write_text(yaml.safe_dump({"name": "evil", text[:5_000]: 1}, width=10**6))
    app = SeqbenchApp(LiveStore(tmp_path).location, tmp_path / "layer")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "unknown key" in " ".join(shows(pilot).split())
