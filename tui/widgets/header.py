"""The line on top of every screen: three tabs, the connection, the queue, the store, the device."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from textual.content import Content
from textual.events import Click
from textual.widget import Widget

from tui.lab import Lab
from tui.messages import Snapshot
from tui.shell.keys import APP
from tui.shell.states import glyph, style_variable
from tui.shell.text import short_path

TABS = {action.id.split("'")[1]: action for action in APP if action.id.startswith("show(")}
"""The action that shows each mode."""

SHOWN_STATES = ("running", "queued", "done", "failed")
"""States whose runs are counted; the other two only where no run is in one of these."""


class Header(Widget):
    """The header of a screen. ``active`` names the tab to mark: launch, live or compare."""

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
        """Follow what the app knows of store, device and connection."""
        for name in ("snapshot", "device", "traffic", "traffic_shown", "low_bandwidth"):
            self.watch(self.app, name, self._changed, init=False)

    async def on_click(self, event: Click) -> None:
        """Show the mode of the tab that is clicked."""
        if (mode := self.tab_at(event.x)) is not None:
            await self.app.run_action(f"show('{mode}')")

    @property
    def _with_name(self) -> bool:
        return self.size.width >= 72

    def _changed(self) -> None:
        """Repaint, unless the text is the same: the store changes twice a second."""
        if self._content() != self._shown:
            self.refresh()

    def render(self) -> Content:
        self._shown = self._content()
        return self._shown

    def _content(self) -> Content:
        """Write the tabs on the left; on the right as much as there is room for."""
        width = self.size.width
        left = self._tabs()
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
        """Write the parts of the right side, the most important first."""
        if self.app.low_bandwidth:
            yield Content.styled("low bandwidth", "$warning")
        if self.app.traffic_shown:
            for part in (self.app.traffic or "counting …").split(" · "):
                yield Content.styled(part, "$text-muted")
        yield self._queue(words=width >= 130)
        yield Content.styled(short_path(self.app.location.db, 32), "$text-muted")
        yield Content.styled(self.app.device, "$text-muted")

    def _tabs(self) -> Content:
        parts: list[Content | tuple[str, str] | str] = [" "]
        if self._with_name:
            parts += [("seqbench", "bold $foreground"), "  "]
        for mode, action in TABS.items():
            active = mode == self.active
            look = "bold $background on $primary" if active else "$text-muted"
            key = (f" {self.app.key_of(action)}", look if active else "$accent")
            parts += [key, (f" {action.label} ", look)]
        return Content.assemble(*parts)

    def tab_at(self, x: int) -> str | None:
        """Find the mode whose tab is in column ``x``."""
        start = 1 + (cell_len("seqbench") + 2 if self._with_name else 0)
        for mode, action in TABS.items():
            end = start + cell_len(self.app.key_of(action)) + cell_len(action.label) + 3
            if start <= x < end:
                return mode
            start = end
        return None

    def _queue(self, words: bool) -> Content:
        snapshot: Snapshot = self.app.snapshot
        if snapshot.problem:
            return Content.styled("store unreadable", "$error")
        counts = snapshot.counts
        if not counts:
            return Content.styled("no runs yet" if snapshot.version else "", "$text-disabled")
        shown = [state for state in SHOWN_STATES if counts.get(state)] or list(counts)
        parts = [
            Content.styled(
                f"{glyph(state)} {counts[state]:,}" + (f" {state}" if words else ""),
                style_variable(state),
            )
            for state in shown
        ]
        return Content.styled("  ", "").join(parts)
