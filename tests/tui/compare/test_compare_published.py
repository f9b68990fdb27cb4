"""Below the comparison and on a run's page: published results of the same protocol beside ours, and
in what others differ."""

from __future__ import annotations

from pathlib import Path

import pytest
from comparing import comparing
from measured_runs import MeasuredStore
from pilots import settled, wait_for
from textual.widgets import Static

from tui.compare.reference import ReferencePanel
from tui.run.screen import RunScreen


@pytest.fixture
def store(tmp_path: Path) -> MeasuredStore:
    store = MeasuredStore(tmp_path)
    store.add("bert4rec", dataset="ml-1m", length=200)
    store.add("sasrec", dataset="ml-1m", length=200, loss="sampled", negatives=256)
    store.add("gru4rec", dataset="ml-100k", length=50)
    return store


def _text(widget: Static) -> str:
    return " ".join(str(widget.content).split())


async def test_results_of_other_protocols_say_in_what_they_differ(store: MeasuredStore) -> None:
    async with comparing(store) as (app, pilot):
        await pilot.press("slash", *"model:bert4rec", "enter")
        await settled(pilot)
        panel = app.screen.query_one(ReferencePanel)
        assert str(panel.border_title) == "bert4rec × ml-1m × 200"
        assert (
            "BERT4Rec, Klenitskiy & Vasilev 2023: NDCG@10 published 0.1537: 3,416 items and "
            "999,611 interactions; yours 3,706 items and 1,000,209 interactions."
        ) in _text(panel)
        assert "more: seqbench compare --published" in _text(panel)


async def test_one_of_the_same_protocol_stands_beside_ours(store: MeasuredStore) -> None:
    async with comparing(store) as (app, pilot):
        await pilot.press("slash", *"model:sasrec", "enter")
        await settled(pilot)
        panel = app.screen.query_one(ReferencePanel)
        assert str(panel.border_title).startswith("eSASRec's benchmark: SASRec+SS, 1-4 layers")
        assert "seen items masked" in str(panel.border_title)
        text = _text(panel)
        assert "0.1684" in text
        assert "ours, test, chosen epoch" in text
        assert "validation" not in text
        await pilot.press("b")
        await settled(pilot)
        assert "0.1684" in _text(panel)
        await pilot.press("b")
        await settled(pilot)
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, RunScreen), "the run's page")
        await settled(pilot)
        page = _text(app.screen.query_one("#reference", Static))
        assert "0.1684" in page
        assert "SASRec+, Klenitskiy & Vasilev 2023" not in page.partition("0.1684")[0]
        assert "; yours " in page


async def test_without_any_the_panel_says_so(store: MeasuredStore) -> None:
    async with comparing(store) as (app, pilot):
        await pilot.press("slash", *"model:gru4rec", "enter")
        await settled(pilot)
        panel = app.screen.query_one(ReferencePanel)
        assert str(panel.border_title) == "gru4rec × ml-100k × 50 · no published results"
        assert _text(panel) == ""
