"""A study's screen: what it shows as the study goes on, and what its keys do."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from live_app import know_the_surroundings, select, show_live
from live_runs import NOW, LiveStore, populate
from pilots import screen_text, settled, wait_for
from studied import EPOCHS, StudiedStore, go_on
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from engine.store.connect import connect_writer
from engine.store.database import write
from tui.app import SeqbenchApp
from tui.dialogs.ask import AskScreen
from tui.live.queue_words import end_words
from tui.live.reading import Forecast, KeptReader, Known, QueueEnd, read_live
from tui.live.screen import LiveScreen
from tui.run.screen import RunScreen
from tui.study.listed import NONE, StudiesScreen
from tui.study.screen import StudyScreen


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_the_surroundings(monkeypatch, tmp_path)


@asynccontextmanager
async def studying(
    study: StudiedStore, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[SeqbenchApp, Pilot[None], StudyScreen]]:
    """The screen of the study ``one``."""
    app = SeqbenchApp(study.location)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        app.open_study("one")
        await wait_for(pilot, lambda: isinstance(app.screen, StudyScreen), "the study's screen")
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, StudyScreen)
        yield app, pilot, screen


def said(screen: StudyScreen, name: str) -> list[str]:
    return str(screen.query_one(f"#{name}", Static).content).split("\n")


def listed(screen: StudyScreen) -> list[list[str]]:
    """Each row's cells, but for empty ones."""
    return [[cell.text for cell in row.cells if cell.text] for row in screen.table._rows]


def asked(study: StudiedStore) -> list[tuple[str, str]]:
    """What the supervisor is to do with runs."""
    with closing(sqlite3.connect(study.location.db)) as con:
        return list(con.execute("SELECT action, run FROM requests"))


async def test_it_says_how_far_each_model_is_and_lists_trials(empty_store: LiveStore) -> None:
    study = StudiedStore(empty_store, ("sasrec", "gru4rec"), prune="asha", minutes=30)
    go_on(study)
    best = {chosen.model.model: chosen.best for chosen in study.progress.chosen()}
    async with studying(study, (80, 24)) as (app, pilot, screen):
        (status,) = said(screen, "status")
        assert status == "one  synthetic × 50  tuning  4 of 16 trials ended, 3 paused"
        sasrec, gru4rec = said(screen, "models")
        assert sasrec.split(" · ")[:3] == [
            "○ sasrec   5/8 trials",
            f"best {best['sasrec'].value:.4f} (trial {best['sasrec'].number})",
            "3 m 08 s of 30 m 00 s",
        ]
        assert gru4rec.startswith("△ gru4rec  5/8 trials · best 0.1")
        rows = listed(screen)
        states = [row[2] for row in rows]
        assert states[:3] == ["◐ running", "◐ running", "● done"]
        assert states[6:] == ["‖ paused"] * 3 + ["○ queued"]
        values = [float(row[3]) for row in rows[2:6]]
        assert values == sorted(values, reverse=True)
        assert rows[0][5:7] == [f"6/{EPOCHS}", "24 s"]
        await pilot.press("s")
        await settled(pilot)
        assert [row[0] for row in listed(screen)] == [str(number) for number in range(9, -1, -1)]
        text = screen_text(app)
        assert "Best so far" in text
        assert "Trials" in text
        assert "test" not in text


async def test_what_happens_meanwhile_is_shown_and_the_cursor_stays(empty_store: LiveStore) -> None:
    study = StudiedStore(empty_store, trials=3)
    first = study.trials[0].run
    async with studying(study) as (_, pilot, screen):
        assert screen.charts._best.has_points is False
        study.train(first, 3, 0.08)
        await wait_for(pilot, lambda: listed(screen)[0][1] == "◐ running", "the trial to train")
        assert len(screen.charts._curves.traces) == 1
        study.finish(first, 0.08)
        second = study.next()
        study.finish(second, 0.09)
        await wait_for(pilot, lambda: len(listed(screen)) == 2, "the second trial")
        await wait_for(pilot, lambda: listed(screen)[0][0] == "1", "the better one to be first")
        assert screen.table.cursor_key == first
        chosen = study.progress.chosen()[0].best
        (line,) = said(screen, "models")
        assert f"best {chosen.value:.4f} (trial 1)" in line


async def test_a_trial_opens_and_the_study_comes_back(empty_store: LiveStore) -> None:
    study = StudiedStore(empty_store)
    study.finish(study.trials[0].run, 0.08)
    async with studying(study) as (app, pilot, screen):
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, RunScreen), "the run's page")
        assert app.screen.run_id == study.trials[0].run  # type: ignore[attr-defined]
        await settled(pilot)
        text = screen_text(app)
        assert "validation, all items" in text
        assert not re.search(r"\btest\b|Users/s|Published|Predict", text)
        await pilot.press("p")  # there is no model to predict with
        await settled(pilot)
        assert isinstance(app.screen, RunScreen)
        await pilot.press("escape")
        await wait_for(pilot, lambda: app.screen is screen, "the study again")


async def test_a_study_is_stopped_after_asking(empty_store: LiveStore) -> None:
    study = StudiedStore(empty_store)
    study.finish(study.trials[0].run, 0.08)
    waiting = study.next()
    async with studying(study) as (app, pilot, screen):
        await pilot.press("x")
        await wait_for(pilot, lambda: isinstance(app.screen, AskScreen), "the question")
        assert "2 fresh seeds" in screen_text(app)
        await pilot.press("escape")
        assert {trial.end for trial in study.trials} == {None}
        await pilot.press("x", "enter")
        await wait_for(pilot, lambda: asked(study) == [("cancel", waiting)], "the request")
        assert {trial.end for trial in study.trials} == {"stopped"}
        await wait_for(pilot, lambda: "stopping" in said(screen, "status")[0], "it to be shown")
        await settled(pilot)
        assert screen.check_action("stop", ()) is None


async def test_what_was_chosen_and_its_runs_are_shown(empty_store: LiveStore) -> None:
    study = StudiedStore(empty_store, prune="asha", trials=3)
    study.finish(study.trials[0].run, 0.08)
    study.pause(study.next(), 0.05)
    finals = study.end()
    empty_store.train(finals[0], 4, end="done")
    async with studying(study) as (app, pilot, screen):
        assert "training what it chose" in said(screen, "status")[0]
        (line,) = said(screen, "models")
        assert "chosen" in line
        assert "1/2 final seeds" in line
        rows = listed(screen)
        assert [row[:2] for row in rows] == [
            ["0", "● done"], ["1", "▾ pruned"], ["seed 2", "● done"], ["seed 3", "○ queued"],
        ]  # fmt: skip
        assert "profile study-one" in "".join(said(screen, "said"))
        await pilot.press("end", "enter")
        await wait_for(pilot, lambda: isinstance(app.screen, RunScreen), "the run's page")
        assert app.screen.run_id == finals[1]  # type: ignore[attr-defined]


async def test_live_opens_the_study_of_a_trial_else_the_list(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    study = StudiedStore(empty_store, trials=2)
    study.train(study.trials[0].run, 4, 0.08)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        await show_live(pilot)
        await select(pilot, study.trials[0].run)
        assert re.search(r"best epoch 4 +valid", screen_text(app))
        assert not re.search(r"\btest\b", screen_text(app))
        await pilot.press("T")
        await wait_for(pilot, lambda: isinstance(app.screen, StudyScreen), "the study")
        await settled(pilot)
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(app.screen, LiveScreen), "Live again")
        await select(pilot, runs["running"])
        await pilot.press("T")
        await wait_for(pilot, lambda: isinstance(app.screen, StudiesScreen), "the list")
        assert app.screen.query_one(OptionList).option_count == 1
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, StudyScreen), "the study again")
        await settled(pilot)
        # In place of itself: one step leads back.
        await pilot.press("T")
        await wait_for(pilot, lambda: isinstance(app.screen, StudiesScreen), "the list again")
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, StudyScreen), "the study again")
        await settled(pilot)
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(app.screen, LiveScreen), "Live")


def test_no_time_is_said_for_the_end_of_a_queue_that_a_study_adds_to(
    empty_store: LiveStore,
) -> None:
    assert end_words(QueueEnd(90, True, 0), 3, False, NOW, studying=True) == [
        "at most 2 min",
        "then a study goes on",
    ]

    def studying() -> bool:
        with closing(KeptReader(empty_store.location)) as store:
            return read_live(store, Known(), None, Forecast(), NOW).studying

    empty_store.launch("sasrec")
    assert not studying()
    study = StudiedStore(empty_store)
    assert studying()
    study.finish(study.trials[0].run, 0.08)
    study.end()
    assert not studying()


async def test_without_a_study_it_is_said(busy_store: LiveStore) -> None:
    app = SeqbenchApp(busy_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        await show_live(pilot)
        await pilot.press("T")
        await wait_for(pilot, lambda: NONE in [each.message for each in app._notifications], "it")


async def test_a_study_that_is_gone_or_cannot_be_read_is_said(empty_store: LiveStore) -> None:
    study = StudiedStore(empty_store)
    study.finish(study.trials[0].run, 0.08)
    with closing(connect_writer(study.location)) as con, write(con):
        con.execute("UPDATE specs SET spec = json_set(spec, '$.length', 'long')")
    async with studying(study) as (app, pilot, screen):
        await wait_for(pilot, lambda: "is of another version" in screen_text(app), "the sentence")
        await pilot.press("enter", "x", "s", "g")
        assert app.screen is screen
        await pilot.press("T")
        await wait_for(pilot, lambda: isinstance(app.screen, StudiesScreen), "the list")
        assert "is of another version" in screen_text(app)
        await pilot.press("escape")
        with closing(connect_writer(study.location)) as con, write(con):
            con.execute("DELETE FROM specs")
            con.execute("DELETE FROM runs")
        await wait_for(pilot, lambda: "There is no study one any more" in screen_text(app), "words")


async def test_trials_of_another_study_of_that_name_disturb_nothing(empty_store: LiveStore) -> None:
    study = StudiedStore(empty_store, ("sasrec", "gru4rec"))
    for trial in study.trials:
        study.finish(trial.run, 0.08)
    with closing(connect_writer(study.location)) as con, write(con):
        con.execute("UPDATE runs SET model = 'other' WHERE id = ?", (study.trials[1].run,))
    async with studying(study) as (_, _pilot, screen):
        assert sorted(row[1] for row in listed(screen)) == ["other", "sasrec"]
        assert len(screen.charts._curves.traces) == 2
