"""A study whose trials hold hostile text: nothing acts, nothing is displaced, nothing breaks."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from held import worked_on
from hostile_store import FOLDER
from hostile_text import ACTING, MARK, screen_lines
from live_runs import LiveStore
from pilots import settled, wait_for
from studied import StudiedStore, go_on

from engine.store.connect import connect_writer
from engine.store.database import write
from tui.app import SeqbenchApp
from tui.study.listed import StudiesScreen
from tui.study.screen import StudyScreen

TEXT = ACTING[:400]


def spoil(study: StudiedStore) -> None:
    """Put hostile text wherever a stored trial may have any."""
    with closing(connect_writer(study.location)) as con, write(con):
        for trial in study.trials:
            spec = trial.spec
            for model in spec["trial"]["study"]["models"]:
                model |= {"profile": TEXT, "space": {TEXT: [TEXT, "x"], **model["space"]}}
            if trial.number:  # the first one tells the study, and is validated
                spec["architecture"] |= {TEXT: TEXT, "dim": [TEXT, {TEXT: TEXT}]}
                spec["training"] |= {"lr": {TEXT: TEXT}, "epochs": TEXT}
            con.execute("UPDATE specs SET spec = ? WHERE run = ?", (json.dumps(spec), trial.run))
        con.execute("UPDATE runs SET cause = ?1, message = ?1", (TEXT,))
        con.execute("UPDATE runs SET model = ? WHERE trial > 5", (TEXT,))


async def test_hostile_text_does_nothing(tmp_path: Path) -> None:
    study = StudiedStore(LiveStore(tmp_path / FOLDER), ("sasrec", "gru4rec"), prune="asha")
    go_on(study)
    spoil(study)
    app = SeqbenchApp(study.location)
    with worked_on(study.location):
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            app.open_study("one")
            await wait_for(pilot, lambda: isinstance(app.screen, StudyScreen), "the study")
            await settled(pilot)
            assert MARK in "\n".join(screen_lines(app))
            await pilot.press("g", "s", *["right"] * 8)
            await settled(pilot)
            assert MARK in "\n".join(screen_lines(app))
            await pilot.press("T")
            await wait_for(pilot, lambda: isinstance(app.screen, StudiesScreen), "the list")
            assert "one" in "\n".join(screen_lines(app))
