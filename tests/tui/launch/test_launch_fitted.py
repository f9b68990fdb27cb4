"""Fitted models on Launch: what isn't above the floor, and overrides that don't concern them."""

from __future__ import annotations

from pathlib import Path

import pytest
from floor_stores import add, floor_store
from measured_runs import MeasuredStore
from pilots import settled, wait_for
from sizes import EACH_SIZE
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Static, TextArea

from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.launch.confirm import ConfirmScreen
from tui.launch.screen import LaunchScreen


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MeasuredStore:
    monkeypatch.chdir(tmp_path)
    return floor_store(tmp_path)


def launch(pilot: Pilot[None]) -> LaunchScreen:
    screen = pilot.app.screen
    assert isinstance(screen, LaunchScreen)
    return screen


def signs(pilot: Pilot[None]) -> dict[str, str]:
    """What stands after the results on ml-100k, by model; of those that have one."""
    grid = launch(pilot).grid
    found = {}
    for y, row in enumerate(grid.rows_and_columns[0]):
        if row.length == 50:
            words = "".join(segment.text for segment in grid._cell(1, y)).split()
            found[row.model] = words[-1]
    return {model: word for model, word in found.items() if word in ("≈", "▽")}


@pytest.mark.parametrize("size", EACH_SIZE)
async def test_results_that_are_not_above_the_floor_have_a_sign(
    store: MeasuredStore, size: tuple[int, int]
) -> None:
    async with SeqbenchApp(store.location).run_test(size=size) as pilot:
        await wait_for(pilot, lambda: signs(pilot) == {"bert4rec": "≈", "xlstm": "▽"}, "the signs")
        legend = Content.from_markup(launch(pilot).grid.border_subtitle).plain
        assert legend.endswith("≈ at the floor  ▽ below it")
        assert ("queued" in legend) == (size[0] > 80)
        for seed in (7, 8, 9):
            add(store, "hstu", seed, -1.2)
        expected = {"bert4rec": "≈", "xlstm": "▽", "hstu": "▽"}
        await wait_for(pilot, lambda: signs(pilot) == expected, "those of new results")


async def test_without_a_floor_there_is_neither_sign_nor_legend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = MeasuredStore(tmp_path)
    add(store, "sasrec", 1, -1.2)
    async with SeqbenchApp(store.location).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert signs(pilot) == {}
        assert "floor" not in str(launch(pilot).grid.border_subtitle)


async def test_the_question_says_which_models_an_override_does_not_concern(
    absent_store: StoreLocation,
) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        screen = launch(pilot)
        screen.query_one("#settings", TextArea).load_text("epochs=24 lr=.001,.0005")
        screen.grid.select([("sasrec", "synthetic", 50), ("markov", "synthetic", 50)])
        await settled(pilot)
        assert "3 runs" in str(screen.query_one("#summary", Static).content)
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "the question")
        await settled(pilot)
        said = str(pilot.app.screen.query_one("#facts", Static).content)
        assert "markov is fitted: epochs and lr don't concern it" in " ".join(said.split())
        await pilot.press("escape")
        screen.grid.select([("markov", "synthetic", 50)])
        await settled(pilot)
        refused = "markov is fitted, not trained: it has no setting 'epochs' of training."
        assert str(screen.query_one("#summary", Static).content) == refused


async def test_the_form_names_the_settings_of_what_is_selected(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        screen = launch(pilot)

        async def hint(*models: str) -> set[str]:
            screen.grid.select((model, "synthetic", 50) for model in models)
            await settled(pilot)
            said = str(screen.query_one("#form-hint", Static).content)
            return {word.strip(",.") for word in said.split()}

        assert {"heads", "epochs"} <= await hint("sasrec")
        assert {"window"} <= await hint("markov")
        assert "epochs" not in await hint("markov")
        mixed = await hint("sasrec", "markov")
        assert "epochs" in mixed
        assert not {"heads", "window"} & mixed
        assert await hint("popularity") == set()
