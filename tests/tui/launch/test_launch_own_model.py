"""A model of one's own on Launch: its row, its settings, and its file as it is when launched."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from pilots import settled, wait_for
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Select, Static, TextArea

from engine.modelinfo.copies import kept_copy
from engine.spec import RunSpec
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.queries import list_runs, run_spec
from tui.app import SeqbenchApp
from tui.launch.confirm import ConfirmScreen
from tui.launch.screen import LaunchScreen

MINE = """\
from pydantic import Field, model_validator
from torch import nn

from engine.models import Definition, ModelSettings, OutputLayer, SequenceModel

class Settings(ModelSettings):
    width: int = Field(default=4, ge=2)
    depth: int = 1

    @model_validator(mode="after")
    def _fits(self):
        if self.depth > self.width:
            raise ValueError(f"depth ({self.depth}) must be at most width ({self.width})")
        return self

class Mine(SequenceModel):
    def __init__(self, settings, num_items, length):
        super().__init__()
        self.num_items, self.length = num_items, length
        self.items = nn.Embedding(num_items + 1, settings.width)

    def hidden(self, items, *, last_only=False):
        return self.items(items)

    def output_layer(self):
        return OutputLayer(self.items.weight)

MODEL = Definition("Mine alone", Settings, Mine)
"""
CELL = ("mine", "synthetic", 50)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    (tmp_path / "models").mkdir()
    file = tmp_path / "models" / "mine.py"
    file.write_text(MINE)
    return file


def shown(pilot: Pilot[None], selector: str) -> str:
    return str(pilot.app.screen.query_one(selector, Static).content)


async def override(pilot: Pilot[None], text: str) -> str:
    """Type settings, and return what is said of them or of the cell under the cursor."""
    pilot.app.screen.query_one("#settings", TextArea).load_text(text)
    await settled(pilot)
    return shown(pilot, "#summary") + shown(pilot, "#detail")


async def launch(pilot: Pilot[None]) -> None:
    await pilot.press("enter")
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "confirm")
    await pilot.press("enter")
    await wait_for(pilot, lambda: pilot.app.current_mode == "live", "Live")


def queued(location: StoreLocation) -> list[RunSpec]:
    with closing(connect_reader(location)) as con:
        return [run_spec(con, run.id) for run in list_runs(con)]


async def test_its_settings_are_overridden_and_its_file_is_taken_as_it_is_then(
    absent_store: StoreLocation, mine: Path
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, LaunchScreen)
        screen.grid.move_to(CELL)
        said = await override(pilot, "width=16")
        assert "Mine alone × Synthetic × 50" in said
        assert f"{201 * 16:,}" in said
        assert "expected a number of at least 2" in await override(pilot, "width=1")
        assert "depth (5) must be at most width (4)" in await override(pilot, "depth=5")
        assert "2 runs" in await override(pilot, "width=8,16")
        await override(pilot, "width=8")
        await launch(pilot)
        assert screen.grid.cursor_key == CELL

        mine.write_text(changed := MINE.replace("ge=2", "ge=3"))
        await pilot.press("1")
        await wait_for(pilot, lambda: pilot.app.current_mode == "launch", "Launch")
        await settled(pilot)
        await launch(pilot)

        mine.write_text("MODEL = (\n")
        await pilot.press("1")
        await settled(pilot)
        assert CELL[0] not in {row.model for row in screen.grid.rows_and_columns[0]}
    newest, first = queued(absent_store)
    assert first.code is not None
    assert newest.code is not None
    assert kept_copy(first.code.sha256) == MINE.encode()
    assert kept_copy(newest.code.sha256) == changed.encode()
    assert first.architecture.settings == newest.architecture.settings == {"width": 8, "depth": 1}


async def test_the_form_offers_a_profile_that_a_file_gains(
    absent_store: StoreLocation, mine: Path
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, LaunchScreen)
        profile = screen.query_one("#profile", Select)

        async def show_again() -> None:
            await pilot.press("2", "1")
            await settled(pilot)

        def offered() -> list[object]:
            return [name for _, name in profile._options]

        before = offered()
        mine.write_text(MINE.replace("Mine)", "Mine, profiles={'reference': {}, 'wide': {}})"))
        await show_again()
        await wait_for(pilot, lambda: offered() == [*before, "wide"], "its profile")
        assert profile.value == "reference"
        profile.value = "wide"
        await settled(pilot)
        assert screen.form.choices.profile == "wide"
        mine.write_text(MINE)
        await show_again()
        await wait_for(pilot, lambda: offered() == before, "none of its own")
        await settled(pilot)
        assert profile.value == screen.form.choices.profile == before[0]


async def test_a_file_that_is_slow_to_import_keeps_nothing_else_waiting(
    absent_store: StoreLocation, mine: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    wait = (
        f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(.01)\n"
    )
    mine.write_text(wait + MINE)
    async with SeqbenchApp(absent_store).run_test(size=(80, 24)) as pilot:
        app, screen = pilot.app, pilot.app.screen
        assert isinstance(app, SeqbenchApp)
        assert isinstance(screen, LaunchScreen)
        await wait_for(pilot, lambda: app.catalogue, "the rest of the configuration")

        def title() -> str:
            return Content.from_markup(screen.grid.border_title).plain

        def models() -> set[str]:
            return {row.model for row in screen.grid.rows_and_columns[0]}

        await wait_for(pilot, models, "the rest of the grid")
        assert title() == "Cells · reading models/mine.py …"
        assert "sasrec" in models()
        assert "mine" not in models()
        gate.touch()
        await wait_for(pilot, lambda: "mine" in models(), "the model")
        assert title() == "Cells"
        await settled(pilot)
        screen.grid.move_to(CELL)
        assert screen.grid.cursor_key == CELL
