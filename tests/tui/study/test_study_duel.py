"""A duel on its study's screen: what it has come to, and its end."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from live_app import know_the_surroundings
from live_runs import NOW, LiveStore, epoch_line, start
from pilots import screen_text, settled, wait_for
from studied import StudiedStore

from engine.store.connect import connect_writer
from engine.store.database import write
from engine.store.studies import end_study
from tui.app import SeqbenchApp
from tui.dialogs.ask import AskScreen
from tui.study.screen import StudyScreen

SIZES = [(80, 24), (120, 36), (200, 50)]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    know_the_surroundings(monkeypatch, tmp_path)


def finish(study: StudiedStore, run: str, ranks: np.ndarray) -> None:
    """Train a run of what was chosen to an end before its limit, and rank for test with it."""
    study.store.mark(run, "running")
    chance = random.Random(1)
    epochs = (epoch_line(epoch, chance) | {"valid_ndcg": 0.1 / epoch} for epoch in (1, 2))
    lines = [start(epochs=18), *epochs]
    folder = study.location.folder(run)
    folder.path.mkdir(parents=True, exist_ok=True)
    np.save(folder.test_ranks, np.stack([ranks, ranks]).astype(np.int32))
    study.store.journal(
        run,
        [*lines, {"t": NOW - 30, "kind": "end", "status": "done", "cause": "early-stopping",
                  "message": "", "best_epoch": 1, "epochs_trained": 2}],
    )  # fmt: skip


def at_its_seeds(store: LiveStore, apart: float, done: bool = True) -> StudiedStore:
    """A duel at its first look: each model has three seeds."""
    study = StudiedStore(store, ("sasrec", "gru4rec"), trials=1, final_seeds=3, duel=6)
    for trial in study.trials:
        study.finish(trial.run, 0.1)
    finals = study.end()
    with closing(connect_writer(study.location)) as con, write(con):
        con.execute("UPDATE runs SET study_end = 'stopped' WHERE study = 'one'")
    generator = np.random.default_rng(1)
    easy = generator.normal(2.2, 1.6, 300)
    for run in finals if done else finals[:1]:
        worse = apart if run.startswith("gru4rec") else 0.0
        ranks = np.exp(easy + worse + generator.normal(0, 0.4, 300))
        finish(study, run, np.clip(ranks, 1, 1000))
    return study


async def shown(app: SeqbenchApp, pilot: object) -> StudyScreen:
    await settled(pilot)  # type: ignore[arg-type]
    app.open_study("one")
    await wait_for(pilot, lambda: isinstance(app.screen, StudyScreen), "the screen")  # type: ignore[arg-type]
    await settled(pilot)  # type: ignore[arg-type]
    assert isinstance(app.screen, StudyScreen)
    return app.screen


@pytest.mark.parametrize("size", SIZES)
async def test_the_verdict_stands_on_the_screen_of_its_study(
    empty_store: LiveStore, size: tuple[int, int]
) -> None:
    study = at_its_seeds(empty_store, apart=1.5)
    with closing(connect_writer(study.location)) as con, write(con):
        end_study(con, "one", "over")
    app = SeqbenchApp(study.location)
    async with app.run_test(size=size) as pilot:
        await shown(app, pilot)
        text = " ".join(screen_text(app).split())
        assert "sasrec is better than gru4rec on synthetic at length 50: NDCG@10/test 0." in text
        assert "shown with 3 of at most 6 seeds each." in text


async def test_a_duel_is_stopped_at_its_seeds(empty_store: LiveStore) -> None:
    study = at_its_seeds(empty_store, apart=0.1, done=False)
    app = SeqbenchApp(study.location)
    async with app.run_test(size=(120, 36)) as pilot:
        await shown(app, pilot)
        text = " ".join(screen_text(app).split())
        assert "comparing" in text
        assert "not decided yet: it begins with 3 seeds each" in text
        await pilot.press("x")
        await wait_for(pilot, lambda: isinstance(app.screen, AskScreen), "the question")
        assert "It gets no further seed" in " ".join(screen_text(app).split())
        await pilot.press("y")
        await wait_for(pilot, lambda: isinstance(app.screen, StudyScreen), "the screen again")

        def ended() -> bool:
            with closing(sqlite3.connect(study.location.db)) as con:
                ends = {
                    end for (end,) in con.execute("SELECT study_end FROM runs WHERE study = 'one'")
                }
                asked = con.execute("SELECT count(*) FROM requests").fetchone()[0]
            return ends == {"over"} and asked == 5

        await wait_for(pilot, ended, "it to be over")
