"""One line on top of every screen: the three tabs, the line, the queue, the store, the device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.events import Click
from textual.widget import Widget

from tui.messages import Snapshot
from tui.shell.keys import APP
from tui.shell.states import glyph, style_variable
from tui.shell.text import short_path

if TYPE_CHECKING:
    from tui.lab import Lab

Tab = tuple[str, str, str]
"""Mode, key and label."""

TABS: tuple[Tab, ...] = tuple(
    (action.id.split("'")[1], action.keys[0], action.label)
    for action in APP
    if action.id.startswith("show(")
)
SHOWN_STATES = ("running", "queued", "done", "failed")


class Header(Widget):
    """The shared header. ``active`` names the tab to mark: launch, live or compare."""

    DEFAULT_CSS = """
    Header {
        dock: top;
        height: 1;
        background: $surface;
        color: $text-muted;
    }
    """

    app: Lab

    def __init__(self, active: str) -> None:
        super().__init__()
        self.active = active
        self._shown: Content | None = None

    def on_mount(self) -> None:
        """Follow the app's knowledge of store and device."""
        self.watch(self.app, "snapshot", self._changed, init=False)
        for name in ("device", "traffic", "traffic_shown", "low_bandwidth"):
            self.watch(self.app, name, self._changed, init=False)

    async def on_click(self, event: Click) -> None:
        """A click on a tab opens it."""
        mode = tab_at(event.x, with_name=self._with_name, tabs=self._tabs_named())
        if mode is not None:
            await self.app.run_action(f"show('{mode}')")

    @property
    def _with_name(self) -> bool:
        return self.size.width >= 72

    def _changed(self) -> None:
        """Repaint, unless it would say the same: the store changes twice a second."""
        if self._content() != self._shown:
            self.refresh()

    def render(self) -> Content:
        self._shown = self._content()
        return self._shown

    def _content(self) -> Content:
        """Tabs on the left; on the right as much as there is room for."""
        width = self.size.width
        left = self._tabs(self._with_name)
        room = width - left.cell_length - 2
        right: list[Content] = []
        for part in self._parts(width):
            needed = part.cell_length + (3 if right else 0)
            if part.cell_length and needed <= room:
                right.append(part)
                room -= needed
        tail = Content.styled("   ", "").join(right)
        gap = max(1, width - left.cell_length - tail.cell_length - 1)
        return Content.assemble(left, " " * gap, tail, " ")

    def _parts(self, width: int) -> Iterator[Content]:
        """The most important first."""
        if self.app.low_bandwidth:
            yield Content.styled("low bandwidth", "$warning")
        if self.app.traffic_shown:
            for part in (self.app.traffic or "counting …").split(" · "):
                yield Content.styled(part, "$text-muted")
        yield self._queue(words=width >= 130)
        yield self._store()
        yield self._device()

    def _tabs_named(self) -> list[Tab]:
        """The tabs with the keys that this user has for them."""
        actions = {action.id: action for action in APP}
        return [
            (mode, self.app.key_of(actions[f"show('{mode}')"]), label) for mode, _, label in TABS
        ]

    def _tabs(self, with_name: bool) -> Content:
        parts: list[Content | tuple[str, str] | str] = [" "]
        if with_name:
            parts += [("seqbench", "bold $foreground"), "  "]
        for mode, key, label in self._tabs_named():
            active = mode == self.active
            look = "bold $background on $primary" if active else "$text-muted"
            parts += [(f" {key}", look if active else "$accent"), (f" {label} ", look)]
        return Content.assemble(*parts)

    def _queue(self, words: bool) -> Content:
        snapshot: Snapshot = self.app.snapshot
        if snapshot.problem:
            return Content.styled("store unreadable", "$error")
        parts = [
            Content.styled(
                f"{glyph(state)} {count:,}" + (f" {state}" if words else ""), style_variable(state)
            )
            for state in SHOWN_STATES
            if (count := snapshot.counts.get(state, 0))
        ]
        if not parts:
            return Content.styled("no runs yet", "$text-disabled")
        return Content.styled("  ", "").join(parts)

    def _store(self) -> Content:
        return Content.styled(short_path(self.app.location.db, 32), "$text-muted")

    def _device(self) -> Content:
        return Content.styled(self.app.device, "$text-muted")


def tab_at(x: int, with_name: bool, tabs: Sequence[Tab] = TABS) -> str | None:
    """Which tab a click in column ``x`` of the header means."""
    start = 1 + (cell_len("seqbench") + 2 if with_name else 0)
    for mode, key, label in tabs:
        end = start + cell_len(key) + cell_len(label) + 3
        if start <= x < end:
            return mode
        start = end
    return None
