"""The field in which the comparison's filter is typed, and its language in a few lines; all of it
is in docs/queries.md."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from engine.analysis.columns.definitions import Aggregate
from engine.store.compare.filter_typing import applied, completed
from tui.compare.view import filter_problem
from tui.widgets.field import Field

_HINT, _LONG_HINT = "/ filter", "/ filter, such as model:sasrec ndcg>0.1"

FILTER_HELP = (
    ("word", "in the id, model, data set, length, state, profile, suite, note or tags"),
    ("model:sas", "the field contains it; also dataset, state, profile, suite, note, run, …"),
    ("dataset:ml-*", "matches the whole field; model=sasrec is exact"),
    ("seed:1,2", "either one"),
    ("ndcg>0.16", "also recall hit mrr, valid_ndcg, ndcg_masked, loss, params, epochs"),
    ("lr<0.001", "any setting: dropout:0.3, norm:pre, batch_size>=128, tied:true"),
    ("age<2d", "queued in the last two days; s m h d w"),
    ("tag:paper", "has that tag"),
    ("mark:* origin:*", "needs care (shared, still-improving, …); came from another program"),
    ("-state:failed", "the runs that it doesn't match"),
    ("a OR b", "either of the two next to it; all other terms must hold"),
    ('"two words"', "matched literally, with the space"),
    ("", "full syntax: docs/queries.md"),
)
"""What to write, and which runs it finds."""


class FilterField(Field):
    """The field for a filter, which is applied as it is typed.

    Attributes:
        aggregate: how epochs become one value, for ``ndcg`` and the like.
        said: what is wrong with the filter, or which names may be completed; empty if nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete a field's name", show=False)
    ]

    class Applied(Message):
        """Tell that the table should show other runs, or that ``said`` has changed.

        Attributes:
            filter: what runs must have; None to leave the table as it is.
        """

        def __init__(self, filter: str | None) -> None:  # noqa: A002
            super().__init__()
            self.filter = filter

    def __init__(self, text: str = "") -> None:
        super().__init__(text, placeholder=_HINT, id="filter", compact=True)
        self.aggregate: Aggregate = "best"
        self.said = ""

    def watch_value(self, value: str) -> None:
        """Apply what is typed, but for a last word that begins a field's name."""
        self._apply(applied(value) if self.has_focus else value)

    def apply_all(self) -> None:
        """Apply the filter to its last word."""
        self._apply(self.value)

    def _apply(self, text: str) -> None:
        self.said = filter_problem(text, self.aggregate)
        self.post_message(self.Applied(None if self.said else text))

    def action_complete(self) -> None:
        """Complete the name of a field; go on to the next field if there is none."""
        text, names = completed(self.value[: self.cursor_position])
        if not names:
            self.screen.focus_next()
            return
        rest = self.value[self.cursor_position :]
        self.value, self.cursor_position = text + rest, len(text)
        if len(names) > 1:
            self.said = " ".join(names)
            self.post_message(self.Applied(None))

    def on_resize(self) -> None:
        """Give an example where that has room: cut, it would look like a filter that is there."""
        room = self.content_size.width > len(_LONG_HINT)
        self.placeholder = _LONG_HINT if room else _HINT
