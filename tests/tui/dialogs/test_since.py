"""What ended while the user was away is told on coming back, once, and only then."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest
from live_lines import screen_text
from live_runs import NOW, LiveStore, populate
from pilots import settled, wait_for
from sizes import Sizes, by_x
from textual.pilot import Pilot
from textual.screen import Screen

from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.location import StoreLocation
from engine.store.news import ended_counts, ended_since
from tui.app import SeqbenchApp
from tui.dialogs import news as since
from tui.dialogs.since import SinceScreen
from tui.parts import absence
from tui.run.screen import RunScreen
from tui.shell.presence import Presence
from tui.shell.remembered import keep, recall


@pytest.fixture(autouse=True)
def nobody_starts_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SeqbenchApp, "look_after_queue", lambda app: None)


def left(location: StoreLocation, when: float) -> None:
    """Be gone since a moment."""
    keep(Presence(location)._topic, {"seen": when})


def seen(location: StoreLocation) -> float | None:
    value = recall(Presence(location)._topic).get("seen")
    assert value is None or isinstance(value, float)
    return value


async def told(pilot: Pilot[None]) -> SinceScreen:
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, SinceScreen), "the news")
    await pilot.pause()
    screen = pilot.app.screen
    assert isinstance(screen, SinceScreen)
    return screen


async def test_what_ended_is_told_with_result_or_cause(empty_store: LiveStore) -> None:
    runs = populate(empty_store)
    left(empty_store.location, NOW - 3_600)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(80, 24)) as pilot:
        await told(pilot)
        shown = "\n".join(screen_text(app))
        with closing(connect_reader(empty_store.location)) as connection:
            figure = ended_since(connection, 0.0)[-1].best_test_ndcg
        assert "● 1 finished   ✗ 1 diverged" in shown
        assert "xlstm · synthetic · L50 · s1" in shown
        assert "The loss is not a number at step 12: try a smaller lr" in shown
        assert f"test NDCG {figure:.4f}" in shown
        assert shown.index("xlstm · synthetic") < shown.index("sasrec · synthetic"), (
            "pressing first"
        )
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, RunScreen), "the failed run")
        assert isinstance(app.screen, RunScreen)
        assert app.screen.run_id == runs["failed"]
        await pilot.press("escape")
        await told(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        await pilot.press("2")
        await pilot.press("S")
        await told(pilot)


async def test_having_seen_it_it_is_not_told_again(empty_store: LiveStore) -> None:
    populate(empty_store)
    left(empty_store.location, NOW - 3_600)
    before = time.time()
    async with SeqbenchApp(empty_store.location).run_test() as pilot:
        await told(pilot)
        await pilot.press("escape")
    kept = seen(empty_store.location)
    assert kept is not None
    assert before < kept <= time.time()
    with closing(connect_writer(empty_store.location)) as connection, write(connection):
        connection.execute("UPDATE runs SET finished = ? WHERE finished > ?", (kept - 60, NOW))
    app = SeqbenchApp(empty_store.location)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert len(app.screen_stack) == 1
        assert app._absence.news is None


async def test_an_app_that_nobody_touched_has_shown_nothing(empty_store: LiveStore) -> None:
    populate(empty_store)
    left(empty_store.location, NOW - 3_600)
    async with SeqbenchApp(empty_store.location).run_test() as pilot:
        await told(pilot)
    assert seen(empty_store.location) == NOW - 3_600


@pytest.mark.parametrize("kept", [{"seen": "then"}, {"seen": float("nan")}, {"seen": None}])
def test_a_moment_that_is_none_is_not_recalled(tmp_path: Path, kept: dict[str, object]) -> None:
    presence = Presence(StoreLocation(tmp_path / "runs.db"))
    keep(presence._topic, kept)
    assert presence.recall() is None


async def test_who_comes_for_the_first_time_left_nothing(empty_store: LiveStore) -> None:
    populate(empty_store)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert len(app.screen_stack) == 1
        await pilot.press("f2")
    assert seen(empty_store.location) is not None


@pytest.mark.parametrize("key", ["question_mark", "down"])
async def test_who_is_quicker_is_not_interrupted(
    empty_store: LiveStore, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setattr(absence, "REST_SECONDS", 1_000.0)
    populate(empty_store)
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press(key)
        await pilot.pause()
        app.presence.write()  # the key was the user's last action: nothing more is written
        left(empty_store.location, NOW - 3_600)
        app._absence.look_back()
        await wait_for(pilot, lambda: app._absence.news is not None, "the news")
        await pilot.pause()
        assert not isinstance(app.screen, SinceScreen)
        said = [toast.message for toast in app._notifications]
        assert said == ["Since you left: 1 finished · 1 diverged"]


def test_each_store_has_its_own_memory(tmp_path: Path) -> None:
    one, other = StoreLocation(tmp_path / "a.db"), StoreLocation(tmp_path / "\udcff" / "b.db")
    left(one, 1.0)
    assert Presence(one).recall() == 1.0
    assert Presence(other).recall() is None


def test_what_was_cancelled_or_goes_on_is_no_news(empty_store: LiveStore) -> None:
    populate(empty_store)
    with closing(connect_reader(empty_store.location)) as connection:
        assert ended_counts(connection, NOW - 3_600) == {"done": 1, "diverged": 1}
        assert ended_counts(connection, NOW - 200) == {"done": 1}
        assert [run.kind for run in ended_since(connection, NOW - 3_600, 1)] == ["diverged"]
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT id FROM runs WHERE finished > ? AND +state IN ('done')", (0,)
        ).fetchall()
        assert "runs_ended" in plan[0][3]


def test_picture(
    snap_sizes: Sizes, empty_store: LiveStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    populate(empty_store)
    monkeypatch.setattr(since, "wall_clock", lambda: NOW)
    monkeypatch.setattr(SeqbenchApp, "MODES", {"launch": Screen})  # the news alone
    left(empty_store.location, NOW - 3_600)

    async def look(pilot: Pilot[None]) -> None:
        await told(pilot)

    snap_sizes(SeqbenchApp(empty_store.location), look, by_x)
