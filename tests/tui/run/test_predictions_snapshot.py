"""What a run recommends, as it looks; `test_predictions` sees that a real model says it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from live_app import know_the_surroundings
from live_runs import LiveStore
from pilots import settled, wait_for
from sizes import ONE_SIZE
from textual.pilot import Pilot
from textual.widgets import Static

from engine.asking import predictions
from engine.asking.predictions import Item, Predictions, Recommendation, UserPrediction
from tui.app import SeqbenchApp
from tui.run.predictions import PredictionsScreen

Compare = Callable[..., bool]

SEEN = (("318", "Shawshank Redemption, The (1994)"), ("50", "Star Wars (1977)"))
NEXT = ("181", "Return of the Jedi (1983)")
TOP = (("172", "Empire Strikes Back, The (1980)"), SEEN[1], NEXT, ("174", "七人の侍 (1954)"))


def recommended(known: tuple[str, str], score: float) -> Recommendation:
    return Recommendation(*known, score, known in SEEN, known == NEXT)


FOUND = Predictions(
    "ml-100k",
    943,
    [
        UserPrediction(
            "196",
            [Item(*known) for known in SEEN],
            Item(*NEXT),
            3,
            2,
            [recommended(known, 9.5 - place) for place, known in enumerate(TOP)],
        )
    ],
)


@pytest.mark.parametrize("size", ONE_SIZE, ids=str)
def test_predictions(
    snap_compare: Compare,
    empty_store: LiveStore,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    size: tuple[int, int],
) -> None:
    know_the_surroundings(monkeypatch, tmp_path)
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    monkeypatch.setattr(predictions, "predictions", lambda *_, **__: FOUND)
    run = empty_store.launch("sasrec")

    async def look(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.app.push_screen(PredictionsScreen(run))
        shown = pilot.app.screen.query_one("#prediction", Static)
        await wait_for(pilot, lambda: "test user 1 of 943" in str(shown.content), "a user")
        await settled(pilot)

    assert snap_compare(SeqbenchApp(empty_store.location), terminal_size=size, run_before=look)
