"""The keys that work on a screen, at its bottom: in one line, or in two where one is too short. The
app's own keys stand at the right end, always in the same place."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual.events import Leave, MouseDown, MouseMove
from textual.geometry import Size
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui.lab import Lab

LOW = 20
"""Lines of a terminal below which there is room for one line of keys only."""

MARGIN, GAP = 1, 2
"""Spaces around the line, and between its entries."""


class Entry(NamedTuple):
    """An action in the bar.

    Attributes:
        key: the key as it is written.
        label: a word or two.
        press: Textual's name of the key.
        enabled: whether the action can be done now.
        help: a sentence.
    """

    key: str
    label: str
    press: str = ""
    enabled: bool = True
    help: str = ""

    @property
    def width(self) -> int:
        """Terminal cells."""
        return cell_len(self.key) + 1 + cell_len(self.label)


BarRow = tuple[tuple[int, Entry], ...]
"""Entries of one line, each with the column that it begins in."""


def arrange(
    main: Sequence[Entry], end: Sequence[Entry], width: int, most: int = 2
) -> tuple[BarRow, ...]:
    """Arrange entries in one row if all fit, else in ``most`` rows (one or two), aligned where that
    fits. Entries without room are left out, the last of ``main`` first.
    """
    right = width - MARGIN - _total([entry.width for entry in end])
    for number in range(len(main), -1, -1):
        shown = main[:number]
        if _total([entry.width for entry in shown]) <= right - GAP - MARGIN:
            rows: list[BarRow] = [_placed(shown)]
        elif most == 2 and (found := _in_two(shown, right - GAP - MARGIN, width - 2 * MARGIN)):
            rows = found
        else:
            continue
        rows[-1] += _placed(end, start=right)
        return tuple(rows)
    return ((),)


def _in_two(main: Sequence[Entry], room_below: int, room_above: int) -> list[BarRow] | None:
    for aligned in (True, False):
        for above in range((len(main) + 1) // 2, len(main)):
            first, second = main[:above], main[above:]
            pairs = list(zip_longest(first, second))
            widths = [max(a.width if a else 0, b.width if b else 0) for a, b in pairs]
            upper = widths if aligned else [entry.width for entry in first]
            last = second[-1].width
            lower = (widths if aligned else [entry.width for entry in second])[: len(second)]
            if _total(upper) <= room_above and _total([*lower[:-1], last]) <= room_below:
                return [_placed(first, upper), _placed(second, lower)]
    return None


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * max(0, len(widths) - 1)


def _placed(
    entries: Sequence[Entry], widths: Sequence[int] | None = None, start: int = MARGIN
) -> BarRow:
    placed, at = [], start
    for entry, width in zip(entries, widths or [entry.width for entry in entries], strict=True):
        placed.append((at, entry))
        at += width + GAP
    return tuple(placed)


class KeyBar(Widget, can_focus=False):
    """Shows the active bindings of its screen; a click does what the key does. The bar never gets
    lower while the screen keeps its width, so that nothing jumps when a binding comes or goes."""

    COMPONENT_CLASSES = {"key-bar--key", "key-bar--label", "key-bar--off"}  # noqa: RUF012
    DEFAULT_CSS = """
    KeyBar {
        dock: bottom;
        height: auto;
        background: $footer-background;
        & > .key-bar--key { color: $footer-key-foreground; }
        & > .key-bar--label { color: $footer-description-foreground; }
        & > .key-bar--off { color: $text-disabled; }
    }
    """
    ALLOW_SELECT = False

    app: Lab

    def __init__(self) -> None:
        super().__init__()
        self._main: tuple[Entry, ...] = ()
        self._end: tuple[Entry, ...] = ()
        self._room = 0, 1
        self._rows: tuple[BarRow, ...] = ((),)
        self._height = 1

    @property
    def entries(self) -> list[Entry]:
        """The entries that are shown."""
        return [entry for row in self._rows for _, entry in row]

    def on_mount(self) -> None:
        """Follow the screen's bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_updated)

    def on_unmount(self) -> None:
        self.screen.bindings_updated_signal.unsubscribe(self)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Return the height in lines, one or two."""
        if not self._end:
            self._read_bindings()
        room = width, 1 if viewport.height < LOW else 2
        if room != self._room:
            self._room, self._height = room, 1
            self._rows = arrange(self._main, self._end, *room)
        self._height = max(self._height, len(self._rows))
        return self._height

    def _read_bindings(self) -> None:
        main: dict[str, Entry] = {}
        end: dict[str, Entry] = {}
        for node, binding, enabled, _tooltip in self.screen.active_bindings.values():
            if binding.show:
                where = end if node is self.app else main
                key = self.app.get_key_display(binding)
                entry = Entry(key, binding.description, binding.key, enabled, binding.tooltip)
                where.setdefault(binding.action, entry)
        self._main, self._end = tuple(main.values()), tuple(end.values())

    def _bindings_updated(self, _: Screen[object]) -> None:
        self.call_after_refresh(self._show_bindings)

    def _show_bindings(self) -> None:
        if not self.is_attached:
            return
        self._read_bindings()
        rows = arrange(self._main, self._end, *self._room)
        if rows != self._rows:
            self._rows = rows
            self.refresh(layout=len(rows) > self._height)

    def render_line(self, y: int) -> Strip:
        """Draw a row of entries."""
        ground = self.rich_style
        key, label, off = (
            ground + self.get_component_rich_style(f"key-bar--{name}", partial=True)
            for name in ("key", "label", "off")
        )
        segments: list[Segment] = []
        at = 0
        for start, entry in self._rows[y] if y < len(self._rows) else ():
            segments += [
                Segment(" " * (start - at), ground),
                Segment(entry.key, key if entry.enabled else off),
                Segment(f" {entry.label}", label if entry.enabled else off),
            ]
            at = start + entry.width
        return Strip(segments).adjust_cell_length(self.size.width, ground)

    def entry_at(self, x: int, y: int) -> Entry | None:
        """Find the entry in a cell."""
        for start, entry in self._rows[y] if 0 <= y < len(self._rows) else ():
            if start <= x < start + entry.width:
                return entry
        return None

    def on_mouse_down(self, event: MouseDown) -> None:
        """Press the key of the entry that is clicked."""
        if (entry := self.entry_at(event.x, event.y)) is None:
            return
        if entry.enabled:
            self.app.simulate_key(entry.press)
        else:
            self.app.bell()

    def on_mouse_move(self, event: MouseMove) -> None:
        """Explain the entry under the mouse in a tooltip."""
        entry = self.entry_at(event.x, event.y)
        self.tooltip = entry.help if entry is not None and entry.help else None

    def on_leave(self, _: Leave) -> None:
        self.tooltip = None
