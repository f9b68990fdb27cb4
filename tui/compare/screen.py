"""Every run in one table: sorted and filtered by the store, the reference figures beside ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from engine.analysis.comparison import SORT, Aggregate, Column
from engine.analysis.reference import alike_sources
from engine.store.compare.grouping import Choice
from tui.compare.columns import TOPIC, every_column, known, screen_columns, table_columns
from tui.compare.help import FILTER_HELP
from tui.compare.keys import COMPARE
from tui.compare.messages import LeadersRead, PageRead, ReadFailed
from tui.compare.page import Drawn, Leaders, Line, Page, Request, table_rows
from tui.compare.reader import PageReader
from tui.compare.reference import ReferencePanel
from tui.compare.run_actions import RunActions
from tui.compare.status import NO_RUNS, usual_status, why_empty
from tui.messages import CatalogueLoaded, PivotWanted, RunWanted, StoreChanged
from tui.results.imported import NONE_IMPORTED
from tui.shell import remembered
from tui.shell.bindings import bindings_for
from tui.shell.text import PARAGRAPH, plain
from tui.widgets.header import Header
from tui.widgets.key_bar import KeyBar
from tui.widgets.table import PagedTable
from tui.widgets.text_box import TextBox

_CYCLE: tuple[Aggregate, ...] = ("best", "max", "last", "mean")
_FILTER_HINT, _LONG_HINT = "/ filter", "/ filter, such as model:sasrec ndcg>0.1"


class CompareScreen(RunActions):
    """The comparison. Keys in `tui.compare.keys`."""

    AREA = "compare"
    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "PagedTable"
    HELP_SECTIONS = (
        ("The filter", FILTER_HELP),
        ("The pivot", "pivot"),
        ("The scatter plot", "scatter"),
    )
    BINDINGS = bindings_for("compare", COMPARE)  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self._aggregate: Aggregate = "best"
        self._names = known(remembered.recall(TOPIC).get("columns"))
        self._sort = every_column("best")[SORT]
        self._descending = True
        self._grouped = False
        self._imported = False
        self._expanded: frozenset[str] = frozenset()
        self._shown = screen_columns(self._aggregate, self._names)
        self._page: Page | None = None
        self._drawn = Drawn()
        self._leaders: Leaders = {}
        self._leaders_of: object = None
        self._filter = ""
        self._filter_problem = ""
        self._reader = PageReader(lambda: self.app.reader())

    def compose(self) -> ComposeResult:
        yield Header("compare")
        with Horizontal(id="bar"):
            yield Input(placeholder=_FILTER_HINT, id="filter", compact=True)
            yield Static(id="status", markup=False)
        yield PagedTable(table_columns(self._shown), id="runs")
        yield TextBox(id="empty")
        yield ReferencePanel()
        yield KeyBar()

    @property
    def table(self) -> PagedTable:
        return self.query_one(PagedTable)

    def on_mount(self) -> None:
        self.query_one("#empty").display = False
        self.table.set_sort(self._sort.source, self._descending)
        if self._sort in self._shown:
            self.table.move_to_column(self._shown.index(self._sort))

    def on_unmount(self) -> None:
        """Let go of the store."""
        self._reader.close()

    # What is read

    @property
    def choice(self) -> Choice:
        """Which runs are compared."""
        return Choice(self._filter, self._aggregate, self.deletions.hidden, self._imported)

    def on_store_changed(self, event: StoreChanged) -> None:
        """Read again what is in sight."""
        if event.snapshot.problem:
            self._say(event.snapshot.problem)
        elif not event.snapshot.exists:
            self._say(NO_RUNS)
        else:
            self.read_again()

    def read_again(self) -> None:
        """Read again what is in sight, and what is best."""
        self._read(*self.table.window, follow=True)
        self._read_leaders()

    @on(PagedTable.RowsWanted)
    def _rows_wanted(self, event: PagedTable.RowsWanted) -> None:
        self._read(event.start, event.count, follow=False)

    def _read(self, start: int, number: int, *, follow: bool) -> None:
        if not self.app.snapshot.exists:
            return
        sources = dict.fromkeys(["id", "origin", "marks", *(entry.source for entry in self._shown)])
        sources |= dict.fromkeys(self._reference_sources())
        request = Request(
            sources=tuple(sources),
            sort=self._sort.source,
            descending=self._descending,
            choice=self.choice,
            start=start,
            count=number,
            grouped=self._grouped,
            expanded=self._expanded,
            version=self.app.snapshot.version,
        )
        self._read_page(request, self._page, follow)

    @work(thread=True, exclusive=True, group="page", exit_on_error=False)
    def _read_page(self, request: Request, before: Page | None, follow: bool) -> None:
        from engine.errors import UserError

        worker = get_current_worker()
        try:
            page = self._reader.read(request, before, lambda: worker.is_cancelled)
        except (UserError, sqlite3.Error) as error:
            self.post_message(ReadFailed(str(error)))
            return
        if page is not None and not worker.is_cancelled:
            self.post_message(PageRead(page, follow=follow))

    def _read_leaders(self) -> None:
        own = replace(self.choice, imported=False)  # imported cells lead in nothing
        choice = own if self._grouped else Choice(aggregate=self._aggregate)
        wanted = (self.app.snapshot.version, choice, self._shown, self._grouped)
        if wanted != self._leaders_of:
            self._leaders_of = wanted
            self._find_leaders(self._shown, choice, self._grouped)

    @work(thread=True, exclusive=True, group="leaders", exit_on_error=False)
    def _find_leaders(self, shown: tuple[Column, ...], choice: Choice, grouped: bool) -> None:
        from engine.analysis.leaders import cell_leaders, leaders
        from engine.errors import UserError

        try:
            with closing(self.app.reader()) as con:
                found = cell_leaders(con, shown, choice) if grouped else leaders(con, shown)
        except (UserError, sqlite3.Error):
            return  # the page's own reading says what is wrong
        if not get_current_worker().is_cancelled:
            self.post_message(LeadersRead(found))

    @on(PageRead)
    def _page_read(self, event: PageRead) -> None:
        self._page = event.page
        self._draw(follow=event.follow)

    @on(LeadersRead)
    def _leaders_read(self, event: LeadersRead) -> None:
        self._leaders = event.found
        self._draw(follow=True)

    @on(ReadFailed)
    def _read_failed(self, event: ReadFailed) -> None:
        self._say(event.sentence)

    # What is shown

    def _draw(self, *, follow: bool) -> None:
        page = self._page
        if page is None or page.request.grouped != self._grouped:
            return
        if any(entry.source not in page.request.sources for entry in self._shown):
            return  # read for another aggregate; the right page is on its way
        self._say("" if page.total else why_empty(page, self.app.snapshot.counts))
        rows = table_rows(page, self._shown, self._leaders, self.marked, self._drawn)
        self.table.show(page.total, page.request.start, rows, follow=follow)
        self.show_status()

    def _say(self, sentence: str) -> None:
        """A sentence in place of the table, or none."""
        empty = self.query_one("#empty", Static)
        empty.update(Content(plain(sentence, PARAGRAPH)))
        empty.display = bool(sentence)
        self.table.display = not sentence
        if self.table.display and self.focused is None:
            self.table.focus()  # hidden, it lost the focus
        self.show_status()
        self._show_reference()

    def show_marks(self) -> None:
        """Draw again which lines are marked."""
        self._draw(follow=True)
        self.refresh_bindings()

    def show_status(self) -> None:
        """Draw the line at the top right again."""
        if problem := self._filter_problem or self.undo_text():
            content = Content.styled(plain(problem, PARAGRAPH), "$warning")
        else:
            page = self._page
            if page is not None and page.request.grouped != self._grouped:
                page = None
            every = sum(self.app.snapshot.counts.values())
            marks = len(self.marked)
            content = usual_status(page, every, self._expanded, marks, self._aggregate)
        status = self.query_one("#status", Static)
        if status.content != content:
            status.update(content)

    @on(PagedTable.CursorMoved)
    def _cursor_moved(self) -> None:
        self._show_reference()

    def on_catalogue_loaded(self, _: CatalogueLoaded) -> None:
        """Published figures are part of the configuration."""
        self.query_one(ReferencePanel).forget()
        if self.app.snapshot.exists:
            self._read(*self.table.window, follow=True)

    def on_resize(self) -> None:
        # Cut, an example would look like a filter that is there.
        wide = self.has_class("-wide")
        self.query_one("#filter", Input).placeholder = _LONG_HINT if wide else _FILTER_HINT
        self._show_reference()

    def _show_reference(self) -> None:
        self.query_one(ReferencePanel).show(self.line_under_cursor, self._page)

    @property
    def aggregate(self) -> Aggregate:
        """How a run's epochs become one figure."""
        return self._aggregate

    @property
    def page(self) -> Page | None:
        """What was read last."""
        return self._page

    @property
    def shown_columns(self) -> tuple[Column, ...]:
        """Columns of the table, in order."""
        return self._shown

    @property
    def line_under_cursor(self) -> Line | None:
        """The run or cell under the cursor, while it is in sight."""
        if not self.table.display or self._page is None:
            return None
        return self._page.line(self.table.cursor_key)

    def _reference_sources(self) -> set[str]:
        """Every column that a published figure may be set beside."""
        return set(alike_sources("max")) if self.app.catalogue is not None else set()

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer what there is something to do with."""
        match action:
            case "clear":
                field = self.query_one("#filter", Input)
                return bool(field.value) or field.has_focus or bool(self.marked)
            case "diff":
                return True if len(self.marked) == 2 else None
            case "imported":
                return True if self._grouped else None
            case "undo":
                return bool(self.deletions.waiting)
        return True

    def action_filter(self) -> None:
        """Type what to look for."""
        self.query_one("#filter", Input).focus()

    @on(Input.Changed, "#filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        from engine.store.compare.filter_sql import conditions
        from engine.store.compare.filter_words import FilterError

        self.refresh_bindings()
        try:
            conditions(event.value, self._aggregate)
        except FilterError as error:
            self._filter_problem = f"at {error.at}: {error.problem}"
            self.show_status()
            return
        self._filter_problem = ""
        if event.value != self._filter:
            self._filter = event.value
            self._read(0, self.table.window[1], follow=True)
            if self._grouped:
                self._read_leaders()
        self.show_status()

    @on(Input.Submitted, "#filter")
    def _filter_submitted(self) -> None:
        self.table.focus()

    def action_clear(self) -> None:
        """Leave the filter and empty it; where it is empty, take the marks away."""
        field = self.query_one("#filter", Input)
        if not field.value and not field.has_focus:
            self.unmark()
        field.value = ""
        self.table.focus()

    def action_sort(self) -> None:
        """Sort by the column under the cursor; again, the other way round."""
        chosen = self.table.cursor_column
        if chosen is not None:
            self._sort_by(chosen.key)

    @on(PagedTable.HeaderClicked)
    def _header_clicked(self, event: PagedTable.HeaderClicked) -> None:
        self._sort_by(event.column.key)

    def _sort_by(self, source: str) -> None:
        if source == self._sort.source:
            self._descending = not self._descending
        else:
            self._sort = next(entry for entry in self._shown if entry.source == source)
            more = self._grouped and self._sort.name == "seed"
            self._descending = self._sort.better == "higher" or more
        self.table.set_sort(source, self._descending)
        self.table.move_to(0)
        self._read(*self.table.window, follow=False)

    def action_aggregate(self) -> None:
        """The next way in which a run's epochs become one figure."""
        following = _CYCLE[(_CYCLE.index(self._aggregate) + 1) % len(_CYCLE)]
        self._aggregate = following
        self._sort = every_column(following)[self._sort.name]
        self._columns_changed()

    def action_cells(self) -> None:
        """One line a cell, with mean and deviation over its seeds, or one a run."""
        self._grouped = not self._grouped
        self.unmark()
        self._columns_changed(top=True)

    def action_imported(self) -> None:
        """Make cells of imported runs too, or leave them out."""
        if not self._imported and (self._page is None or not self._page.left_out):
            self.notify(NONE_IMPORTED, timeout=3)
            return
        self._imported = not self._imported
        self._read(*self.table.window, follow=True)

    def _columns_changed(self, *, top: bool = False) -> None:
        self._shown = screen_columns(self._aggregate, self._names)
        self.table.set_columns(table_columns(self._shown, grouped=self._grouped))
        self.table.set_sort(self._sort.source, self._descending)
        if top:
            self.table.move_to(0)
        self.show_status()
        self._read(*self.table.window, follow=not top)
        self._read_leaders()

    def action_columns(self) -> None:
        """Choose the columns and their order."""
        from tui.compare.column_dialog import ColumnsScreen

        def chosen(names: tuple[str, ...] | None) -> None:
            if names is not None:
                self._names = list(names)
                self._columns_changed()
                self._keep_columns(self._names)

        self.app.push_screen(ColumnsScreen(self._names), chosen)

    @work(thread=True, group="remember", exit_on_error=False)
    def _keep_columns(self, names: list[str]) -> None:
        remembered.keep(TOPIC, {"columns": names})

    def action_export(self) -> None:
        """Write what is shown to a file."""
        from tui.results.export import Exported, ExportScreen

        order = (self._sort, self._descending)
        what = Exported(self.app.location, self.choice, *order, by_cell=self._grouped)
        self.app.push_screen(ExportScreen(what))

    def action_scatter(self) -> None:
        """Two columns as a picture: the one that is sorted by against the one under the cursor."""
        from tui.compare.scatter import ScatterScreen

        every = every_column(self._aggregate)
        offered = [entry for entry in every.values() if entry.kind != "text"]
        y = self._sort if self._sort in offered and self._sort.better else every[SORT]
        under = self.table.cursor_column
        x = next((e for e in offered if under and e.source == under.key and e != y), None)
        if x is None or x.better == "higher":
            x = every["EpochTime"]
        self.app.push_screen(ScatterScreen(offered, x, y, self.choice, self._aggregate))

    def action_report(self) -> None:
        """Write the report of the runs that the filter leaves."""
        from tui.compare.report import ReportScreen

        self.app.push_screen(ReportScreen(self.choice))

    def action_pivot(self) -> None:
        """The cells of the runs that match, in the reference table's form."""
        self.post_message(PivotWanted(self.choice, self._aggregate))

    def action_reference(self) -> None:
        """Show or hide the published figures of the cell under the cursor."""
        panel = self.query_one(ReferencePanel)
        panel.display = not panel.display
        self.call_after_refresh(self._show_reference)

    def help_topics(self) -> Iterator[tuple[str, str]]:
        """What help explains first: the column under the cursor."""
        from engine.analysis.meanings import meaning

        chosen = self.table.cursor_column
        for entry in self._shown:
            if chosen is not None and entry.source == chosen.key:
                yield entry.name, meaning(entry, self._aggregate)

    def action_details(self) -> None:
        """Open the run under the cursor, or unfold the cell."""
        if (line := self.line_under_cursor) is not None:
            self._open(line.key)

    @on(PagedTable.RowOpened)
    def _row_opened(self, event: PagedTable.RowOpened) -> None:
        self._open(event.key)

    def _open(self, key: str) -> None:
        line = self._page.line(key) if self._page else None
        if line is not None and line.run is None:
            self._expanded ^= {key}
            self._read(*self.table.window, follow=True)
        elif line is not None:
            self.post_message(RunWanted(key))
