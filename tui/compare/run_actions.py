"""What can be done with the runs of the comparison: mark, copy, note, tag, delete, set beside."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from textual import work
from textual.screen import Screen

from engine.analysis.comparison import Aggregate, Column, short_spread_text
from engine.lifecycle import allows
from engine.store.compare.grouping import Choice
from engine.store.tags import parse_tags
from tui.compare.deletions import Deletions
from tui.compare.page import Line, Page, cell_text
from tui.shell.text import count, plain
from tui.widgets.table import PagedTable

if TYPE_CHECKING:
    from tui.lab import Lab


class RunActions(Screen[None]):
    """The half of the comparison that acts on runs; the other half shows them."""

    app: Lab

    def __init__(self) -> None:
        super().__init__()
        self.marked: dict[str, Line] = {}
        self.deletions = Deletions()

    # What the other half provides

    @property
    def table(self) -> PagedTable:
        """The table of all runs."""
        raise NotImplementedError

    @property
    def page(self) -> Page | None:
        """What was read last."""
        raise NotImplementedError

    @property
    def choice(self) -> Choice:
        """Which runs are compared."""
        raise NotImplementedError

    @property
    def aggregate(self) -> Aggregate:
        """How a run's epochs become one figure."""
        raise NotImplementedError

    @property
    def shown_columns(self) -> tuple[Column, ...]:
        """Columns of the table, in order."""
        raise NotImplementedError

    @property
    def line_under_cursor(self) -> Line | None:
        """The run or cell under the cursor, while it is in sight."""
        raise NotImplementedError

    def read_again(self) -> None:
        """Read again what is in sight."""
        raise NotImplementedError

    def show_marks(self) -> None:
        """Draw again which lines are marked."""
        raise NotImplementedError

    def show_status(self) -> None:
        """Draw the line at the top right again."""
        raise NotImplementedError

    # Marks

    def action_mark(self) -> None:
        """Mark the line under the cursor, or don't, and go on to the next."""
        line = self.line_under_cursor
        if line is None:
            return
        if self.marked.pop(line.key, None) is None:
            self.marked[line.key] = line
        self.show_marks()
        self.table.action_move(1)

    def unmark(self) -> None:
        """Nothing is marked any more."""
        if self.marked:
            self.marked.clear()
            self.show_marks()

    def _runs_meant(self) -> list[Line]:
        """The runs that are marked; without any, the one under the cursor. No cells."""
        lines = list(self.marked.values())
        if not lines and (line := self.line_under_cursor) is not None:
            lines = [line]
        if any(line.run is None for line in lines):
            self.notify("This is for runs: enter unfolds a cell.", severity="warning", timeout=4)
            return []
        return lines

    def action_diff(self) -> None:
        """Set the two marked lines beside each other."""
        from tui.results.diff import DiffScreen, RunOrCell

        if len(self.marked) == 2:
            marked = self.marked.values()
            left, right = (RunOrCell(line.key, line.run is None) for line in marked)
            self.app.push_screen(DiffScreen(left, right, self.choice, self.aggregate))

    # Copies

    def action_copy(self) -> None:
        """Put the value under the cursor on the clipboard, with every digit."""
        line, chosen = self.line_under_cursor, self.table.cursor_column
        if line is None or chosen is None:
            return
        column = next(entry for entry in self.shown_columns if entry.source == chosen.key)
        self._copied(self._text(line, column))

    def action_copy_row(self) -> None:
        """Put the line under the cursor on the clipboard, tabs between the columns."""
        line = self.line_under_cursor
        if line is not None:
            texts = [self._text(line, column) for column in self.shown_columns]
            self._copied("\t".join(texts), "the row")

    def _text(self, line: Line, column: Column) -> str:
        if line.run is not None:
            value = line.run[column.source]
            if column.name in ("tags", "queued"):
                return cell_text(value, column)
            return plain("" if value is None else str(value))
        spread = self.page.figures.get(line.cell, {}).get(column.source) if self.page else None
        if column.name == "seed":
            return str(line.seeds)
        if spread is not None:
            return short_spread_text(spread, column.kind)
        place = self.shown_columns.index(column)
        row = self.table.cursor_row
        return row.cells[place].text if row is not None else ""

    def _copied(self, text: str, what: str = "") -> None:
        self.app.copy_to_clipboard(text)
        self.notify(f"Copied {what or plain(text, 40)}", timeout=2)

    def action_copy_command(self) -> None:
        """Put the command that launches the run again on the clipboard."""
        line = self.line_under_cursor
        if line is not None and line.run is not None:
            self._read_command(line.key)
        elif line is not None:
            self.notify("This is for runs: enter unfolds a cell.", severity="warning", timeout=4)

    @work(thread=True, group="command", exit_on_error=False)
    def _read_command(self, run: str) -> None:
        from engine.analysis.relaunch import relaunch_command
        from engine.errors import UserError
        from engine.store.queries import run_spec

        try:
            with closing(self.app.reader()) as con:
                spec = run_spec(con, run).model_dump(mode="json")
        except (UserError, sqlite3.Error) as error:
            self._tell(str(error))
            return
        command = plain(relaunch_command(spec, self.app.catalogue))
        self.app.call_from_thread(self._copied, command, "the relaunch command")

    # Notes and tags

    def action_note(self) -> None:
        """Write a note about the run under the cursor."""
        from tui.results.note import NoteScreen

        line = self.line_under_cursor
        if line is None or line.run is None:
            return
        run = line.key

        def written(note: str | None) -> None:
            if note is not None:
                self._ask_store(lambda: self._set_note(run, note))

        self._with_row(run, lambda row: self.app.push_screen(NoteScreen(str(row["note"])), written))

    def _set_note(self, run: str, note: str) -> None:
        from engine.store.requests import set_note

        set_note(self.app.location, run, note)

    def action_tags(self) -> None:
        """Give the marked runs, or the one under the cursor, tags or take them away."""
        from tui.compare.tags import TagsScreen

        runs = [line.key for line in self._runs_meant()]
        if not runs:
            return

        def ask(rows: list[dict[str, object]]) -> None:
            tags = [parse_tags(row["tags"]) for row in rows]
            common = [tag for tag in tags[0] if all(tag in others for others in tags)]
            self.app.push_screen(TagsScreen(common, len(runs)), lambda new: answered(common, new))

        def answered(common: list[str], new: tuple[str, ...] | None) -> None:
            if new is not None:
                gone = [tag for tag in common if tag not in new]
                self._ask_store(lambda: self._change_tags(runs, new, gone))

        self._with_rows(runs, ask)

    def _change_tags(self, runs: list[str], add: tuple[str, ...], remove: list[str]) -> None:
        from engine.store.requests import change_tags

        change_tags(self.app.location, runs, add, remove)

    def _with_row(self, run: str, then: Callable[[dict[str, object]], object]) -> None:
        self._with_rows([run], lambda rows: then(rows[0]))

    @work(thread=True, group="rows", exit_on_error=False)
    def _with_rows(
        self, runs: list[str], then: Callable[[list[dict[str, object]]], object]
    ) -> None:
        """Go on with what people wrote about some runs, whether it is shown or not."""
        from engine.errors import UserError
        from engine.store.compare.comparison import runs_by_id

        try:
            with closing(self.app.reader()) as con:
                found = runs_by_id(con, ["note", "tags"], runs)
        except (UserError, sqlite3.Error) as error:
            self._tell(str(error))
            return
        rows = [{"note": note, "tags": tags} for note, tags in found]
        if rows:
            self.app.call_from_thread(then, rows)

    def action_import(self) -> None:
        """Take in runs from a file or folder."""
        from tui.compare.importing import ImportScreen

        self.app.push_screen(ImportScreen())

    # Deleting

    def action_delete(self) -> None:
        """Take runs out of sight; they are deleted when the time to take it back is over."""
        lines = self._runs_meant()
        busy = [line for line in lines if line.run and not allows(str(line.run["state"]), "delete")]
        if busy:
            self.notify("It is running: cancel it first, on its own page.", severity="warning")
            return
        runs = [line.key for line in lines]
        if len(runs) < 2:
            self._delete(runs)
            return
        from tui.dialogs.ask import AskScreen

        def answered(yes: bool | None) -> None:
            if yes:
                self._delete(runs)

        question = f"Delete the {count(len(runs), 'marked run')}?\n\nTheir folders go with them."
        self.app.push_screen(AskScreen("Delete", question, "Delete"), answered)

    def _delete(self, runs: list[str]) -> None:
        if not runs:
            return
        self.deletions.add(runs, time.monotonic())
        for run in runs:
            self.marked.pop(run, None)
        if len(self.deletions.waiting) == 1:
            self._tick()
        self.refresh_bindings()
        self.read_again()

    def action_undo(self) -> None:
        """Take the newest deletion back."""
        if runs := self.deletions.take_back():
            self.notify(f"{count(len(runs), 'run')} back again", timeout=2)
            self.refresh_bindings()
            self.show_status()
            self.read_again()

    def undo_text(self) -> str | None:
        """What is deleted soon, and how to prevent it."""
        left = self.deletions.left(time.monotonic())
        if left is None:
            return None
        runs = sum(len(one.runs) for one in self.deletions.waiting)
        return f"{count(runs, 'run')} deleted: u takes it back ({left:.0f} s)"

    def _tick(self) -> None:
        """Once a second, while something can be taken back."""
        if due := self.deletions.take_due(time.monotonic()):
            self._ask_store(lambda: self._request_deletion(due))
            self.refresh_bindings()
        self.show_status()
        if self.deletions.waiting:
            self.set_timer(1.0, self._tick)

    def on_unmount(self) -> None:
        """Whoever leaves the app means what they deleted. A terminal that is lost leaves by a
        signal, doesn't come by here, and so deletes nothing."""
        due = self.deletions.take_due(float("inf"))
        if due:
            from engine.errors import UserError
            from engine.supervisor.start import ensure_supervisor

            try:
                self._request_deletion(due)
                ensure_supervisor(self.app.location, self.app.config_dir)
            except (UserError, OSError, sqlite3.Error):
                return  # they stay

    def _request_deletion(self, runs: list[str]) -> None:
        from engine.errors import UsageError
        from engine.store.requests import request_delete

        try:
            for run in runs:
                try:
                    request_delete(self.app.location, [run])
                except UsageError:
                    continue  # somebody else deleted it meanwhile
        finally:
            self.deletions.leaving -= set(runs)

    # The store

    @work(thread=True, group="wish", exit_on_error=False)
    def _ask_store(self, ask: Callable[[], None]) -> None:
        from engine.errors import UserError

        try:
            ask()
        except (UserError, sqlite3.Error) as error:
            self._tell(str(error))
            return
        self.app.call_from_thread(self.app.look_after_queue)

    def _tell(self, sentence: str) -> None:
        self.app.call_from_thread(self.notify, sentence, severity="error")
