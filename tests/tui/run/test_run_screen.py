"""A run's page: what it says, what it offers in which state, what becomes of a wish."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from measured_runs import MeasuredStore, journal
from pilots import settled, wait_for
from textual.pilot import Pilot
from textual.widgets import Input, Static

from engine.store.connect import connect_reader
from tui.app import SeqbenchApp
from tui.charts.braille.chart import Chart
from tui.dialogs.ask import AskScreen
from tui.dialogs.limit import LimitScreen
from tui.run.screen import RunScreen


@pytest.fixture
def measured(tmp_path: Path) -> MeasuredStore:
    return MeasuredStore(tmp_path)


@asynccontextmanager
async def opened(
    store: MeasuredStore, run: str, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[SeqbenchApp, Pilot[Any]]]:
    app = SeqbenchApp(store.location)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await app.push_screen(RunScreen(run))
        await settled(pilot)
        yield app, pilot


def text_of(app: SeqbenchApp, name: str) -> str:
    return str(app.screen.query_one(f"#{name}", Static).content)


def offered(app: SeqbenchApp) -> set[str]:
    bindings = app.screen.active_bindings.values()
    return {binding.binding.key for binding in bindings if binding.enabled}


def requested(store: MeasuredStore) -> list[tuple[str, str]]:
    with closing(connect_reader(store.location)) as con:
        return [tuple(row) for row in con.rows("SELECT action, run FROM requests ORDER BY id")]


async def test_says_everything_of_a_done_run(measured: MeasuredStore) -> None:
    run = measured.add("sasrec", lr=0.002)
    async with opened(measured, run) as (app, _):
        assert "done" in text_of(app, "heading")
        assert "best epoch" in text_of(app, "heading")
        result = text_of(app, "result")
        for label in ("validation, all items", "test, all items", "test, seen masked"):
            assert label in result
        assert "0.0" in result
        assert "lr 0.002" in " ".join(text_of(app, "configuration").split())
        assert "8f0c8f0c8f0c" in text_of(app, "provenance")
        assert "2.13.0" in text_of(app, "provenance")
        assert text_of(app, "attempts").startswith("1  done")
        assert f"runs/{run}" in text_of(app, "files")
        assert "--set lr=0.002" in text_of(app, "files")
        reference = text_of(app, "reference")
        assert "ours, validation max" in reference
        assert "evaluate the validation set only" in reference
        assert len(app.screen.query_one("#valid", Chart).curves["NDCG"].ys) == 14


async def test_shows_energy_where_it_is_known(measured: MeasuredStore) -> None:
    known, before = measured.add(seed=1), measured.add(seed=2)
    lines = journal("sasrec", "ml-100k", 50, 1, 4, "done")
    for line in lines:
        if line["kind"] == "epoch":
            line |= {"gpu_joules": 1_234_567.0, "cpu_joules": 3.0}
    measured.ran(known, lines)
    async with opened(measured, known) as (app, _):
        result = " ".join(text_of(app, "result").split())
        for figure in ("EpochEnergy, J 1,234,570.00", "TotalEnergy, J 4,938,280.00"):
            assert figure in result
        assert "EnergyToBest, J" in result
        assert "EnergyOf GPU + CPU" in result
    async with opened(measured, before) as (app, _):
        assert "Energy" not in text_of(app, "result")


async def test_offers_what_the_state_allows(measured: MeasuredStore) -> None:
    allowed = {
        "queued": {"x", "d"},
        "running": {"x"},
        "done": {"d"},
        "failed": {"t", "d"},
        "cancelled": {"t", "d"},
        "lost": {"t", "d"},
    }
    runs = {}
    for seed, state in enumerate(allowed):
        runs[state] = measured.add("sasrec", epochs=2, seed=seed)
        measured.set(runs[state], state=state)
    async with opened(measured, runs.pop("queued"), (80, 24)) as (app, pilot):
        offers = {"queued": offered(app)}
        for state, run in runs.items():
            await app.push_screen(RunScreen(run))
            await settled(pilot)
            offers[state] = offered(app)
    assert {state: found & {"x", "t", "d"} for state, found in offers.items()} == allowed
    assert all({"escape", "y", "n"} <= found for found in offers.values())


async def test_follows_the_run_while_it_trains(measured: MeasuredStore) -> None:
    run = measured.add("xlstm", epochs=4, end=None)
    async with opened(measured, run) as (app, pilot):
        assert "running" in text_of(app, "heading")
        measured.set(run, state="lost", message="Its process is gone.")
        await wait_for(pilot, lambda: "Its process is gone." in text_of(app, "failure"), "lost")
        await settled(pilot)
        assert "t" in offered(app)


async def test_retry_and_delete_reach_the_store(measured: MeasuredStore) -> None:
    run = measured.add("sasrec", epochs=0, end="failed")
    async with opened(measured, run, (80, 24)) as (app, pilot):
        await pilot.press("t")
        await wait_for(pilot, lambda: requested(measured) == [("retry", run)], "the request")
        await pilot.press("d")
        assert isinstance(app.screen, AskScreen)
        await pilot.press("escape")
        assert len(requested(measured)) == 1
        await pilot.press("d", "enter")
        await wait_for(pilot, lambda: ("delete", run) in requested(measured), "the request")


async def test_cancel_asks_first(measured: MeasuredStore) -> None:
    run = measured.add("sasrec", epochs=3, end=None)
    async with opened(measured, run) as (app, pilot):
        await pilot.press("x")
        assert isinstance(app.screen, AskScreen)
        await pilot.press("enter")
        await wait_for(pilot, lambda: requested(measured) == [("cancel", run)], "the request")


async def test_a_note_is_kept(measured: MeasuredStore) -> None:
    run = measured.add("sasrec", epochs=3)
    async with opened(measured, run) as (app, pilot):
        await pilot.press("n", *"[b]", "enter")
        await wait_for(pilot, lambda: "[b]" in text_of(app, "heading"), "the note is shown")
        await pilot.press("n", "z", "escape")
        await settled(pilot)
        assert "[b]z" not in text_of(app, "heading")


async def test_the_relaunch_command_is_copied(measured: MeasuredStore) -> None:
    run = measured.add("sasrec", epochs=3)
    async with opened(measured, run) as (app, pilot):
        await pilot.press("y")
        assert app.clipboard == (
            "seqbench run --model sasrec --dataset ml-100k --length 50 --seed 42"
            " --profile reference"
        )


async def test_a_run_that_was_deleted_meanwhile(measured: MeasuredStore) -> None:
    async with opened(measured, "nobody") as (app, pilot):
        assert "was deleted" in text_of(app, "heading")
        assert not offered(app) & {"t", "x", "d"}
        await pilot.press("y", "escape")
        assert not isinstance(app.screen, RunScreen)


async def test_a_failed_run_has_a_card_and_is_tried_with_the_change_by_one_key(
    measured: MeasuredStore,
) -> None:
    run = measured.add("sasrec", lr=10.0)
    measured.set(run, state="failed", cause="diverged", message="It blew up.")
    folder = measured.location.folder(run)
    words = [f"line {number}" for number in range(20)]
    folder.log.write_text("\n".join([*words, "[red]the last words[/]", ""]))
    async with opened(measured, run) as (app, pilot):
        card = text_of(app, "failure")
        assert card.splitlines()[:2] == [
            "It blew up.",
            "T  Try fix: a new run with lr=0.001, as in its recipe",
        ]
        assert card.splitlines()[-10:] == [*words[-9:], "[red]the last words[/]"]
        assert "It blew up." not in text_of(app, "heading"), "it is said once"
        assert "Retry" not in card, "it would diverge again"
        await pilot.press("T")
        await wait_for(pilot, lambda: len(specs(measured)) == 2, "the new run")
    assert sorted(specs(measured)) == [0.001, 10.0]


async def test_the_card_offers_only_what_can_work_and_hides_what_is_empty(
    measured: MeasuredStore,
) -> None:
    run = measured.add("sasrec", epochs=0, end="failed")
    measured.set(run, cause="hung", message="No step for 600 s.", step=11)
    async with opened(measured, run) as (app, pilot):
        assert "t  Retry from the start" in text_of(app, "failure")
        assert "checkpoint" not in text_of(app, "failure")
        card_and_heading = text_of(app, "failure") + text_of(app, "heading")
        assert card_and_heading.count("No step for 600 s.") == 1
        for name in ("result", "reference"):
            assert not app.screen.query_one(f"#{name}").display, "nothing was measured"
        assert [chart.id for chart in app.screen.query(Chart) if chart.size.area] == ["loss"]
        measured.location.folder(run).checkpoint(1).touch()
        measured.set(run, message="No step for 601 s.")
        await wait_for(
            pilot, lambda: "t  Retry from its last checkpoint" in text_of(app, "failure"), "resumes"
        )


async def test_a_run_that_went_well_has_no_card(measured: MeasuredStore) -> None:
    async with opened(measured, measured.add("sasrec")) as (app, _):
        assert not app.screen.query_one("#failure").display
        assert "T" not in offered(app)


def specs(store: MeasuredStore) -> list[float]:
    """The learning rates of all runs."""
    with closing(connect_reader(store.location)) as con:
        return [json.loads(row[0])["training"]["lr"] for row in con.rows("SELECT spec FROM specs")]


def runs_in(store: MeasuredStore, state: str) -> list[str]:
    with closing(connect_reader(store.location)) as con:
        return [row[0] for row in con.rows("SELECT id FROM runs WHERE state = ?", (state,))]


async def test_a_finished_run_is_refitted_once(measured: MeasuredStore) -> None:
    run = measured.add("sasrec", epochs=6)
    async with opened(measured, run) as (app, pilot):
        assert "M" in offered(app)
        await pilot.press("M")
        assert isinstance(app.screen, AskScreen)
        await pilot.press("enter")
        await wait_for(pilot, lambda: runs_in(measured, "queued"), "the refit")
        (new,) = runs_in(measured, "queued")
        await app.push_screen(RunScreen(new))
        await settled(pilot)
        assert "M" not in offered(app)
        assert run in text_of(app, "provenance")
        app.pop_screen()
        await settled(pilot)
        await pilot.press("M", "enter")
        await wait_for(
            pilot, lambda: any("exists already" in n.message for n in app._notifications), "why not"
        )
        assert runs_in(measured, "queued") == [new]


async def test_a_run_at_its_limit_is_trained_on(measured: MeasuredStore) -> None:
    run = measured.add("xlstm", epochs=6, improving=True)
    async with opened(measured, run) as (app, pilot):
        text = text_of(app, "marks")
        assert (
            "! still-improving: its best epoch is the last one that its epoch limit allowed" in text
        )
        assert f"m for more epochs, or seqbench continue {run} --epochs 12" in text
        assert "m" in offered(app)
        await pilot.press("m")
        assert isinstance(app.screen, LimitScreen)
        field = app.screen.query_one(Input)
        assert field.value == "12"
        field.value = "6"
        await pilot.press("enter")
        assert isinstance(app.screen, LimitScreen), "it had these already"
        await pilot.press("escape")
        await settled(pilot)
        assert runs_in(measured, "queued") == []
        await pilot.press("m")
        app.screen.query_one(Input).value = "9"
        await pilot.press("enter")
        await wait_for(pilot, lambda: runs_in(measured, "queued"), "the new run")
        (new,) = runs_in(measured, "queued")
        await app.push_screen(RunScreen(new))
        await settled(pilot)
        assert run in text_of(app, "provenance")
        assert "m" not in offered(app)
        # The same again is refused, in a sentence.
        app.pop_screen()
        await settled(pilot)
        await pilot.press("m")
        app.screen.query_one(Input).value = "9"
        await pilot.press("enter")
        await wait_for(
            pilot, lambda: any("exists already" in n.message for n in app._notifications), "why not"
        )
        assert runs_in(measured, "queued") == [new]


async def test_what_has_no_checkpoint_is_trained_again(measured: MeasuredStore) -> None:
    run = measured.add("xlstm", epochs=6, improving=True)
    measured.location.folder(run).checkpoint(1).unlink()
    async with opened(measured, run) as (app, _):
        assert "try  seqbench run --model xlstm" in text_of(app, "marks")
        assert "--set epochs=12" in text_of(app, "marks")
        assert "m" not in offered(app)
