"""The form is as it was left, for each store."""

from __future__ import annotations

from pathlib import Path

import pytest
from pilots import settled, wait_for
from textual.pilot import Pilot
from textual.widgets import Input, Select, TextArea

from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.launch.form import Choices
from tui.launch.screen import LaunchScreen
from tui.shell.presence import topic_of
from tui.shell.remembered import keep, recall


async def opened(pilot: Pilot[None]) -> LaunchScreen:
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, LaunchScreen)
    return screen


async def test_it_is_as_it_was_left(absent_store: StoreLocation, tmp_path: Path) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot)
        usual = screen.form.choices
        screen.query_one("#suite", Select).value = "tuned-1m-long"
        await settled(pilot)
        screen.query_one("#seeds", Input).value = "7"
        screen.query_one("#lengths", Input).value = "20, 50"
        screen.query_one("#settings", TextArea).load_text("lr=0.1,0.2\nepochs=3")
        await settled(pilot)
        left = screen.form.choices
        screen.query_one("#seeds", Input).value = "7x"  # isn't kept
        await settled(pilot)
        assert screen.form.problem
        topic = topic_of("launch", absent_store)
        await wait_for(pilot, lambda: recall(topic)["form"]["lengths"] == "20, 50", "it is kept")
    assert left == Choices(
        (20, 50), (7,), "tuned", {"lr": ("0.1", "0.2"), "epochs": "3"}, "tuned-1m-long"
    )
    async with SeqbenchApp(absent_store).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        assert screen.form.choices == left
        assert {row.length for row in screen.grid._rows} == {20, 50}
        assert screen.desk.order is not None
        assert screen.desk.order.overrides == left.settings
    other = StoreLocation(tmp_path / "other" / "runs.db")
    async with SeqbenchApp(other).run_test(size=(80, 24)) as pilot:
        assert (await opened(pilot)).form.choices == usual


@pytest.mark.parametrize(
    "content",
    [
        {"form": {"suite": "gone", "profile": "gone", "launcher": "gone", "seeds": 3}},
        {"form": ["x"], "columns": {"a": 1}},
        {"form": {"unknown": "x"}, "columns": [1, None, "nowhere"]},
    ],
)
async def test_what_can_no_longer_be_chosen_is_left_out(
    absent_store: StoreLocation, content: dict[str, object]
) -> None:
    keep(topic_of("launch", absent_store), content)
    async with SeqbenchApp(absent_store).run_test(size=(80, 24)) as pilot:
        choices = (await opened(pilot)).form.choices
        assert (choices.profile, choices.suite, choices.seeds) == ("reference", None, (42,))
