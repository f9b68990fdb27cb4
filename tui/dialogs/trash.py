"""Deleted runs in the app: undoing the last deletion, and the dialog that lists the trash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.errors import StoreError
from engine.store.intake.trash import (
    BroughtBack,
    Deleted,
    Facts,
    bring_back,
    deleted_runs,
    undo_deletion,
)
from engine.store.location import StoreLocation
from tui.lab import Lab
from tui.shell.states import STATES, glyph, style_variable
from tui.shell.text import ago, bytes_, count, plain, shorten
from tui.widgets.dialog import Dialog
from tui.widgets.key_button import KeyButton
from tui.widgets.lines import fit

EMPTY = "The trash is empty."
SHOWN = 200
"""Most runs that the dialog lists."""

_RUN, _SIZE, _AGO = 42, 9, 12
ROW = _RUN + _SIZE + _AGO + 6
"""Terminal cells of a line."""


@dataclass(frozen=True, slots=True)
class Trash:
    """What the dialog shows.

    Attributes:
        runs: the last deleted first, `SHOWN` at most, each with its facts and its bytes.
        total: number of all runs in the trash.
    """

    runs: Sequence[tuple[Deleted, Facts, int]]
    total: int


def read_trash(location: StoreLocation) -> Trash:
    """Read what is in the trash."""
    found = deleted_runs(location)
    return Trash([(each, each.facts, each.bytes) for each in found[:SHOWN]], len(found))


def undo_last(app: Lab) -> None:
    """Bring back what was deleted last, and say so."""

    def write() -> str:
        done = undo_deletion(app.location)
        return _said(done) if done.runs or done.problems else EMPTY

    app.request(write)


def open_trash(app: Lab) -> None:
    """Show the dialog, once the trash is read."""

    def read(trash: Trash) -> None:
        if trash.total:
            app.push_screen(TrashScreen(trash))
        else:
            app.notify(EMPTY)

    app.read_to_open(partial(read_trash, app.location), read)


class TrashScreen(ModalScreen[None]):
    """Lists deleted runs; each can be brought back."""

    BINDINGS = [Binding("escape,q,U", "dismiss", "Close")]  # noqa: RUF012
    AUTO_FOCUS = "OptionList"
    DEFAULT_CSS = "TrashScreen #more { color: $text-muted; }"

    app: Lab

    def __init__(self, trash: Trash) -> None:
        super().__init__()
        self._trash = trash

    def compose(self) -> ComposeResult:
        trash = self._trash
        keys = (
            KeyButton("⏎", "Bring back", "bring_back", main=True),
            KeyButton("esc", "Close", "dismiss"),
        )
        with Dialog(f"Trash: {count(trash.total, 'deleted run')}", *keys):
            options = (Option(_row(*each), id=str(n)) for n, each in enumerate(trash.runs))
            yield OptionList(*options, markup=False)
            if (more := trash.total - len(trash.runs)) > 0:
                yield Static(f"and {more:,} more: `seqbench undelete` lists them", id="more")

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0

    def action_bring_back(self) -> None:
        """Bring back the run under the cursor."""
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _bring_back(self, event: OptionList.OptionSelected) -> None:
        if event.option_id is None:
            return
        option, run = event.option_id, self._trash.runs[int(event.option_id)][0].run
        location = self.app.location
        runs = self.query_one(OptionList)
        runs.disable_option(option)

        def write() -> str:
            said = _said(bring_back(location, [run]))
            self.app.call_later(self._brought_back, option)
            return said

        self.app.request(write)

    def _brought_back(self, option: str) -> None:
        if not self.is_active:
            return
        runs = self.query_one(OptionList)
        runs.remove_option(option)
        if not runs.option_count:
            self.dismiss()


def _said(done: BroughtBack) -> str:
    """Say what came back, and what is to be known of it. Raises `StoreError` if nothing did."""
    if not done.runs:
        raise StoreError(" ".join(done.problems))
    what = plain(done.runs[0]) if len(done.runs) == 1 else count(len(done.runs), "run")
    when = f" (deleted {ago(done.deleted)})" if done.deleted is not None else ""
    return " ".join([f"{what} restored{when}.", *done.notes, *done.problems])


def _row(deleted: Deleted, facts: Facts, size: int) -> Content:
    """Write which run it is, its size and when it was deleted; below it, its note."""
    known = facts.state in STATES
    line = Content.assemble(
        (f"{glyph(facts.state)} " if known else "  ", style_variable(facts.state) if known else ""),
        fit(plain(deleted.run), _RUN),
        " ",
        (fit(bytes_(size), _SIZE, ">"), "$text-muted"),
        " ",
        (fit(ago(deleted.when), _AGO, ">"), "$text-muted"),
    )
    if not facts.note:
        return line
    return Content.assemble(line, "\n  ", (shorten(plain(facts.note), ROW - 3), "$text-muted"))
