"""Every run in one table: sorted and filtered by the store, the reference figures beside ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Input, Static
from textual.worker import get_current_worker

from engine.analysis.comparison import (
    AGGREGATE_MEANING,
    SORT,
    Aggregate,
    Column,
    Value,
    column,
)
from engine.analysis.leaders import leaders
from engine.analysis.reference import ReferenceOfCell, alike_sources, references_of
from tui.actions import bindings_for
from tui.messages import CatalogueLoaded, StoreChanged
from tui.screens.compare_page import (
    Leaders,
    Page,
    Request,
    read_page,
    screen_columns,
    table_columns,
    table_rows,
)
from tui.screens.run_reference import reference_content, reference_title
from tui.text import PARAGRAPH, TITLE, count, plain
from tui.widgets.header import Header
from tui.widgets.table import PagedTable

if TYPE_CHECKING:
    from tui.app import SeqbenchApp

_CYCLE: tuple[Aggregate, ...] = ("best", "max", "last", "mean")
_FILTER_HINT = "/ filter: words, state:done, …"
_NO_RUNS = "No runs yet: press 1 to choose some and start them."


class PageRead(Message):
    """A page came from the store."""

    def __init__(self, page: Page, *, follow: bool) -> None:
        super().__init__()
        self.page = page
        self.follow = follow


class LeadersRead(Message):
    """The best figures came from the store."""

    def __init__(self, found: Leaders) -> None:
        super().__init__()
        self.found = found


class ReadFailed(Message):
    """The store can't be read; says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


class CompareScreen(Screen[None]):
    """The comparison. Keys in `tui.actions.compare`."""

    AREA = "compare"
    CSS_PATH = "compare.tcss"
    AUTO_FOCUS = "PagedTable"
    BINDINGS = bindings_for("compare")  # type: ignore[assignment]

    app: SeqbenchApp

    def __init__(self) -> None:
        super().__init__()
        self._aggregate: Aggregate = "best"
        self._sort = column(SORT)
        self._descending = True
        self._shown = screen_columns(self._aggregate)
        self._page: Page | None = None
        self._leaders: Leaders = {}
        self._leaders_of: tuple[int, Aggregate] | None = None
        self._references: dict[tuple[str, str, int], list[ReferenceOfCell]] = {}

    def compose(self) -> ComposeResult:
        yield Header("compare")
        with Horizontal(id="bar"):
            yield Input(placeholder=_FILTER_HINT, id="filter", compact=True)
            yield Static(id="status", markup=False)
        yield PagedTable(table_columns(self._shown), id="runs")
        yield Static(id="empty", markup=False)
        yield Static(id="reference", markup=False)
        yield Footer()

    @property
    def table(self) -> PagedTable:
        return self.query_one(PagedTable)

    def on_mount(self) -> None:
        self.query_one("#empty").display = False
        self.table.set_sort(self._sort.source, self._descending)
        self.table.move_to_column(self._shown.index(self._sort))

    # What is read

    def on_store_changed(self, event: StoreChanged) -> None:
        """Read again what is in sight."""
        if event.snapshot.problem:
            self._say(event.snapshot.problem)
        elif not event.snapshot.exists:
            self._say(_NO_RUNS)
        else:
            self._read(*self.table.window, follow=True)
            self._read_leaders()

    @on(PagedTable.RowsWanted)
    def _rows_wanted(self, event: PagedTable.RowsWanted) -> None:
        self._read(event.start, event.count, follow=False)

    def _read(self, start: int, number: int, *, follow: bool) -> None:
        if not self.app.snapshot.exists:
            return
        sources = dict.fromkeys(entry.source for entry in self._shown)
        sources |= dict.fromkeys(self._reference_sources())
        request = Request(
            sources=tuple(sources),
            sort=self._sort.source,
            descending=self._descending,
            filter=self.query_one("#filter", Input).value,
            start=start,
            count=number,
        )
        self._read_page(request, follow)

    @work(thread=True, exclusive=True, group="page", exit_on_error=False)
    def _read_page(self, request: Request, follow: bool) -> None:
        from engine.errors import UserError

        try:
            with closing(self.app.reader()) as con:
                page = read_page(con, request)
        except (UserError, sqlite3.Error) as error:
            self.post_message(ReadFailed(str(error)))
            return
        if not get_current_worker().is_cancelled:
            self.post_message(PageRead(page, follow=follow))

    def _read_leaders(self) -> None:
        wanted = (self.app.snapshot.version, self._aggregate)
        if wanted != self._leaders_of:
            self._leaders_of = wanted
            self._find_leaders(self._shown)

    @work(thread=True, exclusive=True, group="leaders", exit_on_error=False)
    def _find_leaders(self, shown: tuple[Column, ...]) -> None:
        from engine.errors import UserError

        try:
            with closing(self.app.reader()) as con:
                found = leaders(con, shown)
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
        if page is None or page.request.sources[0] != self._shown[0].source:
            return
        if any(entry.source not in page.request.sources for entry in self._shown):
            return  # read for another aggregate; the right page is on its way
        if page.total == 0:
            words = page.request.filter.strip()
            self._say(f"No run matches “{plain(words, 40)}”: esc clears it." if words else _NO_RUNS)
        else:
            self._say("")
        rows = table_rows(page.runs, self._shown, self._leaders)
        self.table.show(page.total, page.request.start, rows, follow=follow)
        self._show_status()

    def _say(self, sentence: str) -> None:
        """A sentence in place of the table, or none."""
        empty = self.query_one("#empty", Static)
        empty.update(Content(plain(sentence, PARAGRAPH)))
        empty.display = bool(sentence)
        self.table.display = not sentence
        if self.table.display and self.focused is None:
            self.table.focus()  # hidden, it lost the focus
        self._show_status()
        self._show_reference()

    def _show_status(self) -> None:
        every = sum(self.app.snapshot.counts.values())
        total = self._page.total if self._page else every
        runs = count(total, "run") if total == every else f"{total:,} of {count(every, 'run')}"
        style = "$warning" if self._aggregate in ("max", "min") else "$text-muted"
        meaning = f"{self._aggregate}: {AGGREGATE_MEANING[self._aggregate]}"
        if self._aggregate == "best":
            meaning = f"best: {AGGREGATE_MEANING['best']}"
        self.query_one("#status", Static).update(
            Content.assemble((f"{runs}  ", "$text-muted"), (meaning, style))
        )

    @on(PagedTable.CursorMoved)
    def _cursor_moved(self) -> None:
        self._show_reference()

    def on_catalogue_loaded(self, _: CatalogueLoaded) -> None:
        """Published figures are part of the configuration."""
        self._references.clear()
        if self.app.snapshot.exists:
            self._read(*self.table.window, follow=True)

    def on_resize(self) -> None:
        self._show_reference()

    def _show_reference(self) -> None:
        panel = self.query_one("#reference", Static)
        run = self._run_under_cursor()
        if run is None or not panel.display:
            panel.border_title = None
            panel.update("")
            return
        model, dataset, length = str(run["model"]), str(run["dataset"]), int(run["length"] or 0)
        cell = plain(f"{model} × {dataset} × {length}", 2 * TITLE)
        found = self._references_of(model, dataset, length)
        if not found:
            panel.border_title = Content(cell)
            panel.update(Content.styled("No published figures for this cell.", "$text-muted"))
            return
        panel.border_title = Content(reference_title(found[0], cell))
        panel.update(reference_content(found[0], run, panel.content_size.width))

    def _run_under_cursor(self) -> Mapping[str, Value] | None:
        key = self.table.cursor_key if self.table.display else None
        runs = self._page.runs if self._page else ()
        return next((run for run in runs if run["id"] == key), None)

    def _references_of(self, model: str, dataset: str, length: int) -> list[ReferenceOfCell]:
        catalogue = self.app.catalogue
        if catalogue is None:
            return []
        cell = (model, dataset, length)
        if cell not in self._references:
            self._references[cell] = references_of(catalogue.references.values(), *cell)
        return self._references[cell]

    def _reference_sources(self) -> set[str]:
        """Every column that a published figure may be set beside."""
        return set(alike_sources("max")) if self.app.catalogue is not None else set()

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer to clear the filter where there is something to clear."""
        if action == "clear":
            field = self.query_one("#filter", Input)
            return bool(field.value) or field.has_focus
        return True

    def action_filter(self) -> None:
        """Type what to look for."""
        self.query_one("#filter", Input).focus()

    @on(Input.Changed, "#filter")
    def _filter_changed(self) -> None:
        self.refresh_bindings()
        self._read(0, self.table.window[1], follow=True)

    @on(Input.Submitted, "#filter")
    def _filter_submitted(self) -> None:
        self.table.focus()

    def action_clear(self) -> None:
        """Leave the filter, and empty it."""
        self.query_one("#filter", Input).value = ""
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
            self._sort = column(source, self._aggregate)
            self._descending = self._sort.better == "higher"
        self.table.set_sort(source, self._descending)
        self.table.move_to(0)
        self._read(*self.table.window, follow=False)

    def action_aggregate(self) -> None:
        """The next way in which a run's epochs become one figure."""
        following = _CYCLE[(_CYCLE.index(self._aggregate) + 1) % len(_CYCLE)]
        self._aggregate = following
        self._sort = column(self._sort.name, following)
        self._shown = screen_columns(following)
        self.table.set_columns(table_columns(self._shown))
        self.table.set_sort(self._sort.source, self._descending)
        self._show_status()
        self._read(*self.table.window, follow=True)
        self._read_leaders()

    def action_reference(self) -> None:
        """Show or hide the published figures of the cell under the cursor."""
        panel = self.query_one("#reference")
        panel.display = not panel.display
        self.call_after_refresh(self._show_reference)

    def help_topics(self) -> Iterator[tuple[str, str]]:
        """What help explains first: the column under the cursor."""
        from engine.analysis.meanings import meaning

        chosen = self.table.cursor_column
        for entry in self._shown:
            if chosen is not None and entry.source == chosen.key:
                yield entry.name, meaning(entry, self._aggregate)

    def action_copy(self) -> None:
        """Put the figure under the cursor on the clipboard, with every digit."""
        run, chosen = self._run_under_cursor(), self.table.cursor_column
        if run is None or chosen is None:
            return
        value = run[chosen.key]
        text = plain("" if value is None else str(value))
        self.app.copy_to_clipboard(text)
        self.notify(f"Copied {plain(text, 40)}", timeout=2)

    def action_details(self) -> None:
        """Open the run under the cursor."""
        key = self.table.cursor_key
        if key is not None and self.table.display:
            self._open(key)

    @on(PagedTable.RowOpened)
    def _row_opened(self, event: PagedTable.RowOpened) -> None:
        self._open(event.key)

    def _open(self, run_id: str) -> None:
        from tui.screens.run import RunScreen

        self.app.push_screen(RunScreen(run_id))
