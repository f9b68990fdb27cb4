"""One run: its result, curves, configuration, where it comes from, and how to run it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine.lifecycle import UNFINISHED, allows
from engine.store import requests
from tui.charts.charted import ChartedScreen
from tui.charts.keys import CHARTS
from tui.charts.run_charts import RunCharts
from tui.dialogs.ask import AskScreen
from tui.dialogs.limit import train_on
from tui.dialogs.refit import refit
from tui.messages import CatalogueLoaded, StoreChanged
from tui.results.note import NoteScreen
from tui.results.published import elsewhere_content, reference_content, reference_title
from tui.run import sections
from tui.run.column import Column
from tui.run.keys import ON_THE_RUN, RUN
from tui.run.predictions import PredictionsScreen
from tui.run.reading import (
    Ranked,
    RunPage,
    StoreLocation,
    UserIntervals,
    proposed_limit,
    read_page,
    read_ranked,
)
from tui.shell.bindings import bindings_for
from tui.shell.keys import UNDO
from tui.shell.reading import Reading
from tui.shell.text import PARAGRAPH, TITLE, plain
from tui.shell.typed_ahead import TypedAhead
from tui.widgets.header import Header
from tui.widgets.key_bar import KeyBar

RunRequest = Callable[[StoreLocation, Iterable[str]], None]
"""A function of `engine.store.requests` that asks for something to be done with runs, by id."""

LINES_ELSEWHERE = 12
"""Most lines on what other sources publish."""


class RunScreen(ChartedScreen):
    """Details of a run. Keys in `tui.run.keys`."""

    AREA = "run"
    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "#body"
    BINDINGS = bindings_for("run", (*RUN, *CHARTS, UNDO))  # type: ignore[assignment]

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_id = run_id
        self._page: RunPage | None = None
        self._intervals: UserIntervals | str | None = None
        self._floor = ""
        self._reading = Reading(self, self._take, self._say)
        self.typed_ahead = TypedAhead(self, self._reading, ON_THE_RUN)
        # The page's own reading says what is wrong.
        self._ranks = Reading(self, self._take_ranked, lambda _: None)

    def compose(self) -> ComposeResult:
        yield Header(self.app.current_mode or "compare")
        yield Static(id="heading", markup=False)
        with VerticalScroll(id="body"):
            yield Static(id="failure", classes="panel", markup=False)
            yield Static(id="marks", classes="panel", markup=False)
            with Horizontal(id="pair"):
                with Column(id="results"):
                    yield Static(id="result", classes="panel", markup=False)
                    yield Static(id="reference", classes="panel", markup=False)
                    yield Static(id="elsewhere", classes="panel", markup=False)
                    yield Static(id="beyond", classes="panel", markup=False)
                    yield Static(id="attempts", classes="panel", markup=False)
                with Column():
                    yield RunCharts(wheel=False, id="curves", classes="panel")
                    yield Static(id="provenance", classes="panel", markup=False)
            yield Static(id="configuration", classes="panel", markup=False)
            yield Static(id="files", classes="panel", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        titles = {
            "marks": "Caution",
            "result": "Metrics at the best epoch on validation",
            "elsewhere": "Under other rules",
            "beyond": "Cut-offs, parts of targets, and what is recommended",
            "curves": "Curves",
            "configuration": "Configuration",
            "provenance": "Provenance",
            "attempts": "Attempts",
            "files": "Files",
        }
        for name, title in titles.items():
            self.query_one(f"#{name}").border_title = title
        self.query_one("#reference").display = False
        self.query_one("#failure").display = False
        self.query_one("#marks").display = False
        self.charts.follow(self.run_id)
        self._read()

    def on_store_changed(self, _: StoreChanged) -> None:
        """Read again what the page shows."""
        self._read()

    def on_catalogue_loaded(self, _: CatalogueLoaded) -> None:
        """Read again: published results, profiles and titles are part of the configuration."""
        self._intervals = None
        self._read()

    def on_resize(self) -> None:
        self._show()  # the heading, which is in no column

    def on_column_width_changed(self) -> None:
        """Draw the tables again."""
        self._show()

    def _read(self) -> None:
        location, run_id, catalogue = self.app.location, self.run_id, self.app.catalogue

        self._reading.ask(partial(read_page, location, run_id, catalogue))

    def _take(self, page: RunPage | None) -> None:
        self._page = page
        self.query_one("#body").display = page is not None
        if page is None:
            self._say("This run was deleted. Press esc to go back.")
        elif self._intervals is None and page.tested:
            self._ranks.ask(
                partial(read_ranked, self.app.location, self.run_id, self.app.catalogue)
            )
        self.charts.refresh_from_store()
        self._show()
        self.refresh_bindings()

    def _take_ranked(self, found: Ranked) -> None:
        self._intervals, self._floor = found.intervals, found.floor
        self._show()

    def _say(self, sentence: str) -> None:
        self.query_one("#heading", Static).update(
            Content.styled(plain(sentence, PARAGRAPH), "$text-muted")
        )

    def _show(self) -> None:
        page = self._page
        if page is None or not self.is_mounted:
            return
        details = page.details
        self._put("heading", sections.heading(details, page.idle, self.size.width - 2))
        self._show_failure(page)
        marks = sections.marks(details, page.further, page.goes_on)
        self.query_one("#marks").display = bool(marks)
        self._put("marks", marks)
        if details.run.refits is not None:
            self.query_one("#result").border_title = "Metrics of the refit"
        elif details.run.fitted:
            best = "Metrics of the best combination on validation"
            self.query_one("#result").border_title = best
        self._put("result", sections.result(details, self._intervals, self._floor))
        elsewhere = sections.elsewhere(details)
        self.query_one("#elsewhere").display = bool(elsewhere)
        self._put("elsewhere", elsewhere)
        beyond = sections.beyond(details)
        self.query_one("#beyond").display = bool(beyond)
        self._put("beyond", beyond)
        self._put("configuration", sections.configuration(details))
        room = self.query_one("#provenance").content_size.width
        self._put("provenance", sections.provenance(details, page.label, room))
        self._put("attempts", sections.attempts(details))
        folder = self.app.location.runs / self.run_id
        self._put("files", sections.files(folder, page.command))
        measured = bool(details.epochs) or details.run.state in UNFINISHED
        self.query_one("#result").display = measured
        self._show_reference(page, measured)
        self.charts.display = measured or details.run.step is not None
        self.charts.fit(single=not measured)

    def _put(self, name: str, content: Content) -> None:
        widget = self.query_one(f"#{name}", Static)
        if widget.content != content:
            widget.update(content)

    def _show_failure(self, page: RunPage) -> None:
        panel = self.query_one("#failure")
        panel.display = page.remedy is not None
        if page.remedy is not None:
            panel.border_title = page.remedy.title
            message = page.details.run.message or ""
            self._put("failure", sections.failure(page.remedy, message, page.log, page.resumable))

    def _show_reference(self, page: RunPage, measured: bool) -> None:
        panel, reference = self.query_one("#reference", Static), page.reference
        panel.display = measured and bool(reference or page.published)
        if not panel.display:
            return
        run, ours = page.details.run, page.details.figures
        cell = f"{run.model} × {run.dataset} × {run.length}"
        column = self.query_one("#results").content_size.width
        width = (column - panel.gutter.width or self.size.width - 4) - 1
        parts: list[Content] = []
        if reference is None:
            panel.border_title = f"Published for {plain(f'{run.model} × {run.dataset}', TITLE)}"
        else:
            panel.border_title = Content(reference_title(reference, cell, run.marks))
            notes = " ".join(
                plain(text, PARAGRAPH) for text in (reference.source, reference.note) if text
            )
            figures = reference_content(reference, ours, width, run.marks)
            parts += [figures, Content(""), Content.styled(notes, "$text-muted")]
        if page.published:
            parts += [Content("")] if parts else []
            parts.append(elsewhere_content(page.published, ours, width, LINES_ELSEWHERE))
        self._put("reference", Content("\n").join(parts))

    # Actions

    def help_topics(self) -> Iterator[tuple[str, str]]:
        """What help explains first: how the run stands, and the figure that it is judged by."""
        if self._page is not None:
            yield from sections.topics(self._page.details, self._page.remedy)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer only what the run's state allows."""
        page = self._page
        if action == "amend":
            return bool(page and page.remedy and page.remedy.settings)
        if action == "train_on":
            return page is not None and page.goes_on
        if action == "refit":
            return page is not None and page.refittable
        if action == "predict":
            return page is not None and page.tested
        if action in ("cancel", "retry", "delete"):
            return page is not None and allows(page.details.run.state, action)
        return True

    def action_retry(self) -> None:
        """Queue the run again."""
        self._request(requests.request_retry)

    def action_amend(self) -> None:
        """Queue a new run with the proposed change."""
        if self._page is None or (proposed := self._page.remedy) is None:
            return
        location, catalogue, run_id = self.app.location, self.app.catalogue, self.run_id

        def write() -> str:
            from engine.planning import enqueue_amended  # imported in the thread

            run = enqueue_amended(location, catalogue, run_id, proposed.settings)
            return f"Queued {run} with {proposed.change}"

        self.app.request(write)

    def action_train_on(self) -> None:
        """Ask for a higher epoch limit, and queue a new run that resumes from this one."""
        if self._page is not None:
            run = self._page.details.run
            train_on(self.app, run.id, run.epochs or 0, proposed_limit(run.epochs))

    def action_refit(self) -> None:
        """Queue a new run that trains this one again with validation included, after asking."""
        if self._page is not None:
            run = self._page.details.run
            refit(self.app, run.id, run.best_epoch, fitted=run.fitted)

    def action_cancel(self) -> None:
        """Cancel the run, after asking."""
        kept = "Its checkpoint is kept; a retry resumes from it."
        self._ask("Cancel", kept, requests.request_cancel)

    def action_delete(self) -> None:
        """Delete the run, after asking."""
        self._ask("Delete", "Press u within 30 days to bring it back.", requests.request_delete)

    def _ask(self, verb: str, follows: str, write: RunRequest) -> None:
        text = f"{verb} this run?\n\n{plain(self.run_id)}\n{follows}"
        question = AskScreen(verb, text, f"{verb} the run", "Keep it")
        self.app.push_screen(question, lambda yes: self._request(write) if yes else None)

    def _request(self, write: RunRequest) -> None:
        location = self.app.location
        self.app.request(lambda: write(location, [self.run_id]))

    def action_note(self) -> None:
        """Write a note."""
        location = self.app.location

        def written(note: str | None) -> None:
            if note is not None:
                self.app.request(lambda: requests.set_note(location, self.run_id, note))

        note = self._page.details.run.note if self._page else ""
        self.app.push_screen(NoteScreen(note), written)

    def action_predict(self) -> None:
        """Show what the run recommends to individual users."""
        self.app.push_screen(PredictionsScreen(self.run_id))

    def action_copy(self) -> None:
        """Put the relaunch command on the clipboard."""
        if self._page is not None:
            self.app.copy_to_clipboard(plain(self._page.command), "the relaunch command")
