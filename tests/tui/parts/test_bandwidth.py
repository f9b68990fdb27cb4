"""What is sent is counted, and on a slow line little is drawn."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from live_runs import LiveStore
from pilots import screen_text, settled, wait_for
from terminals import APP, DEADLINE, Terminal

from tui.app import SeqbenchApp
from tui.parts.bandwidth import FORGIVEN_SECONDS, LATE_SECONDS, Judge, report
from tui.shell.preferences import Preferences
from tui.shell.terminal.driver import PING, PONG
from tui.shell.terminal.traffic import UNANSWERED_SECONDS, Echo

# Judging


def test_a_writer_that_waits_means_a_slow_line_for_a_while() -> None:
    judge = Judge()
    assert not judge.slow(0.0, waited=0.0, late=0.0)
    assert not judge.slow(1.0, waited=0.2, late=0.0)
    assert judge.slow(2.0, waited=0.9, late=0.0)
    assert judge.slow(3.0, waited=0.9, late=0.0)
    assert not judge.slow(2.0 + FORGIVEN_SECONDS, waited=0.9, late=0.0)


def test_a_late_answer_means_a_slow_line_and_a_far_one_does_not() -> None:
    echo, judge = Echo(), Judge()
    for second in range(3):  # far away, but nothing waits on the way
        assert echo.ask(float(second))
        echo.answered(second + 0.6)
        assert not judge.slow(float(second), 0.0, echo.late(second + 0.7))
    assert echo.ask(4.0)
    assert not echo.ask(4.5)
    assert echo.late(4.5) < 0.001
    assert echo.late(4.7 + LATE_SECONDS) > LATE_SECONDS  # not answered yet, and late already
    echo.answered(5.5)
    assert judge.slow(6.0, 0.0, echo.late(6.0))


def test_a_terminal_that_never_answers_is_not_asked_again() -> None:
    echo = Echo()
    assert echo.ask(0.0)
    assert echo.late(UNANSWERED_SECONDS - 0.1) == 0.0
    assert echo.late(UNANSWERED_SECONDS + 0.1) == 0.0
    assert not echo.ask(UNANSWERED_SECONDS + 1.0)


def test_an_answer_on_its_way_is_waited_for_and_one_that_never_comes_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui.shell.terminal.traffic.SETTLE_SECONDS", DEADLINE)
    echo = Echo()
    echo.ask(0.0)
    answer = threading.Timer(0.05, lambda: echo.answered(1.0))
    answer.start()
    echo.settle()
    assert echo.best == 1.0
    monkeypatch.setattr("tui.shell.terminal.traffic.SETTLE_SECONDS", 0.01)
    echo.ask(2.0)
    echo.settle()
    assert echo.asked is None


def test_traffic_in_words() -> None:
    assert report(6_200, 2, 2.0) == "3.1 kB/s · 3.1 kB per frame · 1.0 frames/s"
    assert report(0, 0, 1.0) == "0 B/s · 0 B per frame · 0.0 frames/s"


# The mode


async def test_frames_are_held_back_but_not_from_who_types(
    busy_store: LiveStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = SeqbenchApp(busy_store.location, preferences=Preferences(low_bandwidth=True))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert app.animation_level == "none"
        for held in (1, 0, 1):
            await wait_for(pilot, lambda: app._batch_count == held, "a frame now and then")  # noqa: B023
        monkeypatch.setattr("tui.parts.bandwidth.ACTIVE_SECONDS", 1000.0)
        await pilot.press("2")
        assert app._batch_count == 0
        await wait_for(pilot, lambda: "bert4rec" in screen_text(app), "drawn")
        assert "low bandwidth" in screen_text(app)
        await pilot.press("f5")
        await wait_for(pilot, lambda: not app.low_bandwidth, "everything is drawn")
        assert (app.animation_level, app._batch_count) == ("full", 0)
        await wait_for(pilot, lambda: "low bandwidth" not in screen_text(app), "it says so")


@pytest.fixture
def start(busy_store: LiveStore, tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def begin(*options: str, size: tuple[int, int] = (120, 36)) -> Terminal:
        started.append(Terminal([*APP, tmp_path / "runs.db", *options], size=size))
        return started[-1]

    yield begin
    for terminal in started:
        terminal.end()


def read_at(terminal: Terminal, rate: int, condition: Callable[[], object]) -> None:
    """Read as a slow line would, so many bytes a second, until it holds."""
    end, turn = time.monotonic() + DEADLINE, 0
    while not condition():
        assert time.monotonic() < end, terminal.picture.text
        select.select([], [], [], 0.05)
        if select.select([terminal.master], [], [], 0)[0]:
            data = os.read(terminal.master, rate // 20)
            terminal.output += data
            terminal.picture.feed(data)
        turn += 1
        if turn % 2 == 0:
            terminal.type("23"[turn // 2 % 2])  # somebody who looks around


def test_a_slow_line_is_noticed(start: Callable[..., Terminal]) -> None:
    app = start()
    app.shows("Queue ·")
    app.type("3")
    app.shows("d Delete")
    read_at(app, 60_000, lambda: "low bandwidth" in app.picture.text)
    app.shows("low bandwidth")
    assert b"\x1b[?1003l\x1b[?1002h" in app.output
    app.type("\x03")
    app.shows("Leave")
    app.type("\r")
    app.read_to_end()
    app.assert_put_right()


def test_a_line_that_answers_late_is_noticed(start: Callable[..., Terminal]) -> None:
    app = start()
    app.shows("Queue")
    answered, held = 0, 0.0
    end, number = time.monotonic() + DEADLINE, 0
    while "low bandwidth" not in app.picture.text:
        assert time.monotonic() < end, app.picture.text
        app.read()
        number += 1
        if number % 10 == 0:
            app.type("123"[number // 10 % 3])
        if app.output.count(PING.encode()) > answered:
            held = held or time.monotonic()
            if time.monotonic() - held >= (0 if answered == 0 else 2 * LATE_SECONDS):
                app.type(PONG)
                answered, held = answered + 1, 0.0
    assert answered >= 1
    assert "0n" not in app.picture.text


def test_the_header_says_what_is_sent(start: Callable[..., Terminal]) -> None:
    app = start(size=(80, 24))
    app.shows("Queue")
    app.type("\x1bOR")  # f3
    app.shows("B/s")
    app.resize(160, 48)
    app.shows("B/s", "per frame", "frames/s")
