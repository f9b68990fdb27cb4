"""A run's predictions for single users: last items, the true next one with its rank, the best."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from engine.errors import UserError
from tui.shell.text import PARAGRAPH, cells, plain, shorten
from tui.widgets.lines import fit

if TYPE_CHECKING:
    from engine.predictions import Item, Predictions, UserPrediction
    from tui.lab import Lab

MUTED = "$text-muted"
AT_ONCE = 20
"""Tested users that are predicted together: starting a process for it takes seconds."""

HISTORY = 6
"""Last items that are shown."""

ID = 12
"""Terminal cells of the column of ids at most."""


class PredictionsScreen(ModalScreen[None]):
    """Tested users one after the other, or the one whose id is typed."""

    CSS_PATH = "predictions.tcss"
    BINDINGS = [  # noqa: RUF012
        Binding("escape", "close", "Back", key_display="esc"),
        Binding("left,p", "step(-1)", "User before"),
        Binding("right,n", "step(1)", "Next user"),
        Binding("u,slash", "name_user", "Name a user"),
    ]
    AUTO_FOCUS = "VerticalScroll"

    app: Lab

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self._run_id = run_id
        self._found: dict[int, UserPrediction] = {}
        self._tested = 0
        self._place = 0
        self._busy = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Predictions"
            dialog.border_subtitle = "←→ user · u name one · esc back"
            with VerticalScroll():
                yield Static("loading the model …", id="prediction", markup=False)
            yield Input(placeholder="a user's id in the source", id="user", compact=True)

    def on_mount(self) -> None:
        self.query_one(Input).display = False
        self._load(None, 0)

    @work(thread=True, group="predict")
    def _load(self, user: str | None, first: int) -> None:
        from engine.predictions import predictions
        from engine.runfolder import run_folder

        self._busy = True
        try:
            folder = run_folder(self.app.location.runs, self._run_id)
            found = predictions(folder, user, first=first, count=AT_ONCE)
        except (UserError, OSError, sqlite3.Error) as error:
            self.call_later(self._failed, str(error))
        else:
            self.call_later(self._loaded, found, None if user is not None else first)

    def _loaded(self, found: Predictions, first: int | None) -> None:
        self._busy = False
        self._tested = found.tested
        if first is None:
            self._say(prediction_text(found.users[0], "", self._width))
            return
        self._found |= dict(enumerate(found.users, first))
        self._show()

    def _failed(self, sentence: str) -> None:
        self._busy = False
        self._say(Content.styled(plain(sentence, PARAGRAPH), "$error"))

    def _say(self, text: Content) -> None:
        for shown in self.query("#prediction").results(Static):
            shown.update(text)

    @property
    def _width(self) -> int:
        return (self.query_one("#prediction").content_size.width or 70) - 1

    def _show(self) -> None:
        found = self._found.get(self._place)
        if found is not None:
            which = f"   tested user {self._place + 1:,} of {self._tested:,}"
            self._say(prediction_text(found, which, self._width))
        elif self._tested and not self._busy:
            self._say(Content("…"))
            self._load(None, self._place - self._place % AT_ONCE)

    # Actions

    def action_step(self, by: int) -> None:
        """Another of the tested users."""
        if self._tested:
            self._place = (self._place + by) % self._tested
            self._show()

    def action_name_user(self) -> None:
        """Type an id."""
        field = self.query_one(Input)
        field.display = True
        field.focus()

    @on(Input.Submitted)
    def _named(self, event: Input.Submitted) -> None:
        field = self.query_one(Input)
        field.display = False
        self.query_one(VerticalScroll).focus()
        if event.value.strip() and not self._busy:
            self._say(Content("…"))
            self._load(event.value.strip(), 0)

    def action_close(self) -> None:
        """Out of the field, or back."""
        field = self.query_one(Input)
        if field.display:
            field.display = False
            self.query_one(VerticalScroll).focus()
        else:
            self.dismiss()


def prediction_text(found: UserPrediction, which: str, width: int) -> Content:
    """One user's prediction, in lines of at most ``width`` terminal cells."""
    history = found.history[-HISTORY:]
    shown = [*history, *found.top, *([found.true] if found.true else [])]
    ids = min(ID, max((cells(plain(item.id)) for item in shown), default=0))
    lines = [Content.assemble((f"User {plain(found.user, 40)}", "bold"), (which, MUTED))]
    lines.append(Content.styled("Last items", MUTED))
    lines += [Content(f"  {_name(item, ids, width - 2)}") for item in history]
    if found.true is None:
        lines.append(Content.styled("Not tested: what comes next isn't known.", MUTED))
    else:
        rank = f"rank {found.rank:,} of all items, {found.rank_masked:,} with seen items masked"
        lines += [
            Content.assemble(("True next  ", MUTED), (rank, "")),
            Content.styled(f"  {_name(found.true, ids, width - 2)}", "$accent"),
        ]
    lines.append(Content.styled("Best by score", MUTED))
    lines += _best(found.top, ids, width)
    return Content("\n").join(lines)


def _best(items: Sequence[Item], ids: int, width: int) -> list[Content]:
    lines = []
    for place, item in enumerate(items, 1):
        name = fit(_name(item, ids, width - 20), width - 20)
        style = "$accent" if item.true else MUTED if item.seen else ""
        remark = "true" if item.true else "seen" if item.seen else ""
        lines.append(Content.styled(f"{place:>3} {item.score:>8.3f}  {name} {remark}", style))
    return lines


def _name(item: Item, ids: int, width: int) -> str:
    """Its id, in a column of so many cells, and its title."""
    number, title = plain(item.id), plain(item.title)
    blanks = " " * (ids - cells(number) + 2)
    return shorten(f"{number}{blanks}{title}".rstrip(), width)
