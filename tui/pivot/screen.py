"""The comparison in the reference table's form: cells by model, data set and length, with maxima,
published figures and what is known of the cell under the cursor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from tui.lab import Lab
from tui.messages import CatalogueLoaded, StoreChanged
from tui.pivot import panel, words
from tui.pivot import rows as pivot_rows
from tui.pivot.export import PivotExport
from tui.pivot.keys import ON_ROWS, PIVOT
from tui.pivot.reading import (
    Aggregate,
    Choice,
    PivotRow,
    Shown,
    UserIntervals,
    read_cell,
    read_pivot,
)
from tui.results.acting import copy, show_or_say
from tui.results.diff import DiffScreen
from tui.results.diff_text import RunOrCell
from tui.results.export import ExportScreen
from tui.results.keys import IMPORTED
from tui.results.words import NONE_IMPORTED, mark_topics, next_aggregate
from tui.shell.bindings import bindings_for
from tui.shell.keys import UNDO
from tui.shell.reading import Reading
from tui.shell.text import PARAGRAPH, plain
from tui.shell.typed_ahead import TypedAhead
from tui.widgets.header import Header
from tui.widgets.key_bar import LOW, KeyBar
from tui.widgets.table import PagedTable

_Read = tuple[int, Choice, str]
"""What intervals are read of: how often runs had ended or gone by then, the choice, the cell."""

_REST_SECONDS = 0.1
"""How long the cursor rests on a cell before its test users are looked at."""


class PivotScreen(Screen[None]):
    """The cells of the runs that are done and match the filter. Keys in `tui.pivot.keys`."""

    AREA = "pivot"
    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "PagedTable"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (LOW, "-tall")]  # noqa: RUF012
    BINDINGS = bindings_for("pivot", (IMPORTED, *PIVOT, UNDO))  # type: ignore[assignment]

    app: Lab

    def __init__(self, choice: Choice, aggregate: Aggregate) -> None:
        super().__init__()
        self._choice = replace(choice, aggregate=aggregate)
        self._aggregate: Aggregate = aggregate
        self._shown: Shown | None = None
        self._sight: list[PivotRow] = []
        self._offer = pivot_rows.columns_offer()
        self._names = self._offer.recall()
        self._columns: tuple[str, ...] = ()
        """Names of the columns of figures that are in the table."""
        self._folded: set[pivot_rows.Fold] = set()
        self._depth = 0
        self._reference = False
        self._marked: dict[str, PivotRow] = {}
        self._intervals: dict[_Read, UserIntervals | str] = {}
        self._age = 0
        """How often runs have ended or gone."""
        self._counts: dict[str, int] = {}
        self._pivot = Reading(self, self._take_pivot, self._say)
        self._cell = Reading(self, self._take_cell, self._take_cell)
        self._cell_asked: _Read | None = None
        self.table = PagedTable(pivot_rows.table_columns(), id="pivot")
        self.typed_ahead = TypedAhead(self, self._pivot, ON_ROWS, self.table)

    def compose(self) -> ComposeResult:
        yield Header("compare")
        yield Static(id="status", markup=False)
        yield self.table
        yield Static("Reading …", id="empty", markup=False)
        yield Static(id="apart", markup=False)
        yield Static(id="cell", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        self.table.display = False
        self._counts = dict(self.app.snapshot.counts)
        self._show_status()
        self._read()

    def on_resize(self) -> None:
        self._show_status()
        self.call_after_refresh(self._show_cell)

    # What is read

    def on_store_changed(self, event: StoreChanged) -> None:
        """Read again if runs have ended or gone: epochs of those that run make no difference."""
        counts = dict(event.snapshot.counts)
        if counts != self._counts:
            self._counts = counts
            self._age += 1
            self._intervals.clear()
            self._read()

    def on_catalogue_loaded(self, _: CatalogueLoaded) -> None:
        """Read again: published figures and recipes are part of the configuration."""
        self._read()

    def _read(self) -> None:
        choice, catalogue = self._choice, self.app.catalogue
        read = partial(
            read_pivot, self.app.location, choice, self._aggregate, catalogue, self._names
        )
        self._pivot.ask(read, subject=choice)

    def _take_pivot(self, shown: Shown) -> None:
        self._shown = shown
        self._say("" if shown.rows else words.why_empty(self._choice))
        apart = self.query_one("#apart", Static)
        apart.update(Content(plain(shown.apart, PARAGRAPH)))
        apart.set_class(bool(shown.apart), "-told")
        self._draw()

    def _say(self, sentence: str) -> None:
        """Show a sentence in place of the table, or the table where it is empty."""
        show_or_say(self, self.table, sentence)

    # What is shown

    def _draw(self, *, fit: bool = False) -> None:
        """Draw the rows in sight; ``fit`` makes the columns as wide as these need."""
        if self._shown is None:
            return
        self._sight = pivot_rows.in_sight(self._shown.rows, self._folded, reference=self._reference)
        columns = pivot_rows.columns_shown(self._all_rows(), self._shown.found.names)
        if fit or columns != self._columns:
            self._columns = columns
            self.table.set_columns(pivot_rows.table_columns(columns))
        self._supply(follow=True)
        self._show_status()
        self._show_cell()
        self.refresh_bindings()

    def _supply(self, *, follow: bool) -> None:
        start, size = self.table.window
        # Where the cursor's row went is known only if that row is among those given.
        if follow and (index := self._index_of(self.table.cursor_key)) is not None:
            start, size = min(start, index), max(start + size, index + 1) - min(start, index)
        shown = self._shown or Shown(self._choice)
        leaders_, names, columns = shown.leaders, shown.found.names, self._columns
        sight = self._sight[start : start + size]
        rows = pivot_rows.table_rows(sight, leaders_, self._folded, self._marked, names, columns)
        pinned = pivot_rows.floor_rows(shown.found.floor_rows, leaders_, names, columns)
        self.table.show(len(self._sight), start, rows, follow=follow, pinned=pinned)

    def _index_of(self, key: str | None) -> int | None:
        keys = map(pivot_rows.row_key, self._sight)
        return next((index for index, each in enumerate(keys) if each == key), None)

    @on(PagedTable.RowsWanted)
    def _rows_wanted(self) -> None:
        self._supply(follow=False)

    def _show_status(self) -> None:
        marked, room = len(self._marked), self.size.width - 2
        content = words.status_content(self._shown, self._choice, self._aggregate, marked, room)
        self.query_one("#status", Static).update(content)

    # The cell under the cursor

    @property
    def row_under_cursor(self) -> PivotRow | None:
        """The row under the cursor, if any is in sight."""
        index = self.table.cursor_index
        return self._sight[index] if self.table.display and index < len(self._sight) else None

    @property
    def cell_under_cursor(self) -> PivotRow | None:
        """The cell under the cursor, or the one below which the cursor stands."""
        row = self.row_under_cursor
        if row is None or row.level in ("model", "dataset", "total"):
            return None
        above = self._sight[: self.table.cursor_index + 1]
        return next((each for each in reversed(above) if each.is_cell), None)

    @on(PagedTable.CursorMoved)
    def _cursor_moved(self) -> None:
        self._show_cell()

    def _show_cell(self) -> None:
        row, box = self.cell_under_cursor, self.query_one("#cell", Static)
        box.border_title = Content(panel.panel_title(row)) if row else None
        if row is None or self._shown is None:
            box.update(Content.styled(panel.TOTALS if self.row_under_cursor else "", panel.MUTED))
            return
        intervals = self._intervals.get(self._place(row.cell))
        metrics = self._shown.found.inflation.get(row.cell, {})
        box.update(panel.panel_content(metrics, intervals, box.content_size.width))
        if intervals is None:
            self.set_timer(_REST_SECONDS, lambda: self._look_at(row.cell))

    def _look_at(self, cell: str) -> None:
        row, place = self.cell_under_cursor, self._place(cell)
        if row is None or row.cell != cell or place in {*self._intervals, self._cell_asked}:
            return
        self._cell_asked = place
        self._cell.ask(partial(read_cell, self.app.location, self._choice, cell), subject=place)

    def _place(self, cell: str) -> _Read:
        """Under what the intervals of a cell are kept."""
        return self._age, self._choice, cell

    def _take_cell(self, found: UserIntervals | str) -> None:
        if self._cell_asked is not None:
            self._intervals[self._cell_asked], self._cell_asked = found, None
        self._show_cell()

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer an action only where it has something to act on."""
        return None if action == "diff" and len(self._marked) != 2 else True

    def action_fold(self) -> None:
        """Fold the model or data set under the cursor, or expand it."""
        row = self.row_under_cursor
        fold = pivot_rows.fold_of(row) if row else None
        if fold is None:
            return
        self._folded ^= {fold}
        if row is not None and row.level not in ("model", "dataset"):
            above = range(self.table.cursor_index, -1, -1)
            self.table.move_to(next(i for i in above if self._sight[i].level == "dataset"))
        self._draw()

    @on(PagedTable.RowOpened)
    def _row_opened(self) -> None:
        self.action_fold()

    def action_fold_level(self) -> None:
        """Show every cell, or data sets, or models alone."""
        self._depth = (self._depth + 1) % len(pivot_rows.FOLDS)
        rows = self._shown.rows if self._shown else ()
        self._folded = pivot_rows.folds_at(rows, self._depth)
        row = self.row_under_cursor
        self._draw()
        if row is not None and self._index_of(pivot_rows.row_key(row)) is None:
            self._move_near(row)

    def _move_near(self, row: PivotRow) -> None:
        """Put the cursor on what a row that is folded away belongs to."""
        for index, each in enumerate(self._sight):
            if each.model == row.model and each.dataset in ("", row.dataset):
                self.table.move_to(index)

    def action_aggregate(self) -> None:
        """Take the next way of aggregating a run's epochs."""
        self._aggregate = next_aggregate(self._aggregate)
        self._choice = replace(self._choice, aggregate=self._aggregate)
        self._columns = ()
        self._show_status()
        self._read()

    def action_columns(self) -> None:
        """Choose the columns and their order."""
        from tui.dialogs.columns import choose_columns

        choose_columns(self.app, self._offer, self._names, self._columns_chosen)

    def _columns_chosen(self, names: tuple[str, ...]) -> None:
        self._names, self._columns = names, ()
        self._read()

    def action_imported(self) -> None:
        """Include imported runs in cells, or leave them out."""
        if not self._choice.imported and (self._shown is None or not self._shown.imported):
            self.notify(NONE_IMPORTED, timeout=3)
            return
        self._choice = replace(self._choice, imported=not self._choice.imported)
        self._read()

    def action_reference(self) -> None:
        """Show or hide the published figures."""
        if self._shown is not None and not self._shown.found.published:
            self.notify("Nothing is published for these cells.", timeout=3)
            return
        self._reference = not self._reference
        self._draw(fit=True)

    def action_mark(self) -> None:
        """Mark the cell under the cursor, or don't."""
        row = self.cell_under_cursor
        if row is None:
            return
        if self._marked.pop(row.cell, None) is None:
            self._marked[row.cell] = row
        self._draw()
        self.table.action_move(1)

    def action_diff(self) -> None:
        """Compare the two marked cells."""
        if len(self._marked) == 2:
            left, right = (RunOrCell(cell, is_cell=True) for cell in self._marked)
            self.app.push_screen(DiffScreen(left, right, self._choice, self._aggregate))

    def action_copy(self) -> None:
        """Put the value under the cursor on the clipboard, with every digit."""
        row, column = self.row_under_cursor, self.table.cursor_column
        if row is None or column is None or self._shown is None:
            return
        copy(self.app, pivot_rows.exact_text(row, column.key, self._shown.found.names))

    def action_copy_all(self) -> None:
        """Put the whole pivot on the clipboard, tabs between the columns."""
        if self._shown is None:
            return
        copy(self.app, pivot_rows.as_tabs(self._all_rows(), self._shown.found.names), "the pivot")

    def _all_rows(self) -> Sequence[PivotRow]:
        rows = self._shown.rows if self._shown else ()
        return pivot_rows.in_sight(rows, (), reference=self._reference)

    def action_export(self) -> None:
        """Write the whole pivot to a file."""
        if self._shown is None or not self._shown.rows:
            self.notify("There is no cell to export.", timeout=3)
            return
        rows = pivot_rows.in_sight(self._shown.found.rows, (), reference=self._reference)
        self.app.push_screen(
            ExportScreen(PivotExport(tuple(rows), self._shown.found.names, self._choice))
        )

    def help_topics(self) -> Iterator[tuple[str, str]]:
        """Explain the column under the cursor, which help says first, and the cell's marks."""
        chosen = self.table.cursor_column
        if chosen is not None:
            yield from words.column_topics(chosen.key, self._aggregate, self._names)
        if (cell := self.cell_under_cursor) is not None:
            yield from mark_topics(cell.marks, of_cell=True)
