"""One run: its result, curves, configuration, where it comes from, and how to run it again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Literal

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.worker import get_current_worker

from engine.analysis.details import RunDetails, run_details
from engine.analysis.reference import references_of
from engine.analysis.relaunch import relaunch_command
from engine.analysis.remedy import Remedy, remedy
from engine.lifecycle import DIED, UNFINISHED, allows
from engine.runfolder import run_folder
from tui.charts.charted import ChartedScreen
from tui.charts.keys import CHARTS
from tui.charts.run_charts import RunCharts
from tui.messages import CatalogueLoaded, StoreChanged
from tui.results.published import reference_content, reference_title
from tui.run import sections
from tui.run.keys import RUN
from tui.shell.bindings import bindings_for
from tui.shell.log_follower import LogFollower
from tui.shell.states import STATE_MEANING, glyph
from tui.shell.text import PARAGRAPH, plain
from tui.widgets.header import Header
from tui.widgets.key_bar import KeyBar

Wish = Literal["cancel", "retry", "delete", "note"]


class DetailsRead(Message):
    """The run came from the store; None if it is no more. With it the end of its log."""

    def __init__(self, details: RunDetails | None, log: list[str]) -> None:
        super().__init__()
        self.details = details
        self.log = log


class IntervalsRead(Message):
    """How sure the test metrics are over users, by metric; nothing where ranks can't be read."""

    def __init__(self, found: Mapping[str, tuple[float, float]]) -> None:
        super().__init__()
        self.found = found


class DetailsFailed(Message):
    """The store can't be read; says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


class RunScreen(ChartedScreen):
    """Details of one run. Keys in `tui.run.keys`."""

    AREA = "run"
    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "#body"
    BINDINGS = bindings_for("run", RUN + CHARTS)  # type: ignore[assignment]

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_id = run_id
        self._details: RunDetails | None = None
        self._remedy: Remedy | None = None
        self._log_end: list[str] = []
        self._intervals: Mapping[str, tuple[float, float]] | None = None

    def compose(self) -> ComposeResult:
        yield Header(self.app.current_mode or "compare")
        yield Static(id="heading", markup=False)
        with VerticalScroll(id="body"):
            yield Static(id="failure", classes="panel", markup=False)
            with Horizontal(classes="pair"):
                yield Static(id="result", classes="panel", markup=False)
                yield RunCharts(shown=("loss", "valid"), wheel=False, id="curves", classes="panel")
            yield Static(id="reference", classes="panel", markup=False)
            with Horizontal(classes="pair"):
                yield Static(id="configuration", classes="panel", markup=False)
                with Vertical(classes="stack"):
                    yield Static(id="provenance", classes="panel", markup=False)
                    yield Static(id="attempts", classes="panel", markup=False)
            yield Static(id="files", classes="panel", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        titles = {
            "result": "At the epoch chosen on validation",
            "curves": "Curves",
            "configuration": "Configuration",
            "provenance": "Comparable with",
            "attempts": "Attempts",
            "files": "Files",
        }
        for name, title in titles.items():
            self.query_one(f"#{name}").border_title = title
        self.query_one("#reference").display = False
        self.query_one("#failure").display = False
        self.charts.follow(self.run_id)
        self._read()

    def on_store_changed(self, _: StoreChanged) -> None:
        """Read the run again."""
        self._read()

    def on_catalogue_loaded(self, _: CatalogueLoaded) -> None:
        """Published figures and profiles are part of the configuration."""
        self._show()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    @work(thread=True, exclusive=True, group="details", exit_on_error=False)
    def _read(self) -> None:
        from engine.errors import UserError

        try:
            with closing(self.app.reader()) as con:
                details = run_details(con, self.run_id)
            log = LogFollower(run_folder(self.app.location.runs, self.run_id).log)
        except (UserError, sqlite3.Error) as error:
            self.post_message(DetailsFailed(str(error)))
            return
        if not get_current_worker().is_cancelled:
            self.post_message(DetailsRead(details, log.read()))
            if self._intervals is None and details is not None and details.run.state == "done":
                self._read_intervals()

    def _read_intervals(self) -> None:
        """In the same thread, after the rest: what reads ranks takes a moment to load."""
        from engine.analysis.pairs.cells import intervals
        from engine.errors import UserError

        try:
            with closing(self.app.reader()) as con:
                found = intervals(con, self.app.location, [self.run_id])
        except (UserError, sqlite3.Error):
            return  # the page's own reading says what is wrong
        self.post_message(IntervalsRead({} if isinstance(found, str) else found))

    @on(IntervalsRead)
    def _intervals_read(self, event: IntervalsRead) -> None:
        self._intervals = event.found
        self._show()

    @on(DetailsRead)
    def _details_read(self, event: DetailsRead) -> None:
        self._details = details = event.details
        self._log_end = event.log
        died = details is not None and details.run.state in DIED
        self._remedy = remedy(details.run.cause, details.spec) if details and died else None
        self.query_one("#body").display = details is not None
        if details is None:
            self._say("This run was deleted: esc goes back.")
        self.charts.refresh_from_store()
        self._show()
        self.refresh_bindings()

    @on(DetailsFailed)
    def _details_failed(self, event: DetailsFailed) -> None:
        self._say(event.sentence)

    def _say(self, sentence: str) -> None:
        self.query_one("#heading", Static).update(
            Content.styled(plain(sentence, PARAGRAPH), "$text-muted")
        )

    def _show(self) -> None:
        details = self._details
        if details is None or not self.is_mounted:
            return
        self._put("heading", sections.heading(details, self.size.width - 2))
        self._show_failure()
        self._put("result", sections.result(details, self._intervals or {}))
        self._put("configuration", sections.configuration(details))
        self._put("provenance", sections.provenance(details))
        self._put("attempts", sections.attempts(details))
        self._put("files", sections.files(self._folder, self._command))
        self._show_reference(details)
        self._show_curves(details)

    def _put(self, name: str, content: Content) -> None:
        widget = self.query_one(f"#{name}", Static)
        if widget.content != content:
            widget.update(content)

    def _show_failure(self) -> None:
        panel = self.query_one("#failure")
        panel.display = self._remedy is not None
        if self._remedy is not None:
            panel.border_title = self._remedy.title
            self._put("failure", sections.failure(self._remedy, self._log_end))

    def _show_reference(self, details: RunDetails) -> None:
        panel = self.query_one("#reference", Static)
        run, catalogue = details.run, self.app.catalogue
        found = (
            references_of(catalogue.references.values(), run.model, run.dataset, run.length)
            if catalogue
            else []
        )
        panel.display = bool(found)
        if not found:
            return
        reference = found[0]
        cell = f"{run.model} × {run.dataset} × {run.length}"
        panel.border_title = Content(reference_title(reference, cell))
        width = (panel.content_size.width or self.size.width - 4) - 1
        notes = " ".join(
            plain(text, PARAGRAPH) for text in (reference.source, reference.split) if text
        )
        self._put(
            "reference",
            Content("\n").join(
                [
                    reference_content(reference, details.figures, width),
                    Content(""),
                    Content.styled(notes, "$text-muted"),
                ]
            ),
        )

    def _show_curves(self, details: RunDetails) -> None:
        ended = details.run.state not in UNFINISHED
        self.charts.display = bool(details.epochs) or not ended

    @property
    def _folder(self) -> Path:
        return self.app.location.runs / self.run_id

    @property
    def _command(self) -> str:
        return relaunch_command(self._details.spec if self._details else {}, self.app.catalogue)

    # Actions

    def help_topics(self) -> Iterator[tuple[str, str]]:
        """What help explains first: how the run stands, and the figure that it is judged by."""
        from engine.analysis.comparison import SORT, column
        from engine.analysis.meanings import meaning

        if self._details is None:
            return
        state = self._details.run.state
        if (known := STATE_MEANING.get(state)) is not None:
            yield f"{glyph(state)} {state}", f"{known.capitalize()}."
        if self._remedy is not None:
            yield self._remedy.title, self._remedy.advice
        if self._details.epochs:
            yield SORT, meaning(column(SORT), "best")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Offer only what the run's state allows."""
        if action == "amend":
            return bool(self._remedy and self._remedy.settings)
        if action == "predict":
            return self._details is not None and self._details.run.state == "done"
        if action in ("cancel", "retry", "delete"):
            return self._details is not None and allows(self._details.run.state, action)
        return True

    def action_close(self) -> None:
        """Back."""
        self.dismiss()

    def action_retry(self) -> None:
        """Queue the run again."""
        self._wish("retry")

    def action_amend(self) -> None:
        """Queue a new run with the proposed change."""
        if self._remedy is not None:
            self._amend(self._remedy)

    @work(thread=True, group="wish", exit_on_error=False)
    def _amend(self, remedy: Remedy) -> None:
        from engine.errors import UserError
        from engine.store.requests import enqueue_amended

        try:
            run = enqueue_amended(self.app.location, self.run_id, remedy.settings)
        except (UserError, sqlite3.Error) as error:
            self.app.call_from_thread(self.notify, str(error), severity="error", markup=False)
            return
        self.app.call_from_thread(self.app.look_after_queue)
        said = f"Queued {run} with {remedy.change}"
        self.app.call_from_thread(self.notify, said, markup=False)

    def action_cancel(self) -> None:
        """Cancel the run, after asking."""
        self._ask("cancel", "Cancel this run?", "Its checkpoint stays: retry goes on from it.")

    def action_delete(self) -> None:
        """Delete the run, after asking."""
        self._ask("delete", "Delete this run?", "Its folder goes with it, for good.")

    def _ask(self, wish: Wish, question: str, follows: str) -> None:
        from tui.dialogs.ask import AskScreen

        def answered(yes: bool | None) -> None:
            if yes:
                self._wish(wish)

        text = f"{question}\n\n{plain(self.run_id)}\n{follows}"
        self.app.push_screen(AskScreen(wish.capitalize(), text, wish.capitalize()), answered)

    def action_note(self) -> None:
        """Write a note."""
        from tui.results.note import NoteScreen

        def written(note: str | None) -> None:
            if note is not None:
                self._wish("note", note)

        note = self._details.run.note if self._details else ""
        self.app.push_screen(NoteScreen(note), written)

    def action_predict(self) -> None:
        """What the run recommends to single users."""
        from tui.run.predictions import PredictionsScreen

        self.app.push_screen(PredictionsScreen(self.run_id))

    def action_copy(self) -> None:
        """Put the relaunch command on the clipboard."""
        self.app.copy_to_clipboard(plain(self._command))
        self.notify("Copied the relaunch command", timeout=2)

    @work(thread=True, group="wish", exit_on_error=False)
    def _wish(self, wish: Wish, note: str = "") -> None:
        from engine.errors import UserError
        from engine.store import requests

        location, runs = self.app.location, [self.run_id]
        try:
            match wish:
                case "cancel":
                    requests.request_cancel(location, runs)
                case "retry":
                    requests.request_retry(location, runs)
                case "delete":
                    requests.request_delete(location, runs)
                case "note":
                    requests.set_note(location, self.run_id, note)
        except (UserError, sqlite3.Error) as error:
            self.app.call_from_thread(self.notify, str(error), severity="error")
            return
        self.app.call_from_thread(self.app.look_after_queue)
