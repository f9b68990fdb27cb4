"""A run's predictions for a user: last items, the held-out one with its rank, the top items."""

from __future__ import annotations

from collections.abc import Sequence

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.lab import Lab
from tui.run.reading import (
    Item,
    Predictions,
    Recommendation,
    UserPrediction,
    read_predictions,
)
from tui.shell.reading import Reading
from tui.shell.text import PARAGRAPH, cells, plain, shorten
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.key_button import KeyButton
from tui.widgets.lines import fit

MUTED = "$text-muted"
HISTORY = 6
"""Last items that are shown."""

ID = 12
"""Cells of the column of ids at most."""


class PredictionsScreen(ModalScreen[None]):
    """A dialog that predicts for the tested users one by one, or for a user whose id is typed."""

    CSS_PATH = "predictions.tcss"
    BINDINGS = [  # noqa: RUF012
        Binding("escape", "close", "Back"),
        Binding("left,p", "step(-1)", "Previous user"),
        Binding("right,n", "step(1)", "Next user"),
        Binding("u,slash", "name_user", "Go to user"),
    ]
    AUTO_FOCUS = "VerticalScroll"

    app: Lab
    field = getters.query_one(Field)

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self._run_id = run_id
        self._found: dict[int, UserPrediction] = {}
        self._tested = 0
        self._place = 0
        self._busy = False
        self._shown: tuple[UserPrediction, str] | None = None
        """Whose prediction is shown, and which user that is."""
        self._reading = Reading(self, self._loaded, self._failed)

    def compose(self) -> ComposeResult:
        keys = (
            KeyButton("←", "Previous", "step(-1)"),
            KeyButton("→", "Next", "step(1)"),
            KeyButton("u", "Go to user", "name_user"),
            KeyButton("esc", "Back", "close"),
        )
        with Dialog("Predictions", *keys):
            with VerticalScroll(id="room"):
                yield Static("loading the model …", id="prediction", markup=False)
            yield Field(placeholder="user id, as in the source data", id="user")

    def on_mount(self) -> None:
        self.field.display = False
        self._load()

    def _load(self, user: str | None = None) -> None:
        self._busy = True
        app, run_id, place = self.app, self._run_id, self._place

        def read() -> tuple[int | None, Predictions]:
            app.keep_models()
            return read_predictions(app.location, run_id, user, place)

        self._reading.ask(read)

    def _loaded(self, answer: tuple[int | None, Predictions]) -> None:
        first, found = answer
        self._busy = False
        self._tested = found.tested
        if first is None:
            self._tell(found.users[0], "")
            return
        self._found |= dict(enumerate(found.users, first))
        self._show()

    def _failed(self, sentence: str) -> None:
        self._busy = False
        self._say(Content.styled(plain(sentence, PARAGRAPH), "$error"))

    def _say(self, text: Content) -> None:
        self._shown = None
        self.query_one("#prediction", Static).update(text)

    def _tell(self, found: UserPrediction, which: str) -> None:
        self._say(prediction_text(found, which, self._width))
        self._shown = found, which

    def on_resize(self) -> None:
        """Fit the lines to the new width, which is known after the next layout."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        if self._shown is not None:
            self._tell(*self._shown)

    @property
    def _width(self) -> int:
        return (self.query_one("#prediction").content_size.width or 70) - 1

    def _show(self) -> None:
        found = self._found.get(self._place)
        if found is not None:
            which = f"   test user {self._place + 1:,} of {self._tested:,}"
            self._tell(found, which)
        elif self._tested and not self._busy:
            self._say(Content("…"))
            self._load()

    # Actions

    def action_step(self, by: int) -> None:
        """Show another of the tested users."""
        if self._tested:
            self._place = (self._place + by) % self._tested
            self._show()

    def action_name_user(self) -> None:
        """Open the field for a user's id."""
        self.field.display = True
        self.field.focus()

    @on(Field.Submitted)
    def _named(self, event: Field.Submitted) -> None:
        self._leave_field()
        if event.value.strip() and not self._busy:
            self._say(Content("…"))
            self._load(event.value.strip())

    def action_close(self) -> None:
        """Leave the field, or the dialog."""
        if self.field.display:
            self._leave_field()
        else:
            self.dismiss()

    def _leave_field(self) -> None:
        self.field.display = False
        self.query_one("#room").focus()


def prediction_text(found: UserPrediction, which: str, width: int) -> Content:
    """One user's prediction, in lines of at most ``width`` terminal cells."""
    history = found.history[-HISTORY:]
    shown = [*history, *found.top, *([found.true] if found.true else [])]
    ids = min(ID, max((cells(plain(item.id)) for item in shown), default=0))
    lines = [Content.assemble((f"User {plain(found.user, 40)}", "bold"), (which, MUTED))]
    lines.append(Content.styled("Last items", MUTED))
    lines += [Content(f"  {_name(item, ids, width - 2)}") for item in history]
    if found.true is None:
        lines.append(Content.styled("Not evaluated: the next item isn't known.", MUTED))
    else:
        rank = f"rank {found.rank:,}, {found.rank_masked:,} with seen masked"
        lines += [
            Content.assemble(("Held-out next item  ", MUTED), (rank, "")),
            Content.styled(f"  {_name(found.true, ids, width - 2)}", "$accent"),
        ]
    lines.append(Content.styled(f"Top {len(found.top)}", MUTED))
    lines += _best(found.top, ids, width)
    return Content("\n").join(lines)


def _best(items: Sequence[Recommendation], ids: int, width: int) -> list[Content]:
    lines = []
    for place, item in enumerate(items, 1):
        name = fit(_name(item, ids, width - 20), width - 20)
        style = "$accent" if item.true else MUTED if item.seen else ""
        remark = "true" if item.true else "seen" if item.seen else ""
        lines.append(Content.styled(f"{place:>3} {item.score:>8.3f}  {name} {remark}", style))
    return lines


def _name(item: Item, ids: int, width: int) -> str:
    """An item's id, in a column of ``ids`` cells, and its title."""
    number, title = plain(item.id), plain(item.title)
    blanks = " " * (ids - cells(number) + 2)
    return shorten(f"{number}{blanks}{title}".rstrip(), width)
