"""Every run in one table: sorted and filtered by the store, the reference figures beside ours.

Imported inside functions are the larger screens that are opened from here: the table would else
wait for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal

from tui.compare.annotating import Annotating
from tui.compare.columns import column_topics, columns_offer, source_of, table_columns
from tui.compare.copying import Copying
from tui.compare.deletions import Deleting
from tui.compare.drawing import Drawing
from tui.compare.filter_field import FILTER_HELP, FilterField
from tui.compare.kept import keep_baseline, view_at_first
from tui.compare.keys import COMPARE, ON_ROWS
from tui.compare.opening import open_diff, open_export, open_import, open_report, open_scatter
from tui.compare.page import Page, PageRequest
from tui.compare.reading import Choice, PageReader
from tui.compare.reference import ReferencePanel
from tui.compare.selection import Selection, only_runs
from tui.compare.status import NO_RUNS, StatusLine, usual_status, why_empty
from tui.compare.view import View
from tui.lab import Lab
from tui.messages import CatalogueLoaded, StoreChanged
from tui.results.acting import show_or_say
from tui.results.words import NONE_IMPORTED, mark_topics, next_aggregate
from tui.shell.bindings import bindings_for
from tui.shell.keys import UNDO
from tui.shell.reading import Reading
from tui.shell.typed_ahead import TypedAhead
from tui.widgets.field import Field
from tui.widgets.ground import FullScreen
from tui.widgets.header import Header
from tui.widgets.key_bar import LOW, KeyBar
from tui.widgets.table import PagedTable
from tui.widgets.text_box import TextBox

if TYPE_CHECKING:
    from tui.compare.views import Views


class CompareScreen(FullScreen):
    """The comparison. Keys in `tui.compare.keys`."""

    AREA = "compare"
    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "PagedTable"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (LOW, "-tall")]  # noqa: RUF012
    HELP_SECTIONS = (
        ("The filter", FILTER_HELP),
        ("The pivot", "pivot"),
        ("The scatter plot", "scatter"),
    )
    BINDINGS = bindings_for("compare", (*COMPARE, UNDO))  # type: ignore[assignment]

    app: Lab

    def __init__(self) -> None:
        super().__init__()
        self._view = view_at_first(self.app.location)
        self._field = FilterField()
        self._status = StatusLine()
        self.table = PagedTable(table_columns(self._view.columns), id="runs")
        self._drawing = Drawing(self.table)
        self._reference = ReferencePanel()
        self.selection = Selection(self.table)
        fail = partial(self.notify, severity="error")
        self._annotating = Annotating(self.app)
        self._copying = Copying(self.app, self.table, self.selection, fail)
        self.deleting = Deleting(self.app, self._hidden_changed)
        self._page_reader = PageReader(self.app.location)
        self._pages = Reading(self, self._take_page, self._say)
        self.typed_ahead = TypedAhead(self, self._pages, ON_ROWS, self.table, self._has_rows)

    def compose(self) -> ComposeResult:
        yield Header("compare")
        with Horizontal(id="bar"):
            yield self._field
            yield self._status
        yield self.table
        yield TextBox(id="empty")
        yield self._reference
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#empty").display = False
        self.table.set_sort(self._view.sort.source, self._view.descending)
        self.table.move_to_key(self._view.sort.source)

    def on_unmount(self) -> None:
        """Let go of the store."""
        self._page_reader.close()

    # What is read

    @property
    def _choice(self) -> Choice:
        """Which runs are compared."""
        return self._view.choice(self.deleting.hidden)

    def on_store_changed(self, event: StoreChanged) -> None:
        """Read again what is in sight."""
        if event.snapshot.problem:
            self._say(event.snapshot.problem)
        elif not event.snapshot.exists:
            self._say(NO_RUNS)
        else:
            self._read()

    @on(PagedTable.RowsWanted)
    def _rows_wanted(self, event: PagedTable.RowsWanted) -> None:
        self._read((event.start, event.count), follow=False)

    def _read(self, window: tuple[int, int] | None = None, *, follow: bool = True) -> None:
        """Read the rows of a window, or those in sight."""
        if not self.app.snapshot.exists:
            return
        request = PageRequest(
            self._view,
            *(window or self.table.window),
            hidden=self.deleting.hidden,
            version=self.app.snapshot.version,
            follow=follow,
        )
        subject = replace(request, version=0, follow=False)
        page, catalogue = self.selection.page, self.app.catalogue
        self._pages.ask(partial(self._page_reader.read, request, page, catalogue), subject)

    def _has_rows(self) -> bool:
        """Whether the rows that are wanted are shown, as far as there is a store to read."""
        snapshot = self.app.snapshot
        unread = self.selection.page is None and snapshot.exists and not snapshot.problem
        return self._pages.settled and not unread

    def _take_page(self, page: Page) -> None:
        self.selection.page = page
        self._draw(follow=page.request.follow)

    # What is shown

    def _draw(self, *, follow: bool = True) -> None:
        page = self.selection.page
        if page is None:
            return
        self._say("" if page.total else why_empty(page, self.app.snapshot.counts))
        self._drawing.page(page, self._view, self.selection.marked, follow=follow)

    def _say(self, sentence: str) -> None:
        """Show a sentence in place of the table, or the table where it is empty."""
        show_or_say(self, self.table, sentence)
        self._show_status()
        self._show_reference()

    def _show_status(self) -> None:
        self.refresh_bindings()
        every = sum(self.app.snapshot.counts.values())
        page, marked = self.selection.page, len(self.selection.marked)
        width, field = self.size.width, 40 if self._field.value else 20
        room = min(width * 3 // 4, width - field) - 2
        usual = usual_status(page, every, self._view, marked, room)
        self._status.show(self._field.said, usual)
        self.query_one("#bar").set_class(bool(self._field.said), "-said")

    def on_catalogue_loaded(self, _: CatalogueLoaded) -> None:
        """Show published results and name cells again: the configuration has what is published,
        and what recipes give."""
        self._reference.forget()
        self._show_reference()
        if self._view.by_cell:
            self._read()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_reference)  # only then its panel has its new width
        self._show_status()

    @on(PagedTable.CursorMoved)
    def _show_reference(self) -> None:
        self._reference.show(self.selection.row, self.selection.page)

    # The filter

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer an action only where it has something to act on."""
        match action:
            case "clear":
                return bool(self._field.value or self._field.has_focus or self.selection.marked)
            case "diff":
                return True if self.selection.compared else None
            case "imported":
                return True if self._view.by_cell else None
        return True

    def action_filter(self) -> None:
        """Open the filter field."""
        self._field.focus()

    @on(FilterField.Applied)
    def _filter_applied(self, event: FilterField.Applied) -> None:
        if event.filter is not None and event.filter != self._view.filter:
            self._view = replace(self._view, filter=event.filter)
            self._read((0, self.table.window[1]))
        self._show_status()

    @on(Field.Submitted, "#filter")
    def _filter_submitted(self) -> None:
        self._field.apply_all()
        self.table.focus()

    def action_clear(self) -> None:
        """Leave the filter and empty it; where it is empty, take the marks away."""
        if not self._field.value and not self._field.has_focus:
            self.selection.marked.clear()
            self._draw()
        self._field.value = ""
        self.table.focus()

    # Order and columns

    def action_sort(self) -> None:
        """Sort by the column under the cursor; reverse the order if it is sorted by it already."""
        chosen = self.table.cursor_column
        if chosen is not None:
            self._sort_by(chosen.key)

    @on(PagedTable.HeaderClicked)
    def _header_clicked(self, event: PagedTable.HeaderClicked) -> None:
        self._sort_by(event.column.key)

    def _sort_by(self, key: str) -> None:
        self._view = self._view.with_sort(source_of(key))
        self.table.set_sort(self._view.sort.source, self._view.descending)
        self.table.move_to(0)
        self._read(follow=False)

    def action_aggregate(self) -> None:
        """Take the next way of aggregating a run's epochs."""
        self._view = replace(self._view, aggregate=next_aggregate(self._view.aggregate))
        self._field.aggregate = self._view.aggregate
        self._columns_changed()

    def action_cells(self) -> None:
        """Show one row per cell, with mean and deviation over its seeds, or one row per run."""
        self._view = replace(self._view, by_cell=not self._view.by_cell)
        self.selection.marked.clear()
        self._columns_changed(top=True)

    def action_imported(self) -> None:
        """Include imported runs in cells, or leave them out."""
        if self._view.imported or (self.selection.page and self.selection.page.left_out):
            self._view = replace(self._view, imported=not self._view.imported)
            self._read()
        else:
            self.notify(NONE_IMPORTED, timeout=3)

    def _columns_changed(self, *, top: bool = False) -> None:
        self.selection.page = None
        self._drawing.columns(self._view)
        if top:
            self.table.move_to(0)
        self._read(follow=not top)

    def action_columns(self) -> None:
        """Choose the columns and their order."""
        from tui.dialogs.columns import choose_columns

        choose_columns(self.app, columns_offer(), self._view.names, self._columns_chosen)

    def _columns_chosen(self, names: tuple[str, ...]) -> None:
        self._view = replace(self._view, names=names)
        self._columns_changed()

    # Views, and the baseline

    @cached_property
    def _views(self) -> Views:
        from tui.compare.views import Views

        return Views(self.app, self._show_view)

    def action_views(self) -> None:
        """Choose a saved view."""
        self._views.choose()

    def action_save_view(self) -> None:
        """Save what is shown as a view."""
        self._views.save(self._view)

    def _show_view(self, view: View) -> None:
        self._view, self._field.aggregate = view, view.aggregate
        self._field.value = view.filter
        self.selection.marked.clear()
        self._columns_changed(top=True)
        keep_baseline(self.app, view)

    def action_baseline(self) -> None:
        """Show differences to the row under the cursor; to none if it is the baseline."""
        row, page = self.selection.row, self.selection.page
        if row is None or page is None:
            return
        is_pinned = page.pinned is not None and page.pinned.key == row.key
        self._view = replace(self._view, baseline="" if is_pinned else row.key)
        self._read()
        keep_baseline(self.app, self._view)

    # Marked rows, and the one under the cursor

    def action_mark(self) -> None:
        """Mark the row under the cursor, or don't, and go on to the next."""
        self.selection.mark()
        self._draw()
        self.table.action_move(1)

    def action_diff(self) -> None:
        """Compare the two marked rows, or the row under the cursor with the baseline."""
        if compared := self.selection.compared:
            open_diff(self.app, compared, self._choice, self._view)

    def action_copy(self) -> None:
        """Put the value under the cursor on the clipboard, with every digit."""
        self._copying.value(self._view.columns)

    def action_copy_row(self) -> None:
        """Put the row under the cursor on the clipboard, tabs between the columns."""
        self._copying.row(self._view.columns)

    def action_copy_command(self) -> None:
        """Put the command that launches the run again on the clipboard."""
        row = self.selection.row
        for run in only_runs(self, [row] if row else []):
            self._copying.command(run)

    def action_note(self) -> None:
        """Write a note about the run under the cursor."""
        row = self.selection.row
        if row is not None and row.run is not None:
            self._annotating.note(row.key)

    def action_tags(self) -> None:
        """Give the marked runs, or the one under the cursor, tags or take them away."""
        if rows := only_runs(self, self.selection.rows):
            self._annotating.tags([row.key for row in rows])

    def action_delete(self) -> None:
        """Delete the marked runs, or the one under the cursor; `u` brings them back."""
        self.deleting.ask(only_runs(self, self.selection.rows))

    def _hidden_changed(self) -> None:
        self.selection.unmark(self.deleting.hidden)
        self._show_status()
        self._read()

    # Other screens

    def action_import(self) -> None:
        """Take in runs from a file or folder."""
        open_import(self.app)

    def action_export(self) -> None:
        """Write what is shown to a file."""
        open_export(self.app, self._choice, self._view)

    def action_report(self) -> None:
        """Write the report of the runs that the filter leaves."""
        open_report(self.app, self._choice)

    def action_scatter(self) -> None:
        """Plot the column that is sorted by against the one under the cursor."""
        under = self.table.cursor_column
        open_scatter(self.app, self._choice, self._view, under.key if under else "")

    def action_pivot(self) -> None:
        """Show the cells of the runs that match in the reference table's form."""
        self.app.open_pivot(self._choice, self._view.aggregate)

    def action_reference(self) -> None:
        """Show or hide the published results of the cell under the cursor."""
        self._reference.display = not self._reference.display
        self.call_after_refresh(self._show_reference)

    def help_topics(self) -> Iterator[tuple[str, str]]:
        """Explain the column under the cursor, which help says first, and the row's marks."""
        chosen = self.table.cursor_column
        if chosen is not None:
            source = source_of(chosen.key)
            yield from column_topics(self._view.columns, source, self._view.aggregate)
        row, page = self.selection.row, self.selection.page
        if row is not None and page is not None:
            yield from mark_topics(page.marks_of(row).split(), of_cell=row.run is None)

    @on(PagedTable.RowOpened)
    def action_details(self) -> None:
        """Open the run under the cursor, or expand the cell."""
        row = self.selection.row
        if row is not None and row.run is None:
            self._view = replace(self._view, expanded=self._view.expanded ^ {row.key})
            self._read()
        elif row is not None:
            self.app.open_run(row.key)
