"""The Live screen: the queue, and one run of it as it trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from time import time as wall_clock

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import ActiveBinding
from textual.events import Resize, ScreenResume, ScreenSuspend
from textual.widgets import Static

from engine.errors import RunError
from engine.lifecycle import UNFINISHED, Move, QueueAction, allows
from engine.machine import telemetry
from engine.machine.telemetry import Sample
from engine.runfolder import run_folder
from engine.store import requests
from tui.charts.charted import SMALL_HEIGHT, ChartedScreen
from tui.charts.keys import CHARTS
from tui.charts.run_charts import RunCharts
from tui.dialogs.ask import AskScreen
from tui.dialogs.limit import train_on
from tui.dialogs.refit import refit
from tui.live.device_panel import DevicePanel
from tui.live.keys import LIVE, ON_A_RUN
from tui.live.log.panel import LogPanel, SearchField
from tui.live.log.tail import LogTail
from tui.live.queue_table import QueueTable
from tui.live.queue_words import end_words
from tui.live.reading import (
    Forecast,
    KeptReader,
    Known,
    LiveUpdate,
    Run,
    at_its_limit,
    proposed_limit,
    read_live,
    why_not_refit,
)
from tui.live.run_facts import Facts, RunFacts
from tui.messages import FirstViewShown, StoreChanged
from tui.shell.bindings import bindings_for
from tui.shell.events import journal_lines
from tui.shell.keys import UNDO
from tui.shell.log_follower import LogFollower, Written
from tui.shell.reading import Reading
from tui.shell.run_log import RunLog
from tui.shell.text import PARAGRAPH, plain
from tui.shell.typed_ahead import TypedAhead
from tui.widgets.ground import CoveredColumn, CoveredRow
from tui.widgets.header import Header
from tui.widgets.key_bar import KeyBar

LOOK_SECONDS = 1.5
"""Seconds between two looks at the machine and the log."""

NEWEST = 200
"""Newest epochs that have a line each in the log of a run that is selected."""

EMPTY = "Nothing has been launched yet.\n\nPress 1 to choose runs and launch them."


class LiveScreen(ChartedScreen):
    """Queue, charts, device and log. Keys in `tui.live.keys`."""

    AREA = "live"
    CSS_PATH = "screen.tcss"
    BINDINGS = bindings_for("live", (*LIVE, *CHARTS, UNDO))  # type: ignore[assignment]
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (56, "-narrow"), (110, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-low"),
        (16, "-short"),
        (22, "-small"),
        (SMALL_HEIGHT, "-medium"),
        (44, "-tall"),
    ]
    AUTO_FOCUS = "#queue"

    device = getters.query_one(DevicePanel)
    panel = getters.query_one(LogPanel)
    tail = getters.query_one(LogTail)

    def __init__(self) -> None:
        super().__init__()
        self.queue = QueueTable(id="queue", classes="panel")
        self._selected_id: str | None = None
        self._known: Known | None = None
        """How much was read of the queue and of the selected run."""
        self._facts: Facts | None = None
        self._follower: LogFollower | None = None
        self._run_log = RunLog()
        self._sampler: telemetry.Sampler | None = None
        self._hold: str | None = None
        self._forecast = Forecast(self.app.measured)
        self._kept = KeptReader(self.app.location)
        self._store = Reading(self, self._take, self._show_problem)
        self.typed_ahead = TypedAhead(
            self, self._store, ON_A_RUN, self.queue, ready=lambda: self._known is not None
        )
        self._machine = Reading(self, self._take_sample, self._show_problem)
        self._log = Reading(self, self._take_log, self._show_problem)

    def compose(self) -> ComposeResult:
        yield Header("live")
        yield Static(id="empty", markup=False)
        with CoveredColumn(id="live"):
            yield Static(id="hold", markup=False)
            yield self.queue
            with CoveredRow(id="body"):
                yield RunCharts(id="charts")
                with CoveredColumn(id="side"):
                    yield RunFacts(id="facts", classes="panel")
                    yield DevicePanel(id="device", classes="panel")
            yield LogPanel(id="log", classes="panel")
        yield KeyBar()

    def on_mount(self) -> None:
        self.queue.entitle([])
        self.device.name_frame("Device")
        self._timer = self.set_interval(LOOK_SECONDS, self._look)
        self.fit_charts()
        self._read()
        self._look()

    def on_unmount(self) -> None:
        self._kept.close()

    @on(ScreenResume)
    def _resumed(self) -> None:
        self._timer.resume()

    @on(ScreenSuspend)
    def _suspended(self) -> None:
        self._timer.pause()

    @on(Resize)
    def _resized(self) -> None:
        self.fit_charts()

    # The store

    @on(StoreChanged)
    def _read(self) -> None:
        store, catalogue, forecast = self._kept, self.app.catalogue, self._forecast
        # What is known counts when the thread begins. A run that is selected again is another
        # subject: what was read of it before is dropped.
        self._store.ask(
            lambda: read_live(
                store, self._known or Known(self._selected_id), catalogue, forecast, wall_clock()
            ),
            subject=self._follower,
        )

    def _take(self, update: LiveUpdate) -> None:
        if self._known is None:  # this may be the first screen
            self.call_after_refresh(self.post_message, FirstViewShown())
        self._show_empty(None if update.runs else EMPTY)
        before = self._run
        self.queue.show(update.runs, wall_clock(), update.jobs, update.labels)
        unfinished = sum(run.state in UNFINISHED for run in update.runs)
        end = end_words(
            update.end,
            unfinished,
            update.hold is not None,
            wall_clock(),
            studying=update.studying,
        )
        self.queue.entitle([*self.queue.summary(), *end])
        if before is None or self._run is None or before.state != self._run.state:
            self.refresh_bindings()
        self._show_hold(update.hold)
        self.charts.refresh_from_store()
        self._known = update.known
        if update.run is not None:
            self._show_run(update, update.run)

    def _show_problem(self, problem: str) -> None:
        self._show_empty(plain(problem, PARAGRAPH))

    def _show_hold(self, hold: str | None) -> None:
        changed, self._hold = self._hold != hold, hold
        if changed:
            self.refresh_bindings()
            banner = self.query_one("#hold", Static)
            banner.display = hold is not None
            why = f" {plain(hold)}" if hold else ""
            banner.update(f"Queue paused.{why} Press p to resume.")

    def _show_empty(self, text: str | None) -> None:
        empty = self.query_one("#empty", Static)
        if text is not None:
            empty.update(text)
        empty.display = text is not None
        self.query_one("#live").display = text is None

    # The selected run

    @property
    def _run(self) -> Run | None:
        """The run under the cursor, on which keys act, though its facts may not be read yet."""
        return self.queue.selected

    @on(QueueTable.Selected)
    def _selected(self, message: QueueTable.Selected) -> None:
        try:
            log = run_folder(self.app.location.runs, message.run_id).log
        except RunError as error:
            self.notify(str(error), severity="error")
            return
        self._selected_id = message.run_id
        self._known = self._known and self._known.of(message.run_id)
        self._facts = None
        self._follower = LogFollower(log)
        self._run_log = RunLog()
        self.charts.follow(message.run_id)
        self.tail.clear()
        self.refresh_bindings()
        self._read()
        self._read_log()

    def _show_run(self, update: LiveUpdate, run: Run) -> None:
        before = self._facts
        epochs = update.epochs if update.epochs is not None else before.epochs if before else ()
        job = update.jobs.get(run.id)
        self._facts = Facts(
            run,
            update.start,
            epochs,
            update.medians,
            job,
            update.node,
            update.beside,
            update.part,
            update.resumable,
            update.speed,
        )
        facts = self.query_one(RunFacts)
        facts.name_frame(self.queue.name_of(run))
        facts.show(self._facts)
        after = self._run_log.place
        self._run_log.tell(journal_lines(update.events, epochs[-NEWEST:], after))
        self._show_log()

    # The machine and the log

    def _look(self) -> None:
        self._machine.ask(self._sample)
        self._read_log()

    def _sample(self) -> Sample | None:
        """Sample the machine, in a thread; the first look only begins to count."""
        if self._sampler is None:
            self._sampler = telemetry.Sampler()
            return None
        return self._sampler.sample()

    def _take_sample(self, sample: Sample | None) -> None:
        if sample is not None:
            self.device.show(sample)

    def _read_log(self) -> None:
        if (follower := self._follower) is not None:
            self._log.ask(lambda: (follower.read(), follower.read_bytes), subject=follower)

    def _take_log(self, found: tuple[Sequence[Written], int]) -> None:
        self._run_log.write(*found)
        self._show_log()

    def _show_log(self) -> None:
        settled = self._run_log.settle()
        self.tail.add(settled, self._run_log.open_end())

    # Actions

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The bindings that work now; what pauses the queue is called *Resume* while it is."""
        found = super().active_bindings
        if self._hold is not None:
            for key, active in found.items():
                if active.binding.action == "pause":
                    resume = replace(active.binding, description="Resume")
                    found[key] = active._replace(binding=resume)
        return found

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what the selected run doesn't allow, and hide keys of the search without one."""
        if action in ("cancel", "retry", "reorder"):
            wish = str(parameters[0]) if action == "reorder" else action
            return True if self._run and allows(self._run.state, wish) else None
        if action == "train_on":
            return self._run is not None and at_its_limit(self._run)
        if action == "refit":
            return self._run is not None and why_not_refit(self._run) is None
        if action in ("open", "next_chart", "follow"):
            return True if self._run else None
        if action == "search":
            return not isinstance(self.focused, SearchField) if self._run else None
        if action in ("next_match", "end_search"):
            return any(panel.searches for panel in self.query(LogPanel))
        return True

    def action_cancel(self) -> None:
        """Ask, then cancel the run."""
        if (run := self._run) is None:
            return
        name = self.queue.name_of(run)
        write = partial(requests.request_cancel, self.app.location, [run.id])

        def answered(yes: bool | None) -> None:
            if yes:
                self.app.request(write, f"Cancelling {name}")

        kept = "Training stops; its checkpoint is kept, and a retry resumes from it."
        follows = "It leaves the queue." if run.state == "queued" else kept
        ask = AskScreen("Cancel", f"Cancel {name}?\n{follows}", "Cancel the run", "Keep it")
        self.app.push_screen(ask, answered)

    def action_retry(self) -> None:
        """Put the run back into the queue."""
        if (run := self._run) is not None:
            write = partial(requests.request_retry, self.app.location, [run.id])
            self.app.request(write, f"Queued again: {self.queue.name_of(run)}")

    def action_train_on(self) -> None:
        """Ask for a higher epoch limit, and queue a new run that resumes from the selected one."""
        if (run := self._run) is not None:
            train_on(self.app, run.id, run.epochs or 0, proposed_limit(run.epochs))

    def action_refit(self) -> None:
        """Queue a new run that trains the selected one again with validation included, after
        asking."""
        if (run := self._run) is not None:
            refit(self.app, run.id, run.best_epoch, fitted=run.fitted)

    def action_reorder(self, where: Move) -> None:
        """Change the run's place in the queue."""
        if (run := self._run) is not None:
            self.app.request(partial(requests.request_move, self.app.location, [run.id], where))

    def action_pause(self) -> None:
        """Pause or resume the queue."""
        action: QueueAction = "pause" if self._hold is None else "resume"
        self.app.request(partial(requests.request_queue, self.app.location, action))

    def action_open(self) -> None:
        """Show the run's details."""
        if self._run is not None:
            self.app.open_run(self._run.id)

    def action_study(self) -> None:
        """Show the study that the selected trial is of, or list all studies."""
        if self._run is not None and self._run.study is not None:
            self.app.open_study(self._run.study)
        else:
            self.app.open_studies()

    def action_since(self) -> None:
        """Show what finished since the last visit."""
        self.app.show_news()

    def action_follow(self) -> None:
        """Go to the end of the log and stay there."""
        self.tail.follow()

    def action_search(self) -> None:
        """Search the log."""
        self.panel.ask()

    def action_next_match(self, step: int) -> None:
        """Go to another line with what is searched for."""
        self.tail.next_match(step)

    def action_end_search(self) -> None:
        """End the search, and remove the marks of matches."""
        self.panel.end_search()

    def action_wrap(self) -> None:
        """Show long lines of the log whole, or clipped."""
        self.tail.wrap()

    def action_scroll_log(self, lines: int) -> None:
        """Scroll the log back (negative) or on, by rows."""
        self.tail.scroll(lines)
