"""Every screen and dialog through sizes that no one would choose, and back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from live_lines import screen_text
from live_runs import LiveStore
from picture import steady
from pilots import settled, wait_for
from terminals import APP, Terminal
from textual.app import App
from textual.pilot import Pilot

from tui.app import SeqbenchApp
from tui.live import screen as live
from tui.live.device_panel import DevicePanel

ORDINARY = (80, 24)
SIZES = [(1, 1), (1, 40), (300, 1), (3, 2), (20, 5), (300, 80)]
PLACES = {
    "launch": ("1", "LaunchScreen"),
    "live": ("2", "LiveScreen"),
    "compare": ("3", "CompareScreen"),
    "quit dialog": ("q", "QuitScreen"),
}
MORE_PLACES = {
    "run": ("2 enter", "RunScreen"),
    "help": ("question_mark", "HelpScreen"),
    "form": ("1 o", "LaunchScreen"),
    "launch dialog": ("1 enter", "ConfirmScreen"),
    "one chart": ("2 g", "LiveScreen"),
    "cancel dialog": ("2 x", "AskScreen"),
    "note dialog": ("2 enter n", "NoteScreen"),
    "delete dialog": ("3 down enter d", "AskScreen"),
    "filter": ("3 slash", "CompareScreen"),
    "run from compare": ("3 enter", "RunScreen"),
    "palette": ("ctrl+p", "Palette"),
}


@pytest.mark.parametrize(
    ("keys", "screen"),
    [
        *(pytest.param(*how, id=place) for place, how in PLACES.items()),
        *(pytest.param(*how, id=p, marks=pytest.mark.slow) for p, how in MORE_PLACES.items()),
    ],
)
async def test_any_size_and_back_is_the_same_picture(
    busy_store: LiveStore, monkeypatch: pytest.MonkeyPatch, keys: str, screen: str
) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.1)
    app = SeqbenchApp(busy_store.location)
    async with app.run_test(size=ORDINARY) as pilot:
        await settled(pilot)
        for key in keys.split():
            await pilot.press(key)
            await settled(pilot)
        assert type(app.screen).__name__ == screen
        # At one width the bar of keys never gets lower: let it be as high as these keys need.
        await pilot.resize_terminal(ORDINARY[0] + 1, ORDINARY[1])
        await pilot.resize_terminal(*ORDINARY)
        before = await still(pilot)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await pilot.press("down", "up")
        await pilot.resize_terminal(*ORDINARY)
        await wait_for(pilot, lambda: painted(app) == before, "the same picture")


async def still(pilot: Pilot[None]) -> list[str]:
    """The picture once the machine is shown, no thread works that could change it, and it doesn't
    change any more."""
    panels = device_panels(pilot.app)
    await wait_for(pilot, lambda: all(panel._sample for panel in panels), "the machine")
    last: list[str] = []
    while last != (last := painted(pilot.app)):
        await pilot.pause(0.1)
        await settled(pilot)
    return last


def painted(app: App[None]) -> list[str]:
    """What is on the screen, without the device's figures of this moment."""
    lines = screen_text(app)
    for panel in device_panels(app):
        area = panel.region
        for y in range(area.y, min(area.bottom, len(lines))):
            lines[y] = lines[y][: area.x] + lines[y][area.right :]
    return steady(lines)


def device_panels(app: App[None]) -> list[DevicePanel]:
    """Those that are seen, beneath a dialog too."""
    return [panel for screen in app.screen_stack for panel in screen.query(DevicePanel)]


@pytest.fixture
def terminal(busy_store: LiveStore, quick_line: None) -> Iterator[Terminal]:
    terminal = Terminal([*APP, busy_store.location.db], size=ORDINARY)
    yield terminal
    terminal.end()


def test_a_real_terminal_through_every_size(terminal: Terminal) -> None:
    terminal.shows("Queue ·")
    terminal.type("1")
    terminal.shows("1 to launch", "training time", " slots in use")
    before = terminal.still()
    for size in SIZES:
        terminal.resize(*size)
        while terminal.read():
            pass
        terminal.resize(*ORDINARY)
        terminal.read_until(lambda: terminal.shown() == before, f"the picture after {size}")
    terminal.type("q")
    terminal.shows("Leave")
    terminal.type("\r")
    assert terminal.read_to_end() == 0
    terminal.assert_put_right()
