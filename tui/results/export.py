"""The comparison as a file: what is shown, filtered and sorted alike, with every column; or its
runs as an archive."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from engine.analysis.comparison import AGGREGATE_MEANING, Column, parse_aggregate
from engine.store.compare.grouping import Choice
from engine.store.location import StoreLocation
from tui.shell.text import PARAGRAPH, count, plain, short_path
from tui.widgets.key_button import KeyButton

if TYPE_CHECKING:
    from tui.lab import Lab


class Export(Protocol):
    """What can be written to a file."""

    @property
    def usual(self) -> str:
        """A file's name to begin with."""

    @property
    def endings(self) -> Sequence[str]:
        """What its name may end in; that chooses the format."""

    def summary(self) -> str:
        """What will be in it, in a few lines."""

    def write(self, con: sqlite3.Connection, path: Path) -> str:
        """Write it, whole or not at all; in words, what was written.

        Raises:
            UserError: the store can't be read.
            OSError: the file can't be written.
        """


FORMAT_OF = {".csv": "csv", ".md": "md", ".json": "json", ".txt": "table"}
"""Formats of `engine.analysis.export` by a file's ending."""

ARCHIVES = (".tar.zst", ".tar.gz")
"""Endings of an archive of runs (`engine.interchange.pack`)."""

USUAL = "comparison.csv"


@dataclass(frozen=True, slots=True)
class Exported:
    """What the table shows.

    Attributes:
        location: the store's.
        choice: which runs, and how epochs become a figure.
        sort: by which column.
        descending: whether its highest comes first.
        by_cell: a row a cell, not a run.
    """

    location: StoreLocation
    choice: Choice
    sort: Column
    descending: bool
    by_cell: bool
    usual: str = USUAL
    endings: tuple[str, ...] = (*FORMAT_OF, *ARCHIVES)

    def summary(self) -> str:
        """Which rows and columns."""
        rows = "A row a cell, mean and deviation over seeds" if self.by_cell else "A row a run"
        choice = self.choice
        parts = [
            f"{rows}; every column, every digit.",
            f"{choice.aggregate.capitalize()}: "
            f"{AGGREGATE_MEANING[parse_aggregate(choice.aggregate)]}.",
            *([f"Only {plain(choice.filter, PARAGRAPH)}"] if choice.filter.strip() else []),
            f"Named {' or '.join(ARCHIVES)}: its runs whole, to be imported elsewhere.",
        ]
        return "\n".join(parts)

    def write(self, con: sqlite3.Connection, path: Path) -> str:
        """Write the file. Raises as `write_export`."""
        if path.name.lower().endswith(ARCHIVES):
            return write_archive(self, path)
        return count(write_export(con, self, path), "cell" if self.by_cell else "run")


def write_export(con: sqlite3.Connection, what: Exported, path: Path) -> int:
    """Write the file, whole or not at all; how many rows it has.

    Raises:
        UserError: the store can't be read.
        OSError: the file can't be written.
    """
    from engine.analysis.comparison import by_cell, compare_rows
    from engine.analysis.export import format_rows
    from engine.atomic import write_atomically
    from engine.store.compare.grouping import counted_runs

    rows = compare_rows(
        con,
        aggregate=what.choice.aggregate,
        filter=what.choice.filter,
        sort=what.sort,
        descending=what.descending,
    )
    rows = [row for row in rows if row["run"] not in what.choice.without]
    if what.by_cell:
        rows = by_cell(rows, counted_runs(con, what.choice))
    write_atomically(path, format_rows(rows, FORMAT_OF[path.suffix.lower()]))
    return len(rows)


def write_archive(what: Exported, path: Path) -> str:
    """Write the runs that have ended as an archive; in words, how many.

    Raises:
        UserError: the store can't be read, the file can't be written, or no run has ended.
    """
    from engine.errors import UserError
    from engine.interchange.pack import pack
    from engine.store.connect import connect_reader

    choice = what.choice
    with closing(connect_reader(what.location)) as con:
        packed = pack(
            con,
            what.location,
            path,
            filter=choice.filter,
            aggregate=choice.aggregate,
            without=choice.without,
        )
    if not packed.runs:
        raise UserError("No run of these has ended: nothing was written.")
    left_out = len(packed.left_out)
    without = f", without {left_out:,} that are not to be had or may change" if left_out else ""
    return f"{count(len(packed.runs), 'run')}{without}"


class ExportScreen(ModalScreen[None]):
    """Asks for the file, and writes it."""

    DEFAULT_CSS = """
    ExportScreen {
        Input { background: $panel; padding: 0 1; margin: 1 0 0 0; }
        #problem { color: $error; }
        .buttons { height: 1; margin-top: 1; }
    }
    """
    BINDINGS = [Binding("escape", "back", "Back", key_display="esc")]  # noqa: RUF012

    app: Lab

    def __init__(self, what: Export) -> None:
        super().__init__()
        self._what = what
        self._over: Path | None = None
        """A file that is there, once its writer knows."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Export"
            yield Static(self._what.summary(), markup=False)
            yield Input(self._what.usual, id="file", compact=True, max_length=1000)
            yield Static("", id="where", classes="muted", markup=False)
            yield Static("", id="problem", markup=False)
            with Horizontal(classes="buttons"):
                yield KeyButton("⏎", "Write", id="write", main=True)
                yield KeyButton("esc", "Back", id="back")

    @property
    def _path(self) -> Path:
        return Path(self.query_one("#file", Input).value.strip()).expanduser()

    @on(Input.Changed)
    def _changed(self) -> None:
        self._over = None
        self.query_one("#where", Static).update(f"{short_path(self._path.absolute(), 66)}")
        self._tell("")

    def _tell(self, problem: str) -> None:
        line = self.query_one("#problem", Static)
        line.update(plain(problem, PARAGRAPH))
        line.display = bool(problem)

    def _refused(self) -> str:
        """Why this can't be the file; empty if it can."""
        path = self._path
        if not path.name.lower().endswith(tuple(self._what.endings)):
            return f"End its name in {', '.join(self._what.endings)}: that chooses the format."
        if path.is_dir():
            return "That is a folder: name a file in it."
        if path.exists() and path != self._over:
            self._over = path
            return "There is such a file: enter again writes over it."
        return ""

    @on(Input.Submitted)
    @on(KeyButton.Pressed, "#write")
    def _submitted(self) -> None:
        if problem := self._refused():
            self._tell(problem)
        else:
            self._write(self._path)

    @work(thread=True, exclusive=True, group="export", exit_on_error=False)
    def _write(self, path: Path) -> None:
        from engine.errors import UserError

        try:
            with closing(self.app.reader()) as con:
                written = self._what.write(con, path)
        except OSError as error:
            problem = f"{short_path(path)} can't be written: {error.strerror or error}."
            self.app.call_from_thread(self._tell, problem)
        except (UserError, sqlite3.Error) as error:
            self.app.call_from_thread(self._tell, str(error))
        else:
            self.app.call_from_thread(self._written, path, written)

    def _written(self, path: Path, what: str) -> None:
        self.notify(f"{what} in {short_path(path.absolute(), 60)}", title="Written")
        if self.is_current:
            self.dismiss()

    @on(KeyButton.Pressed, "#back")
    def action_back(self) -> None:
        """Write nothing."""
        self.dismiss()
