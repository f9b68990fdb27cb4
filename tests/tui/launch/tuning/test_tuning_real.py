"""A study that is begun in the app, with real processes, to its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pilots import settled, wait_for
from textual.widgets import Input, TextArea
from user_lab import Lab

from engine.store.connect import connect_reader
from engine.store.studies import runs_under, trials_of
from engine.tuning.progress import progress_of
from tui.app import SeqbenchApp
from tui.launch.screen import LaunchScreen
from tui.launch.tuning.screen import TuneScreen
from tui.live.screen import LiveScreen
from tui.study.screen import StudyScreen


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    folder = tmp_path / "user"
    folder.mkdir()
    lab = Lab(folder)
    for name, value in lab.environment.items():
        monkeypatch.setenv(name, value)
    yield lab
    lab.end()


async def test_a_study_that_is_begun_in_the_app_ends(lab: Lab) -> None:
    async with SeqbenchApp(lab.location).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        launch = pilot.app.screen
        assert isinstance(launch, LaunchScreen)
        launch.query_one("#settings", TextArea).load_text("epochs=2\ndim=16")
        launch.query_one("#lengths", Input).value = "8"
        await settled(pilot)
        launch.grid.move_to(("sasrec", "tiny", 8))
        await pilot.press("t")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, TuneScreen), "the dialog")
        await settled(pilot)
        screen = pilot.app.screen
        screen.query_one("#space", TextArea).load_text("sasrec:\n  dropout: [0.1, 0.5]\n")
        screen.query_one("#final-seeds", Input).value = "1"
        await pilot.press("backspace", "backspace", "2", "ctrl+s")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, StudyScreen), "the study")
        await settled(pilot)
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, LiveScreen), "Live")
    name = "sasrec-tiny-l8"

    def finals() -> list[tuple[str, str]]:
        with closing(connect_reader(lab.location)) as con:
            return con.rows("SELECT seed, state FROM runs WHERE profile = ?", (f"study-{name}",))

    lab.wait_until(lambda: [state for _, state in finals()] == ["done"], "the study to end")
    with closing(connect_reader(lab.location)) as con:
        progress = progress_of(con, name)
        trials = trials_of(con, name)
        assert len(runs_under(con, f"study-{name}")) == 1
    assert progress is not None
    assert [(each.number, each.state, each.end) for each in trials] == [
        (number, "done", "over") for number in range(2)
    ]
    (model,) = progress.study.models
    tried = [progress.settings(model, each)["dropout"] for each in trials]
    assert tried[0] == model.architecture.settings["dropout"]
    assert tried[1] in (0.1, 0.5)
    assert {each.spec["training"]["epochs"] for each in trials} == {2}
    assert [seed for seed, _ in finals()] == [2]
