"""Ringing when a run fails or a suite ends while the user looks elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_runs import NOW, LiveStore, start
from pilots import settled, wait_for
from terminals import APP, Terminal
from textual.events import AppBlur, AppFocus

from engine.store import queries
from engine.store.connect import connect_reader
from engine.store.news import Notification
from tui.app import SeqbenchApp
from tui.parts.bell import MOST_SAID, alert, lines

FAILED = Notification("run-failed", "sasrec × ml-1m × 50, seed 1 has failed: no memory")
RUNG = re.compile(rb"\x07\x1b\]9;seqbench: ([^\x1b\x07]*)\x1b\\")


@pytest.fixture(autouse=True)
def nobody_starts_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SeqbenchApp, "look_after_queue", lambda app: None)


def fail(store: LiveStore, run: str, message: str = "The loss is not a number.") -> None:
    store.mark(run, "running")
    end = {"t": NOW - 60, "kind": "end", "status": "failed", "cause": "diverged",
           "message": message, "best_epoch": None, "epochs_trained": 0, "seconds": 3.0}  # fmt: skip
    store.journal(run, [start(), end])


def test_a_notification_in_the_language_of_the_terminal() -> None:
    said = "seqbench: sasrec × ml-1m × 50, seed 1 has failed: no memory"
    assert alert([FAILED], {"TERM": "xterm-256color"}) == f"\a\x1b]9;{said}\x1b\\"
    other = Notification("run-failed", "a; b")
    for environment in ({"TERM": "rxvt-unicode"}, {"TERM": "xterm-256color", "VTE_VERSION": "1"}):
        assert alert([other], environment) == "\a\x1b]777;notify;seqbench;a, b\x1b\\"
    wrapped = alert([FAILED], {"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"})
    assert wrapped == f"\a\x1bPtmux;\x1b\x1b]9;{said}\x1b\x1b\\\x1b\\"


def test_of_many_the_first_are_said() -> None:
    said = lines([FAILED] * (MOST_SAID + 4))
    assert said == [FAILED.text] * MOST_SAID + ["And 4 more."]


@given(st.text(max_size=300), st.sampled_from(["xterm", "rxvt", "foot"]))
def test_no_text_ends_the_sequence_or_begins_another(text: str, terminal: str) -> None:
    sent = alert([Notification("run-failed", "x " + text)], {"TERM": terminal})
    body = sent.removeprefix("\a\x1b]").removesuffix("\x1b\\")
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", body)


async def test_with_the_focus_elsewhere_it_is_said_on_coming_back(empty_store: LiveStore) -> None:
    one, other = (empty_store.launch("sasrec", seed=seed) for seed in (1, 2))
    app = SeqbenchApp(empty_store.location)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        fail(empty_store, one)
        await wait_for(pilot, lambda: app.snapshot.counts.get("failed") == 1, "the failure")
        await pilot.pause()
        assert app._bell.missed == [], "he was here"
        app.post_message(AppBlur())
        await wait_for(pilot, lambda: not app.app_focus, "the focus to go")
        fail(empty_store, other, "\x1b]0;owned\x07[bold]No memory.")
        await wait_for(pilot, lambda: len(app._bell.missed) == 2, "the failure and the end")
        app.post_message(AppFocus())
        await wait_for(pilot, lambda: len(app._notifications) == 2, "toasts")
        messages = [toast.message for toast in app._notifications]
        assert messages == [
            "sasrec × synthetic × 50, seed 2 has diverged: [bold]No memory.",
            "The queue is empty; last to end: 1 failed.",
        ]
        app.post_message(AppBlur())
        app.post_message(AppFocus())
        await pilot.pause()
        assert len(app._notifications) == 2, "once"


@pytest.fixture
def terminal(empty_store: LiveStore, tmp_path: Path) -> Iterator[Terminal]:
    empty_store.launch("sasrec", seed=1)
    empty_store.launch("sasrec", seed=2)
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "settings.yaml").write_text("notify: unfocused\n")
    command = [*APP, tmp_path / "runs.db", "--config-dir", configs]
    clean = ["env", "-u", "TMUX", "-u", "VTE_VERSION", *command]
    found = Terminal(clean, {"XDG_STATE_HOME": str(tmp_path)}, size=(100, 30))
    yield found
    found.end()


def test_on_a_terminal(terminal: Terminal, empty_store: LiveStore, tmp_path: Path) -> None:
    with closing(connect_reader(empty_store.location)) as connection:
        one, other = (run.id for run in queries.waiting(connection))
    terminal.shows("synthetic", "○ 2")
    fail(empty_store, one)
    terminal.shows("✗ 1")
    assert not RUNG.search(terminal.output), "the user is here"
    terminal.type("\x1b[O")
    terminal.still()
    fail(empty_store, other, "\x07\x1b]52;c;b3duZWQ=\x07 no memory")
    terminal.shows("✗ 2")
    terminal.read_until(lambda: RUNG.search(terminal.output), "the bell")
    (text,) = RUNG.findall(terminal.output)
    assert text.decode() == (
        "sasrec × synthetic × 50, seed 2 has diverged:  no memory  The queue is empty; last to "
        "end: 1 failed."
    )
    assert b"b3duZWQ" not in terminal.output
