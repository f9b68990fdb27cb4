"""Suites on the Launch screen: shown as YAML, saved, loaded."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pilots import settled, wait_for
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Select, Static, TextArea

from engine.config import load_catalogue
from engine.config.suites import save_suite, suite_yaml
from engine.spec import Suite
from engine.store.location import StoreLocation
from engine.yamlfile import read_yaml
from tui.app import SeqbenchApp
from tui.dialogs.ask import AskScreen
from tui.dialogs.saved import ChooseScreen, SaveScreen
from tui.launch import suites
from tui.launch.screen import LaunchScreen


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    monkeypatch.delenv("SEQBENCH_CONFIG", raising=False)


def launch_screen(pilot: Pilot[None]) -> LaunchScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, LaunchScreen)
    return screen


def shown(pilot: Pilot[None], selector: str) -> str:
    return str(pilot.app.screen.query_one(selector, Static).content)


async def saving(pilot: Pilot[None], name: str) -> None:
    """Open the dialog and type a name."""
    await pilot.press("s")
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, SaveScreen), "the dialog")
    pilot.app.screen.query_one("#name", Input).value = name
    await pilot.pause()


async def test_who_leaves_while_it_is_written_leaves_the_dialog_alone(
    absent_store: StoreLocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Event()

    def save_once_let(*arguments: Any) -> Path:
        assert gate.wait(60)
        return save_suite(*arguments)

    monkeypatch.setattr(suites, "save_suite", save_once_let)
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await saving(pilot, "mine")
        await pilot.press("enter", "escape")
        assert pilot.app.screen is launch_screen(pilot)
        gate.set()
        await settled(pilot)
        assert pilot.app.screen is launch_screen(pilot)
    assert (tmp_path / "configs/suites/mine.yaml").exists()


async def test_the_form_shows_what_the_choice_comes_to(
    absent_store: StoreLocation, tmp_path: Path
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        screen = launch_screen(pilot)
        screen.query_one("#seeds", Input).value = "1-3"
        screen.query_one("#settings", TextArea).load_text("epochs=5\nlr=1e-3")
        screen.grid.select([("sasrec", "synthetic", 50), ("xlstm", "ml-100k", 75)])
        await settled(pilot)
        (tmp_path / "x.yaml").write_text(shown(pilot, "#yaml"))
        suite = Suite.model_validate(read_yaml(tmp_path / "x.yaml").value)
        assert suite.cells == (("sasrec", "synthetic", 50), ("xlstm", "ml-100k", 75))
        assert suite.seeds == (1, 2, 3)
        assert suite.overrides == {"epochs": 5, "lr": 0.001}
        screen.query_one("#settings", TextArea).load_text("epochs=none")
        await settled(pilot)
        assert shown(pilot, "#yaml") == ""


async def test_a_selection_is_saved_and_loaded_again(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        screen = launch_screen(pilot)
        cells = {("sasrec", "synthetic", 50), ("xlstm", "ml-100k", 75)}
        screen.query_one("#seeds", Input).value = "7, 9"
        screen.grid.select(cells)
        await settled(pilot)
        await saving(pilot, "mine")
        assert "configs/suites/mine.yaml" in shown(pilot, "#where")
        await pilot.press("enter")
        await wait_for(pilot, lambda: pilot.app.screen is screen, "it is written")
        saved = load_catalogue().suite("mine")
        assert set(saved.cells) == cells
        assert saved.seeds == (7, 9)
        assert screen.query_one("#suite", Select).value == "mine"

        screen.query_one("#seeds", Input).value = "1"
        screen.grid.select(())
        await settled(pilot)
        await pilot.press("S")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ChooseScreen), "the list")
        options = pilot.app.screen.query_one(OptionList)
        assert options.highlighted_option is not None
        assert options.highlighted_option.id == "mine"
        await pilot.press("enter")
        await settled(pilot)
        assert screen.grid.selected == cells
        assert screen.query_one("#seeds", Input).value == "7, 9"


async def test_a_suite_of_that_name_is_replaced_after_asking(absent_store: StoreLocation) -> None:
    folder = Path("configs/suites")
    folder.mkdir(parents=True)
    old = Suite(
        name="mine", title="Old", models=("xlstm",), datasets=("synthetic",), lengths=(50,),
        seeds=(1,),
    )  # fmt: skip
    (folder / "mine.yaml").write_text(suite_yaml(old))
    async with SeqbenchApp(absent_store).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await saving(pilot, "mine")
        assert "you are asked before it is replaced" in shown(pilot, "#where")
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, AskScreen), "the question")
        await pilot.press("escape")
        await pilot.pause()
        assert load_catalogue().suite("mine") == old
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, AskScreen), "the question")
        await pilot.press("enter")
        await wait_for(pilot, lambda: pilot.app.screen is launch_screen(pilot), "it is written")
    assert load_catalogue().suite("mine").models == ("sasrec",)


@pytest.mark.parametrize(
    ("name", "says"), [("Not this", "small letters"), ("smoke", "is the name of a suite in")]
)
async def test_a_name_that_cannot_be_is_told_and_nothing_written(
    absent_store: StoreLocation, name: str, says: str
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await saving(pilot, name)
        await pilot.press("enter")
        await wait_for(pilot, lambda: says in shown(pilot, "#problem"), "the sentence")
        buttons = pilot.app.screen.query_one(".buttons").region
        assert buttons.bottom < 24
        await pilot.press("escape")
        await settled(pilot)
    assert not Path("configs").exists()


async def test_a_suite_with_variants_keeps_them(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        screen = launch_screen(pilot)
        screen.form.choose_suite("positions-100k")
        await settled(pilot)
        await saving(pilot, "mine")
        await pilot.press("enter")
        await wait_for(pilot, lambda: pilot.app.screen is screen, "it is written")
    catalogue = load_catalogue()
    mine, theirs = (
        {spec.fingerprint() for spec in catalogue.expand(catalogue.suite(name))}
        for name in ("mine", "positions-100k")
    )
    assert mine == theirs
