"""Deleting runs of the comparison, after a question if they took long or have notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from engine.lifecycle import allows
from engine.store.costs.runs import Spent
from engine.store.requests import request_delete
from tui.compare.page import CompareRow
from tui.compare.reading import read_spent
from tui.dialogs.ask import AskScreen
from tui.lab import Lab
from tui.shell.text import count, duration, plain

LONG_SECONDS = 600.0
"""Seconds of training from which a run is deleted only after a question."""


class Deleting:
    """Asks the store to delete runs, which are out of sight at once.

    Args:
        hidden_changed: takes runs out of sight, or brings them back.

    Attributes:
        hidden: ids of the runs that the store is being asked to delete; once it is asked, whoever
            reads it leaves them out.
    """

    def __init__(self, app: Lab, hidden_changed: Callable[[], object]) -> None:
        self._app = app
        self._hidden_changed = hidden_changed
        self.hidden: tuple[str, ...] = ()

    def ask(self, rows: Sequence[CompareRow]) -> None:
        """Delete runs, after asking where they are several, trained for long or have notes."""
        if any(row.run and not allows(str(row.run["state"]), "delete") for row in rows):
            busy = "It is running: cancel it on its page first."
            self._app.notify(busy, severity="warning")
        elif runs := [row.key for row in rows]:
            self._app.read_to_open(
                partial(read_spent, self._app.location, runs), partial(self._ask, runs)
            )

    def _ask(self, runs: Sequence[str], spent: Spent) -> None:
        if len(runs) == 1 and spent.seconds <= LONG_SECONDS and not spent.notes:
            self._delete(runs)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._delete(runs)

        self._app.push_screen(AskScreen("Delete", question(runs, spent), "Delete"), answered)

    def _delete(self, runs: Sequence[str]) -> None:
        self.hidden = tuple(sorted({*self.hidden, *runs}))
        self._hidden_changed()
        location = self._app.location
        self._app.carry_out(
            lambda: request_delete(location, runs), lambda _: self._asked(runs), self._failed
        )

    def _asked(self, runs: Sequence[str]) -> None:
        self._app.look_after_queue()
        self._app.notify(f"{count(len(runs), 'run')} deleted: u brings {_them(runs)} back")
        self._show_again()

    def _failed(self, sentence: str) -> None:
        self._app.notify(sentence, severity="error")
        self._show_again()

    def _show_again(self) -> None:
        self.hidden = ()
        self._hidden_changed()


def question(runs: Sequence[str], spent: Spent) -> str:
    """Ask whether to delete runs, and say how long they trained and which have notes."""
    one = len(runs) == 1
    which = f"this run?\n\n{plain(runs[0])}" if one else f"the {count(len(runs), 'marked run')}?\n"
    told = []
    if spent.seconds:
        told.append(f"trained for {duration(spent.seconds)}")
    if spent.notes:
        told.append("has a note" if one else f"{spent.notes:,} of them have notes")
    lines = [f"Delete {which}"]
    if told:
        lines.append(f"{'It' if one else 'They'} {' and '.join(told)}.")
    return "\n".join([*lines, f"Press u within 30 days to bring {_them(runs)} back."])


def _them(runs: Sequence[str]) -> str:
    return "it" if len(runs) == 1 else "them"
