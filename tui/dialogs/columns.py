"""The dialog in which a table's columns are chosen and put in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events, on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.geometry import Region, Size
from textual.message import Message
from textual.screen import ModalScreen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static

from tui.dialogs.offer import Offer
from tui.shell.text import shorten
from tui.widgets.field import Field
from tui.widgets.key_button import KeyButton


class ColumnList(ScrollView, can_focus=True):
    """Names with a box each, one under the cursor; those that are shown come first, the others by
    section, below its title.

    A search leaves only the names in sight that contain its words, they or their section.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "columns--cursor", "columns--box", "columns--off", "columns--section",
    }  # fmt: skip
    DEFAULT_CSS = """
    ColumnList {
        height: auto;
        overflow: hidden auto;
        scrollbar-size: 1 1;
        background: $surface;
        & > .columns--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: bold;
        }
        & > .columns--box { color: $accent; }
        & > .columns--off { color: $text-muted; }
        & > .columns--section { color: $primary; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "move(-10)", "Page up", show=False),
        Binding("pagedown", "move(10)", "Page down", show=False),
        Binding("home", "move(-1000)", "First", show=False),
        Binding("end", "move(1000)", "Last", show=False),
        Binding("space", "show_or_hide", "Show or hide", show=False),
        Binding("K,shift+up", "carry(-1)", "Move up", show=False),
        Binding("J,shift+down", "carry(1)", "Move down", show=False),
    ]

    class Changed(Message):
        """Other columns are chosen, or the same in another order."""

    def __init__(self, offered: Mapping[str, str], shown: Sequence[str]) -> None:
        """Make a list of columns.

        Args:
            offered: the section of each, section by section.
            shown: those that are shown, in this order.
        """
        super().__init__()
        self._offered = offered
        self._stands: dict[str, str] = {}
        """The section below whose title each name stands; empty for those at the top."""
        self._cursor = 0
        self._names: list[str] = []
        self._shown: set[str] = set()
        self._words: tuple[str, ...] = ()
        self._found: list[str] = []
        """The names in sight."""
        self._lines: list[str | int] = []
        """Titles of sections, and places in ``_found``."""
        self.choose(shown)

    def choose(self, shown: Sequence[str]) -> None:
        """Show these, in this order."""
        self._shown = set(shown)
        self._names = [*shown, *(name for name in self._offered if name not in self._shown)]
        self._stands = {**self._offered, **dict.fromkeys(shown, "")}
        self._cursor = 0
        self._find()
        self.post_message(self.Changed())

    def search(self, text: str) -> None:
        """Leave only the names in sight that contain all words of a text, in any case."""
        under = self._found[self._cursor] if self._found else ""
        self._words = tuple(text.lower().split())
        self._find()
        self._cursor = self._found.index(under) if under in self._found else 0
        self._reveal()

    def _find(self) -> None:
        self._found = [
            name
            for name in self._names
            if all(word in f"{name} {self._offered[name]}".lower() for word in self._words)
        ]
        self._lines, above = [], ""
        for index, name in enumerate(self._found):
            if (section := self._stands[name]) != above and section:
                self._lines.append(section)
            self._lines.append(index)
            above = section
        self.virtual_size = Size(self.size.width or 30, len(self._lines))
        self.refresh()

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of what is shown, in order."""
        return tuple(name for name in self._names if name in self._shown)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return len(self._lines)

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._lines))
        self._reveal()

    def action_move(self, rows: int) -> None:
        """Put the cursor on another name."""
        before, self._cursor = self._cursor, self._inside(self._cursor + rows)
        self._refresh_line(before)
        self._refresh_line(self._cursor)
        self._reveal()

    def action_show_or_hide(self) -> None:
        """Show or hide the column under the cursor."""
        if self._found:
            self._shown ^= {self._found[self._cursor]}
            self._refresh_line(self._cursor)
            self.post_message(self.Changed())

    def action_carry(self, rows: int) -> None:
        """Move the name under the cursor past the next one in sight."""
        if not self._found:
            return
        target = self._inside(self._cursor + rows)
        name, place = self._found[self._cursor], self._names.index(self._found[target])
        self._names.remove(name)
        self._names.insert(place, name)
        self._stands[name] = self._stands[self._found[target]]
        self._cursor = target
        self._find()
        self._reveal()
        self.post_message(self.Changed())

    def on_click(self, event: events.Click) -> None:
        if (offset := event.get_content_offset(self)) is not None:
            row = offset.y + self.scroll_offset.y
            index = self._lines[row] if row < len(self._lines) else ""
            if isinstance(index, int):
                self.action_move(index - self._cursor)
                self.action_show_or_hide()

    def render_line(self, y: int) -> Strip:
        line, width = y + self.scroll_offset.y, self.size.width
        if line >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        index = self._lines[line]
        if isinstance(index, str):
            title = Segment(f" {index}", self.rich_style + self._component("section"))
            return Strip([title]).adjust_cell_length(width, self.rich_style)
        name = self._found[index]
        on_ = name in self._shown
        ground = self.rich_style if on_ else self.rich_style + self._component("off")
        box = self.rich_style + self._component("box")
        if index == self._cursor and self.has_focus:
            ground = box = self.rich_style + self._component("cursor")
        text = f" {shorten(name, width - 6)}"
        parts = [Segment(" ✓ " if on_ else " · ", box), Segment(text, ground)]
        return Strip(parts).adjust_cell_length(width, ground)

    def _component(self, name: str) -> Style:
        return self.get_component_rich_style(f"columns--{name}", partial=name != "cursor")

    def _inside(self, index: int) -> int:
        return max(0, min(index, len(self._found) - 1))

    def _refresh_line(self, index: int) -> None:
        if index in self._lines:
            y = self._lines.index(index) - self.scroll_offset.y
            self.refresh(Region(0, y, self.size.width, 1))

    def _reveal(self) -> None:
        if self._cursor not in self._lines:
            return
        top, height = self.scroll_offset.y, max(1, self.size.height)
        last = self._lines.index(self._cursor)
        first = last - 1 if last and isinstance(self._lines[last - 1], str) else last
        if not top <= first <= last < top + height:
            y = first if first < top else last - height + 1
            self.scroll_to(y=y, animate=False)
            self.refresh()


class ColumnsScreen(ModalScreen["tuple[str, ...] | None"]):
    """Answers with the names of the columns to show, in order; None if nothing changes."""

    BINDINGS = [  # noqa: RUF012
        Binding("enter", "done", "Show"),
        Binding("slash", "search", "Search"),
        Binding("r", "reset", "Reset"),
        Binding("0", "none", "None"),
        Binding("1", "quality", "Quality"),
        Binding("2", "cost", "Cost"),
        Binding("3", "training", "Training"),
        Binding("4", "all", "All"),
        Binding("5", "cutoffs", "Cut-offs"),
        Binding("6", "items", "Items"),
        Binding("escape,C,q", "back", "Back"),
    ]
    CSS_PATH = "columns.tcss"
    AUTO_FOCUS = "ColumnList"

    def __init__(self, offer: Offer, shown: Sequence[str]) -> None:
        super().__init__()
        self._offer = offer
        self._at_first = tuple(shown)
        self._list = ColumnList(offer.sections, shown)
        self._field = Field(placeholder="search")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Columns"
            yield self._field
            yield self._list
            yield Static(
                f"space shows or hides · J K move down or up\n{self._offer.held}",
                classes="hint",
                markup=False,
            )
            with Horizontal(classes="buttons"):
                yield KeyButton("0", "None", "none")
                yield KeyButton("1", "Quality", "quality")
                yield KeyButton("2", "Cost", "cost")
                yield KeyButton("3", "Training", "training")
                yield KeyButton("4", "All", "all")
            with Horizontal(classes="buttons -next"):
                yield KeyButton("5", "Cut-offs", "cutoffs")
                yield KeyButton("6", "Items", "items")
                yield KeyButton("r", "Reset", "reset")
            with Horizontal(classes="buttons"):
                yield KeyButton("⏎", "Show", "done", main=True)
                yield KeyButton("/", "Search", "search")
                yield KeyButton("esc", "Back", "back")

    def on_mount(self) -> None:
        self._field.display = False

    @on(ColumnList.Changed)
    def _changed(self) -> None:
        chosen = len(self._list.chosen)
        self.query_one(".dialog").border_subtitle = f"{chosen} of {len(self._offer.names)} shown"

    @on(Field.Changed)
    def _searched(self, event: Field.Changed) -> None:
        self._list.search(event.value)

    @on(Field.Submitted)
    def _search_done(self) -> None:
        self._list.focus()

    def action_search(self) -> None:
        """Open the field in which the columns in sight are searched by name."""
        self._field.display = True
        self._field.focus()

    def action_back(self) -> None:
        """Leave the search; without one, the dialog."""
        if not self._field.display:
            self.dismiss()
            return
        self._field.value = ""
        self._field.display = False
        self._list.focus()

    def action_done(self) -> None:
        """Close the dialog, and show the chosen columns."""
        chosen = self._list.chosen
        if not chosen:
            self.notify("Choose at least one column.", severity="warning")
        else:
            self.dismiss(chosen if chosen != self._at_first else None)

    def action_reset(self) -> None:
        """Choose the columns that are shown by default."""
        self._list.choose(self._offer.default)

    def action_none(self) -> None:
        """Choose no column."""
        self._list.choose(())

    def action_quality(self) -> None:
        """Choose the metrics."""
        self._list.choose(self._offer.preset("quality"))

    def action_cost(self) -> None:
        """Choose times, memory and speeds."""
        self._list.choose(self._offer.preset("cost"))

    def action_training(self) -> None:
        """Choose the columns on the course of training."""
        self._list.choose(self._offer.preset("training"))

    def action_all(self) -> None:
        """Choose every column."""
        self._list.choose(self._offer.preset("all"))

    def action_cutoffs(self) -> None:
        """Choose NDCG and Recall at every cut-off."""
        self._list.choose(self._offer.preset("cutoffs"))

    def action_items(self) -> None:
        """Choose the columns on popular and rare items, and on what is recommended."""
        self._list.choose(self._offer.preset("items"))


def choose_columns(
    app: App[Any], offer: Offer, shown: Sequence[str], take: Callable[[tuple[str, ...]], object]
) -> None:
    """Let the user choose among the columns; give the choice to ``take``, and remember it."""

    def chosen(names: tuple[str, ...] | None) -> None:
        if names is not None:
            take(names)
            app.run_worker(partial(offer.keep, names), group="remember", thread=True)

    app.push_screen(ColumnsScreen(offer, shown), chosen)
