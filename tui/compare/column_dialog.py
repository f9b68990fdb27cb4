"""The dialog in which the comparison's columns are chosen and put in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from tui.compare.columns import HELD, choosable, usual
from tui.widgets.key_button import KeyButton


class ColumnList(OptionList, inherit_bindings=False):
    """Lists the columns with a box each, those that are shown first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", "Up", show=False),
        Binding("down,j", "cursor_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home", "first", "First", show=False),
        Binding("end", "last", "Last", show=False),
        Binding("space", "select", "Show or not", show=False),
        Binding("K,shift+up", "carry(-1)", "Move up", show=False),
        Binding("J,shift+down", "carry(1)", "Move down", show=False),
    ]

    class Changed(Message):
        """Tell that other columns are chosen, or the same in another order."""

    def __init__(self, shown: Sequence[str]) -> None:
        super().__init__(compact=True, markup=False)
        self._names: list[str] = []
        self._shown: set[str] = set()
        self.choose(shown)

    def choose(self, shown: Sequence[str]) -> None:
        """Show some columns, in their order."""
        self._shown = set(shown)
        self._names = [*shown, *(name for name in choosable() if name not in self._shown)]
        self._list(self.highlighted or 0)

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of the columns that are shown, in order."""
        return tuple(name for name in self._names if name in self._shown)

    def _list(self, cursor: int) -> None:
        self.set_options(self._line(name) for name in self._names)
        self.highlighted = cursor
        self.post_message(self.Changed())

    def _line(self, name: str) -> Content:
        shown = name in self._shown
        box, style = (" ✓ ", "") if shown else (" · ", "$text-muted")
        return Content.assemble((box, "$accent"), (f" {name}", style))

    @on(OptionList.OptionSelected)
    def _show_or_hide(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._shown ^= {self._names[event.option_index]}
        self._list(event.option_index)

    def action_carry(self, rows: int) -> None:
        """Move the name under the cursor down by rows; up if negative."""
        at = self.highlighted or 0
        target = max(0, min(at + rows, len(self._names) - 1))
        self._names.insert(target, self._names.pop(at))
        self._list(target)


class ColumnsScreen(ModalScreen["tuple[str, ...] | None"]):
    """Answers with the names of the columns to show, in order; None if nothing changes."""

    BINDINGS = [  # noqa: RUF012
        Binding("enter", "done", "Done"),
        Binding("r", "usual", "Usual"),
        Binding("escape,C,q", "back", "Back"),
    ]
    CSS_PATH = "column_dialog.tcss"
    AUTO_FOCUS = "ColumnList"

    def __init__(self, shown: Sequence[str]) -> None:
        super().__init__()
        self._at_first = tuple(shown)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Columns"
            yield ColumnList(self._at_first)
            yield Static(
                f"space shows or hides · J K move it down, up\n{', '.join(HELD)} stay at the left",
                classes="hint",
                markup=False,
            )
            with Horizontal(classes="buttons"):
                yield KeyButton("⏎", "Show", id="done", main=True)
                yield KeyButton("r", "The usual", id="usual")
                yield KeyButton("esc", "Back", id="back")

    @on(ColumnList.Changed)
    def _changed(self) -> None:
        chosen = len(self.query_one(ColumnList).chosen)
        self.query_one(".dialog").border_subtitle = f"{chosen} of {len(choosable())} shown"

    @on(KeyButton.Pressed, "#done")
    def action_done(self) -> None:
        """Show what was chosen."""
        chosen = self.query_one(ColumnList).chosen
        if not chosen:
            self.notify("Choose one column at least.", severity="warning")
        else:
            self.dismiss(chosen if chosen != self._at_first else None)

    @on(KeyButton.Pressed, "#usual")
    def action_usual(self) -> None:
        """Choose the columns that are shown until someone chooses."""
        self.query_one(ColumnList).choose(usual())

    @on(KeyButton.Pressed, "#back")
    def action_back(self) -> None:
        """Leave them as they were."""
        self.dismiss(None)
