"""A study: how far it is, the best so far, its trials' curves, and each trial with its settings."""

from __future__ import annotations

from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from tui.dialogs.ask import AskScreen
from tui.lab import Lab
from tui.messages import StoreChanged
from tui.results.acting import show_or_say
from tui.shell.bindings import bindings_for
from tui.shell.keys import UNDO
from tui.shell.reading import Reading
from tui.shell.standing import MEANINGS
from tui.shell.text import TITLE, count, plain
from tui.shell.typed_ahead import TypedAhead
from tui.study import trials, words
from tui.study.charts import StudyCharts
from tui.study.keys import ON_TRIALS, STUDY
from tui.study.reading import KeptReader, StudyFound, StudyPage, read_study, stop_study
from tui.widgets.header import Header
from tui.widgets.key_bar import KeyBar
from tui.widgets.table import PagedTable


class StudyScreen(Screen[None]):
    """The trials of a study, and what it chose. Keys in `tui.study.keys`."""

    AREA = "study"
    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "PagedTable"
    HELP_SECTIONS = (("Trials", MEANINGS),)
    VERTICAL_BREAKPOINTS = [(0, "-lowest"), (14, "-low"), (30, "-tall")]  # noqa: RUF012
    BINDINGS = bindings_for("study", (*STUDY, UNDO))  # type: ignore[assignment]

    app: Lab

    def __init__(self, name: str) -> None:
        super().__init__()
        self.study = name
        self._page: StudyPage | None = None
        self._order = 0
        self._entries: list[trials.Entry] = []
        self._selected: str | None = None
        self._kept = KeptReader(self.app.location)
        self._reading = Reading(self, self._take, self._say)
        self.table = PagedTable(trials.table_columns(None), id="trials")
        self.charts = StudyCharts()
        self.typed_ahead = TypedAhead(self, self._reading, ON_TRIALS, self.table)

    def compose(self) -> ComposeResult:
        yield Header(self.app.current_mode or "live")
        yield Static(id="status", markup=False)
        yield Static(id="models", markup=False)
        yield Static(id="said", markup=False)
        yield self.charts
        yield self.table
        yield Static(id="empty", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        self._say("Reading …")
        self._read()

    def on_unmount(self) -> None:
        self._kept.close()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_words)

    # What is read

    @on(StoreChanged)
    def _read(self) -> None:
        self._reading.ask(partial(read_study, self._kept, self.study))

    def _take(self, page: StudyPage | None) -> None:
        first, self._page = self._page is None, page
        if page is None:
            self._say(f"There is no study {self.study} any more. Press esc to go back.")
            return
        if first:
            self.table.set_columns(trials.table_columns(page.found))
            self._show_order()
        self._say("")
        self._show_words()
        self._list()
        self.charts.show(page, self._selected)
        self.refresh_bindings()

    def _say(self, sentence: str) -> None:
        """Show a sentence in place of trials and charts, or these where it is empty."""
        self.charts.styles.display = "none" if sentence else None
        show_or_say(self, self.table, sentence)

    # What is shown

    @property
    def _found(self) -> StudyFound | None:
        return self._page.found if self._page else None

    @property
    def _verdict(self) -> str:
        return self._page.verdict if self._page else ""

    def _show_words(self) -> None:
        if (found := self._found) is None or not self.is_mounted:
            return
        status = self.query_one("#status", Static)
        status.update(words.status(found, self.size.width - status.gutter.width))
        box = self.query_one("#models", Static)
        box.update(words.models(found, self.size.width - box.gutter.width))
        said = " ".join(filter(None, words.sentences(found, self._verdict)))
        line = self.query_one("#said", Static)
        line.set_class(bool(self._verdict), "-verdict")
        line.update(Content(plain(said)))

    def _list(self) -> None:
        if self._page is not None:
            self._entries = trials.entries(self._page, self._order)
            self._supply(follow=True)

    def _supply(self, *, follow: bool) -> None:
        start, size = self.table.window
        keys = [entry.run for entry in self._entries]
        # Where the cursor's row went is known only if that row is among those given.
        if follow and self.table.cursor_key in keys:
            index = keys.index(self.table.cursor_key)
            start, size = min(start, index), max(start + size, index + 1) - min(start, index)
        if (found := self._found) is not None:
            rows = trials.table_rows(found, self._entries[start : start + size])
            self.table.show(len(self._entries), start, rows, follow=follow)

    @on(PagedTable.RowsWanted)
    def _rows_wanted(self) -> None:
        self._supply(follow=False)

    @on(PagedTable.CursorMoved)
    def _cursor_moved(self, event: PagedTable.CursorMoved) -> None:
        selected = event.row.key if event.row is not None else None
        if selected != self._selected and self._page is not None:
            self._selected = selected
            self.charts.show(self._page, selected)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Grey out the end of a study that makes no further trial."""
        found = self._found
        if action == "stop":
            return True if found is not None and found.can_stop else None
        if action in ("open", "order"):
            return True if found is not None else None
        return True

    def action_open(self) -> None:
        """Show the details of the run under the cursor."""
        if self.table.display and self._selected is not None:
            self.app.open_run(self._selected)

    @on(PagedTable.RowOpened)
    def _row_opened(self) -> None:
        self.action_open()

    def action_order(self) -> None:
        """List the trials in the other order."""
        self._order = (self._order + 1) % len(trials.ORDERS)
        self._show_order()
        self._list()

    @on(PagedTable.HeaderClicked)
    def _heading_clicked(self, event: PagedTable.HeaderClicked) -> None:
        if event.column.key == trials.SORTED_BY[1 - self._order]:
            self.action_order()

    def _show_order(self) -> None:
        self.table.set_sort(trials.SORTED_BY[self._order], descending=True)

    def action_next_chart(self) -> None:
        """Show the next chart alone, or both again."""
        self.charts.next_chart()

    def action_stop(self) -> None:
        """Ask, then end the study."""
        found = self._found
        if found is None or not found.can_stop:
            return
        name, seeds = plain(found.name, TITLE), found.progress.study.final_seeds
        then = f"The best so far is trained with {count(seeds, 'fresh seed')}." if seeds else ""
        ends = "makes no further trial"
        if found.adds_seeds:
            ends, then = "gets no further seed", "The verdict is that of the seeds that are done."
        question = (
            f"Stop the study {name}?\n\nIt {ends}: those that wait leave the "
            f"queue, those in training go on to their end. {then}"
        )
        write = partial(stop_study, self.app.location, found.name)

        def answered(yes: bool | None) -> None:
            if yes:
                self.app.request(write, f"{name} {ends}.")

        self.app.push_screen(AskScreen("Stop", question, "Stop the study", "Keep it"), answered)

    def action_studies(self) -> None:
        """List all studies, to show another one."""
        self.app.open_studies()
