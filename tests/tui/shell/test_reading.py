"""Reading in a thread: one at a time, the newest of what waits, nothing after the end."""

from __future__ import annotations

import sqlite3
from collections.abc import Hashable
from functools import partial
from threading import Event

import pytest
from pilots import wait_for
from textual.app import App
from textual.screen import Screen
from textual.worker import WorkerFailed

from engine.errors import UserError
from tui.shell.reading import Reading


class Desk(Screen[None]):
    """Asks for what a test wants, and notes what it is shown.

    Attributes:
        begun: what was read, in the order in which it began.
        shown: what was shown.
        refused: sentences.
        gates: what has to be open before a read ends, by its name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[str] = []
        self.shown: list[str] = []
        self.refused: list[str] = []
        self.gates: dict[str, Event] = {}
        self.reading = Reading[str](self, self.shown.append, self.refused.append)

    def ask(self, name: str, subject: Hashable = None, problem: str = "") -> None:
        gate = self.gates[name] = Event()

        def read() -> str:
            self.begun.append(name)
            assert gate.wait(20)
            if problem:
                raise UserError(problem)
            return name

        self.reading.ask(read, subject)


class Office(App[None]):
    """An app with a desk on top."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()

    def on_mount(self) -> None:
        self.push_screen(self.desk)


async def test_of_what_waits_only_the_newest_is_read() -> None:
    app = Office()
    async with app.run_test() as pilot:
        desk = app.desk
        for name in "abcd":
            desk.ask(name)
        await wait_for(pilot, lambda: desk.begun == ["a"], "the first read")
        assert desk.reading.busy
        desk.gates["a"].set()
        await wait_for(pilot, lambda: desk.begun == ["a", "d"], "the newest one")
        assert desk.shown == ["a"]
        desk.gates["d"].set()
        await wait_for(pilot, lambda: desk.shown == ["a", "d"], "it is shown")
        assert not desk.reading.busy
        desk.ask("e")
        desk.gates["e"].set()
        await wait_for(pilot, lambda: desk.shown == ["a", "d", "e"], "one that finds it idle")


async def test_what_is_no_longer_asked_for_is_not_shown() -> None:
    app = Office()
    async with app.run_test() as pilot:
        desk = app.desk
        desk.ask("every run", subject="")
        desk.ask("every run again", subject="")
        desk.ask("some runs", subject="seed:1")
        for gate in desk.gates.values():
            gate.set()
        await wait_for(pilot, lambda: desk.shown, "something is shown")
        assert desk.begun == ["every run", "some runs"]
        assert desk.shown == ["some runs"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UserError("no such run."), "no such run."),
        (sqlite3.OperationalError("database is locked"), "database is locked"),
        (PermissionError("not yours"), "not yours"),
    ],
)
async def test_what_can_not_be_read_is_a_sentence(error: Exception, sentence: str) -> None:
    def read() -> str:
        raise error

    app = Office()
    async with app.run_test() as pilot:
        app.desk.reading.ask(read)
        await wait_for(pilot, lambda: app.desk.refused, "the sentence")
        assert (app.desk.refused, app.desk.shown) == ([sentence], [])
        app.desk.ask("after it")
        app.desk.gates["after it"].set()
        await wait_for(pilot, lambda: app.desk.shown, "the next read")


async def test_what_waits_for_the_newest_outlives_the_failure_of_an_earlier_one() -> None:
    app = Office()
    acted: list[str] = []

    async def act() -> None:
        acted.append(desk.shown[-1])

    async with app.run_test() as pilot:
        desk = app.desk
        desk.ask("a", subject=1, problem="No a.")
        desk.ask("b", subject=2)
        desk.reading.then(act)
        for gate in desk.gates.values():
            gate.set()
        await wait_for(pilot, lambda: acted == ["b"], "it acts")
        desk.ask("c", subject=3, problem="No c.")
        desk.reading.then(act)
        desk.gates["c"].set()
        await wait_for(pilot, lambda: desk.refused == ["No c."], "the refusal")
        assert not desk.reading.awaited
    assert acted == ["b"]


async def test_a_screen_that_is_gone_is_shown_nothing() -> None:
    app = Office()
    async with app.run_test() as pilot:
        desk = app.desk
        desk.ask("a")
        desk.ask("b")
        await wait_for(pilot, lambda: desk.begun, "the read")
        desk.dismiss()
        await wait_for(pilot, lambda: not desk.is_attached, "the screen is gone")
        desk.gates["a"].set()
        await wait_for(pilot, lambda: all(w.is_finished for w in app.workers), "the read's end")
        assert (desk.begun, desk.shown) == (["a"], [])


async def test_a_mistake_of_ours_ends_the_app() -> None:
    def read() -> str:
        raise KeyError("a column")

    async def asked() -> None:
        app = Office()
        async with app.run_test() as pilot:
            app.desk.reading.ask(read)
            await wait_for(pilot, lambda: app._exception, "the end")

    with pytest.raises(WorkerFailed, match="KeyError"):
        await asked()


async def test_what_is_passed_on_is_never_written() -> None:
    class Page:
        def __repr__(self) -> str:
            raise AssertionError

    app = Office()

    def look(_: Page) -> str:
        return "read"

    async with app.run_test() as pilot:
        app.desk.reading.ask(partial(look, Page()))
        await wait_for(pilot, lambda: app.desk.shown == ["read"], "it is shown")
