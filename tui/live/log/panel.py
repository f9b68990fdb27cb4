"""The log in its frame, with a line to search in it."""

from __future__ import annotations

from dataclasses import dataclass

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from tui.live.log.tail import LogTail
from tui.shell.text import plain
from tui.widgets.field import Field

_TITLE = "Log"


class SearchField(Field):
    """The field in which the text to search for is typed."""

    BINDINGS = [  # noqa: RUF012
        Binding("enter", "submit", "Done", show=True),
        Binding("up", "step(-1)", "Previous", show=True),
        Binding("down", "step(1)", "Next", show=True),
        Binding("escape", "leave", "End search"),
    ]

    class Left(Message):
        """The search was given up."""

    @dataclass
    class Stepped(Message):
        """The next match is wanted, or (-1) the one before."""

        step: int

    def action_leave(self) -> None:
        """Give the search up."""
        self.post_message(self.Left())

    def action_step(self, step: int) -> None:
        """Ask for the next match, or (-1) the one before."""
        self.post_message(self.Stepped(step))


class LogPanel(Vertical):
    """A frame around the log and the field of its search."""

    DEFAULT_CSS = """
    LogPanel {
        SearchField { height: 1; border: none; padding: 0; background: $panel; display: none; }
        &.-searching SearchField { display: block; }
    }
    """

    tail = getters.query_one(LogTail)
    searches = False
    """Whether a text is searched for."""
    _before: Widget | None = None
    """The widget that had the focus before."""

    def compose(self) -> ComposeResult:
        yield LogTail()
        yield SearchField(placeholder="search the log", max_length=200, compact=True)

    def on_mount(self) -> None:
        self.border_title = _TITLE

    def ask(self) -> None:
        """Open the field, with the focus."""
        if not isinstance(self.screen.focused, SearchField):
            self._before = self.screen.focused
        self.add_class("-searching")
        self.query_one(SearchField).focus()

    def end_search(self) -> None:
        """Remove the marks of matches, and close the field."""
        self.query_one(SearchField).clear()
        self._close()

    @on(Field.Changed)
    def _typed(self, event: Field.Changed) -> None:
        event.stop()
        self.searches = bool(event.value)
        self.tail.search(plain(event.value))

    @on(Field.Submitted)
    def _submitted(self, event: Field.Submitted) -> None:
        event.stop()
        self._close()

    @on(SearchField.Stepped)
    def _stepped(self, event: SearchField.Stepped) -> None:
        self.tail.next_match(event.step)

    @on(SearchField.Left)
    def _left(self) -> None:
        self.end_search()

    @on(LogTail.Moved)
    def _moved(self) -> None:
        said = self.tail.summary()
        title = f"{_TITLE} · {said}" if said else _TITLE
        if title != str(self.border_title):
            self.border_title = Content(title)

    def _close(self) -> None:
        """Close the field and give the focus back; matches stay marked."""
        if self.query_one(SearchField).has_focus:
            self.screen.set_focus(self._before)
        self.remove_class("-searching")
