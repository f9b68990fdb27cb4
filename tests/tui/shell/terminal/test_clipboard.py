"""Copying through what stands between the app and the terminal: a real tmux with its defaults, and
what GNU screen is sent."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from background import wait_for
from comparing import comparing
from hypothesis import given
from hypothesis import strategies as st
from measured_runs import filled_store
from pilots import wait_for as wait_in
from terminals import APP, ROOT

from tui.shell.terminal.clipboard import copy_by_tmux, through_screen

Tmux = Callable[..., str]


@pytest.fixture
def tmux() -> Iterator[Tmux]:
    """A tmux server of the test's own, without anyone's configuration."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    name = f"seqbench-{uuid.uuid4().hex[:12]}"

    def command(*words: str | Path) -> str:
        done = subprocess.run(
            ["tmux", "-L", name, "-f", "/dev/null", *map(str, words)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    yield command
    command("kill-server")


def inside(tmux: Tmux) -> dict[str, str]:
    """The environment of a program in the server's first pane."""
    tmux("new-session", "-d", "-x", "100", "-y", "30", "cat")
    place = tmux("display-message", "-p", "#{socket_path},#{pid},0").strip()
    return dict(os.environ) | {"TMUX": place}


@pytest.mark.parametrize("text", ["0.123456789", "ten\tcells\nand ünïcode ☂", "x" * 300_000])
def test_tmux_takes_a_text_whole(tmux: Tmux, text: str) -> None:
    environment = inside(tmux)
    assert copy_by_tmux(text, environment)
    assert tmux("show-buffer") == text


def test_where_no_tmux_answers_nothing_is_called_copied(tmux: Tmux, tmp_path: Path) -> None:
    environment = inside(tmux)
    assert not copy_by_tmux("text", dict(os.environ))
    assert not copy_by_tmux("text", environment | {"PATH": str(tmp_path)})
    tmux("kill-server")
    assert not copy_by_tmux("text", environment)


def test_a_key_in_the_app_in_tmux_copies(tmux: Tmux, tmp_path: Path, quick_line: None) -> None:
    store, _ = filled_store(tmp_path)
    app = [*APP, store.location.db]
    tmux("new-session", "-d", "-x", "120", "-y", "36", *app)
    wait_for(lambda: "Queue ·" in tmux("capture-pane", "-p"), "the app")
    tmux("send-keys", "3")
    wait_for(lambda: "d Delete" in tmux("capture-pane", "-p"), "the comparison")
    tmux("send-keys", "Y")
    wait_for(lambda: tmux("show-buffer"), "the copied row")
    assert tmux("show-buffer").split("\t")[1:3] == ["sasrec", "ml-100k"]


async def test_what_is_said_is_what_is_known(
    tmux: Tmux, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = filled_store(tmp_path)
    async with comparing(store) as (app, pilot):

        def said() -> list[str]:
            return [str(notification.message) for notification in app._notifications]

        await pilot.press("Y")
        await wait_in(pilot, lambda: "Sent to the terminal: the row" in said(), "what is said")
        monkeypatch.setenv("TMUX", inside(tmux)["TMUX"])
        await pilot.press("Y")
        await wait_in(pilot, lambda: "Copied the row" in said(), "what is said in tmux")


@given(st.text(max_size=2_000).filter(lambda text: text.isprintable()))
def test_screen_passes_every_part_on_and_they_make_up_the_whole(text: str) -> None:
    assert through_screen(text, {}) == ""
    sent = through_screen(text, {"STY": "1.pts-0.host"})
    parts = re.findall(r"\x1bP(.*?)\x1b\\", sent, flags=re.DOTALL)
    assert "".join(f"\x1bP{part}\x1b\\" for part in parts) == sent
    assert max(map(len, parts)) + 4 <= 256
    whole = "".join(parts)
    assert whole.startswith("\x1b]52;c;")
    assert whole.endswith("\a")
    assert base64.b64decode(whole[7:-1]).decode() == text
