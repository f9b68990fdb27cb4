"""One seed a cell, before a launch: what it can't tell, what more seeds cost, one key for them."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest
from live_runs import LiveStore
from pilots import screen_text, settled, wait_for
from textual.pilot import Pilot
from textual.widgets import Input, Select, Static, TextArea

from engine.machine.slots import Slot
from engine.spec import CellKey
from engine.store.connect import connect_reader, connect_writer
from engine.store.location import StoreLocation
from engine.store.queries import list_runs
from tui.app import SeqbenchApp
from tui.launch.confirm import ConfirmScreen
from tui.launch.screen import LaunchScreen
from tui.widgets.dialog import Dialog
from tui.widgets.key_button import KeyButton

LONE = "with one seed, differences can't be judged"
SASREC: CellKey = ("sasrec", "synthetic", 50)
XLSTM: CellKey = ("xlstm", "synthetic", 50)


@pytest.fixture(autouse=True)
def no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)


async def confirming(
    pilot: Pilot[None],
    *cells: CellKey,
    seeds: str = "42",
    settings: str = "epochs=60",
    key: str = "enter",
) -> None:
    """Choose cells and seeds, with the epochs that the runs of `LiveStore` have."""
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, LaunchScreen)
    screen.query_one("#seeds", Input).value = seeds
    screen.query_one("#settings", TextArea).load_text(settings)
    screen.grid.select(cells)
    await settled(pilot)
    await pilot.press(key)
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "confirm")
    await settled(pilot)


def facts(pilot: Pilot[None]) -> dict[str, str]:
    """What the dialog says, by label; a line without one belongs to the label before it."""
    said: dict[str, str] = {}
    label = ""
    for line in str(pilot.app.screen.query_one("#facts", Static).content).splitlines():
        label = line[:12].strip() or label
        said[label] = f"{said.get(label, '')} {line[12:]}".strip()
    return said


def offered(pilot: Pilot[None]) -> bool:
    return bool(pilot.app.screen.query_one("#more_seeds").display)


def queued(location: StoreLocation) -> set[tuple[str, int]]:
    with closing(connect_reader(location)) as connection:
        return {(run.model, run.seed) for run in list_runs(connection, ["queued"])}


async def test_one_key_makes_one_seed_three(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(80, 24)) as pilot:
        await confirming(pilot, SASREC, XLSTM)
        said = facts(pilot)
        assert said["Seeds"] == f"42 · {LONE} s  3 seeds: 6 runs, time not known yet"
        assert said["Runs"] == "2 runs"
        assert offered(pilot)
        await pilot.press("s")
        said = facts(pilot)
        assert (said["Runs"], said["Seeds"]) == ("6 runs", "42, 43, 44")
        assert not offered(pilot)
        await pilot.press("s")
        assert facts(pilot) == said
        await pilot.press("enter")
        await wait_for(pilot, lambda: pilot.app.current_mode == "live", "Live")
    expected = {(model, seed) for model in ("sasrec", "xlstm") for seed in (42, 43, 44)}
    assert queued(absent_store) == expected


async def test_a_sweep_is_counted(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(80, 24)) as pilot:
        await confirming(pilot, SASREC, XLSTM, settings="lr=0.01, 0.001")
        said = facts(pilot)
        assert said["Sweep"] == "2 cells × 2 values of lr × 1 seed = 4 runs"
        assert said["Settings"] == "profile reference, lr=0.01,0.001"
        await pilot.press("s")
        assert facts(pilot)["Sweep"] == "2 cells × 2 values of lr × 3 seeds = 12 runs"
        await pilot.press("enter")
        await wait_for(pilot, lambda: pilot.app.current_mode == "live", "Live")
    with closing(connect_reader(absent_store)) as connection:
        assert len({run.fingerprint for run in list_runs(connection, ["queued"])}) == 12


async def test_seeds_that_are_queued_or_done_count(empty_store: LiveStore) -> None:
    empty_store.launch("sasrec", seed=7)
    async with SeqbenchApp(empty_store.location).run_test(size=(80, 24)) as pilot:
        await confirming(pilot, SASREC)
        assert facts(pilot)["Seeds"] == "42"
        assert not offered(pilot)
        await pilot.press("escape")
        await confirming(pilot, SASREC, XLSTM)
        those = "one seed in 1 of 2 cells: their differences can't be judged"
        assert facts(pilot)["Seeds"].startswith(f"42 · {those} s  3 seeds: 6 runs")
        await pilot.press("escape")
        await confirming(pilot, SASREC, XLSTM, seeds="1, 2")
        assert facts(pilot)["Seeds"] == "1, 2"


async def test_again_counts_the_seed_that_is_done_once(empty_store: LiveStore) -> None:
    empty_store.train(empty_store.launch("sasrec", seed=42), 2, end="done")
    async with SeqbenchApp(empty_store.location).run_test(size=(80, 24)) as pilot:
        await confirming(pilot, SASREC, key="L")
        assert facts(pilot)["Seeds"].startswith(f"42 · {LONE} s  3 seeds: 3 runs")
        await pilot.press("s", "enter")
        await wait_for(pilot, lambda: pilot.app.current_mode == "live", "Live")
    assert queued(empty_store.location) == {("sasrec", 42), ("sasrec", 43), ("sasrec", 44)}


async def test_what_more_seeds_cost_is_known_from_past_runs(
    empty_store: LiveStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot = Slot("cpu/0", "cpu", "CPU", 2)
    monkeypatch.setattr("engine.machine.slots.detect_slots", lambda settings: [slot])
    run = empty_store.launch("sasrec", length=75)
    empty_store.train(run, 3, end="done")
    with closing(connect_writer(empty_store.location)) as con:
        con.execute("UPDATE attempts SET started = 1, host = ?", (socket.gethostname(),))
    async with SeqbenchApp(empty_store.location).run_test(size=(80, 24)) as pilot:
        await confirming(pilot, SASREC)
        said = facts(pilot)
        assert said["Time"] == "about 12 s, at most 4 m 00 s"
        assert said["Seeds"].endswith("3 seeds: 3 runs, time about 36 s, at most 12 m 00 s")
        await pilot.press("s")
        assert facts(pilot)["Time"] == "about 36 s, at most 12 m 00 s"


async def test_a_suite_with_one_seed_keeps_its_name(absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store).run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        pilot.app.screen.query_one("#suite", Select).value = "smoke"
        await settled(pilot)
        await pilot.press("l")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "confirm")
        assert facts(pilot)["Seeds"].startswith(f"42 · {LONE} s  3 seeds: 9 runs")
        await pilot.press("s", "enter")
        await wait_for(pilot, lambda: pilot.app.current_mode == "live", "Live")
    with closing(connect_reader(absent_store)) as connection:
        runs = list_runs(connection)
    assert (len(runs), {run.suite for run in runs}) == (9, {"smoke"})


async def test_a_floor_is_run_along_before_the_others(empty_store: LiveStore) -> None:
    location = empty_store.location
    async with SeqbenchApp(location).run_test(size=(120, 40)) as pilot:
        await confirming(pilot, SASREC)
        said = facts(pilot)["Floor"]
        assert said == "none of synthetic yet o  run 4 fitted models along"
        await pilot.press("o")
        await settled(pilot)
        assert "Floor" not in facts(pilot)
        assert facts(pilot)["Runs"] == "5 runs"
        assert facts(pilot)["Seeds"].startswith(f"42 · {LONE} s  3 seeds: 7 runs")
        await pilot.press("s")
        await settled(pilot)
        assert facts(pilot)["Runs"] == "7 runs"
        await pilot.press("enter")
        await wait_for(pilot, lambda: len(models(location)) == 7, "they are queued")
    assert models(location)[4:] == ["sasrec"] * 3
    assert "markov" in models(location)[:4]


@pytest.mark.parametrize("columns", [40, 60])
async def test_all_answers_are_in_sight_in_a_narrow_terminal(
    empty_store: LiveStore, columns: int
) -> None:
    async with SeqbenchApp(empty_store.location).run_test(size=(columns, 20)) as pilot:
        await confirming(pilot, SASREC)
        dialog = pilot.app.screen.query_one(Dialog)
        buttons = [each for each in dialog.query(KeyButton) if each.display]
        assert [each.id for each in buttons] == ["launch", "more_seeds", "floor", "dismiss"]
        bottom = dialog.query_one(".buttons").region
        assert [each.region for each in buttons if each.region not in bottom] == []
        text = screen_text(pilot.app)
        assert [str(each.label) for each in buttons if str(each.label) not in text] == []


def models(location: StoreLocation) -> list[str]:
    """The models of all runs, in the queue's order."""
    with closing(connect_reader(location)) as con:
        return [run.model for run in sorted(list_runs(con), key=lambda run: run.position or 0)]
