"""The Live screen: the queue, and one run of it as it trains."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from time import time as wall_clock
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Resize, ScreenResume, ScreenSuspend
from textual.message import Message
from textual.widgets import Static

from engine.errors import RunError
from engine.lifecycle import Move, QueueAction, allows
from engine.runfolder import run_folder
from tui.charts.charted import ChartedScreen
from tui.charts.keys import CHARTS
from tui.charts.run_charts import ALL_CHARTS, RunCharts
from tui.live.device_panel import DevicePanel
from tui.live.keys import LIVE
from tui.live.log.panel import LogPanel, SearchLine
from tui.live.log.tail import LogTail
from tui.live.queue_table import QueueTable
from tui.live.reading import (
    Known,
    Reading,
    Waiting,
    journal_lines,
    read,
)
from tui.live.run_facts import Facts, RunFacts
from tui.messages import RunWanted, StoreChanged
from tui.shell.bindings import bindings_for
from tui.shell.log_follower import LogFollower
from tui.shell.text import PARAGRAPH, plain, run_label
from tui.widgets.header import Header
from tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from engine.machine.telemetry import Sample, Sampler
    from engine.store.location import StoreLocation
    from engine.store.queries import Run

LOOK_SECONDS = 1.5
"""Between two looks at the machine and the log."""

SMALL_HEIGHT = 30
"""Rows of the terminal below which one chart is shown at a time."""

EMPTY = "Nothing has been launched yet.\n\nPress 1 to choose runs and launch them."


class LiveScreen(ChartedScreen):
    """Queue, charts, device, log. Threads read; messages bring what they found."""

    AREA = "live"
    CSS_PATH = "screen.tcss"
    BINDINGS = bindings_for("live", LIVE + CHARTS)  # type: ignore[assignment]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (SMALL_HEIGHT, "-medium"), (44, "-tall")]  # noqa: RUF012
    AUTO_FOCUS = "#queue"

    class StoreRead(Message):
        """What a thread read from the store, or why it couldn't."""

        def __init__(self, reading: Reading | None, problem: str = "") -> None:
            super().__init__()
            self.reading = reading
            self.problem = problem

    class Looked(Message):
        """What a thread saw of the machine and of a run's log."""

        def __init__(self, sample: Sample | None, path: Path | None, lines: Sequence[str]) -> None:
            super().__init__()
            self.sample = sample
            self.path = path
            self.lines = lines

    def __init__(self) -> None:
        super().__init__()
        self._known = Known()
        self._waiting = Waiting()
        self._run: Run | None = None
        self._facts: Facts | None = None
        self._follower: LogFollower | None = None
        self._sampler: Sampler | None = None
        self._hold: str | None = None
        self._reads = self._read_again = self._looks = False
        self._chart = 0
        """0: all charts, or the first where one is shown at a time; then one each."""

    def compose(self) -> ComposeResult:
        yield Header("live")
        yield Static(EMPTY, id="empty", markup=False)
        with Vertical(id="live"):
            yield Static(id="hold", markup=False)
            yield QueueTable(id="queue", classes="panel")
            with Horizontal(id="body"):
                yield RunCharts(id="charts")
                with Vertical(id="side"):
                    yield RunFacts(id="facts", classes="panel")
                    yield DevicePanel(id="device", classes="panel")
            yield LogPanel(id="log", classes="panel")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(QueueTable).name_frame("Queue")
        self.query_one(DevicePanel).name_frame("Device")
        self._timer = self.set_interval(LOOK_SECONDS, self._look)
        self._show_charts()
        self._refresh_from_store()
        self._look()

    def on_unmount(self) -> None:
        if self._sampler is not None and not self._looks:
            self._sampler.close()

    @on(ScreenResume)
    def _resumed(self) -> None:
        self._timer.resume()

    @on(ScreenSuspend)
    def _suspended(self) -> None:
        self._timer.pause()

    @on(Resize)
    def _resized(self) -> None:
        self._show_charts()

    # The store

    @on(StoreChanged)
    def _store_changed(self) -> None:
        self._refresh_from_store()

    def _refresh_from_store(self) -> None:
        """Read in a thread; at most one reads, and another follows if more changed meanwhile."""
        if self._reads:
            self._read_again = True
        else:
            self._reads = True
            self._read_store(self._known, self._waiting)

    @work(thread=True, group="live-store")
    def _read_store(self, known: Known, waiting: Waiting) -> None:
        from engine.errors import UserError

        try:
            if not self.app.location.db.exists():
                self.post_message(self.StoreRead(Reading(known)))
                return
            with closing(self.app.reader()) as connection:
                reading = read(connection, known, waiting)
        except (UserError, sqlite3.Error) as error:
            self.post_message(self.StoreRead(None, str(error)))
        else:
            self.post_message(self.StoreRead(reading))

    @on(StoreRead)
    def _take(self, message: StoreRead) -> None:
        self._reads = False
        reading = message.reading
        if reading is None:
            self._show_empty(plain(message.problem, PARAGRAPH))
        else:
            self._waiting = reading.waiting
            self._show_empty(None if reading.runs else EMPTY)
            queue = self.query_one(QueueTable)
            queue.show(reading.runs, wall_clock(), reading.jobs)
            queue.name_frame("Queue", queue.summary())
            self._show_hold(reading.hold)
            self.charts.refresh_from_store()
            if reading.run is not None and reading.run.id == self._known.run_id:
                self._known = reading.known
                self._show_run(reading, reading.run)
        if self._read_again:
            self._read_again = False
            self._refresh_from_store()

    def _show_hold(self, hold: str | None) -> None:
        self._hold = hold
        banner = self.query_one("#hold", Static)
        banner.display = hold is not None
        if hold is not None:
            banner.update(f"Queue paused. {plain(hold)} p lets it go on.")

    def _show_empty(self, text: str | None) -> None:
        empty = self.query_one("#empty", Static)
        if text is not None:
            empty.update(text)
        empty.display = text is not None
        self.query_one("#live").display = text is None

    # The selected run

    @on(QueueTable.Selected)
    def _selected(self, message: QueueTable.Selected) -> None:
        run_id = message.run_id
        try:
            follower = LogFollower(run_folder(self.app.location.runs, run_id).log)
        except RunError as error:
            self.notify(str(error), severity="error")
            return
        self._known = Known(run_id)
        self._run = self._facts = None
        self.charts.follow(run_id)
        self._follower = follower
        self.query_one(LogTail).clear()
        self._refresh_from_store()
        self._look(machine=False)

    def _show_run(self, reading: Reading, run: Run) -> None:
        state_changed = self._run is None or self._run.state != run.state
        self._run = run
        before = self._facts
        epochs = reading.epochs if reading.epochs is not None else before.epochs if before else ()
        job = reading.jobs.get(run.id)
        self._facts = Facts(run, reading.start, epochs, job, reading.node)
        facts = self.query_one(RunFacts)
        facts.name_frame(run_label(run))
        facts.show(self._facts)
        log = self.query_one(LogTail)
        log.instead(journal_lines(reading.start, epochs))
        log.notice(reading.notices)
        if state_changed:
            self.refresh_bindings()

    # The machine and the log

    def _look(self, machine: bool = True) -> None:
        if not self._looks:
            self._looks = True
            self._look_in_thread(self._follower, machine)

    @work(thread=True, group="live-look")
    def _look_in_thread(self, follower: LogFollower | None, machine: bool) -> None:
        from engine.machine.telemetry import Sampler

        sample = None
        if self._sampler is None:
            self._sampler = Sampler()
        elif machine:
            sample = self._sampler.sample()
        lines = follower.read() if follower is not None else []
        path = follower.path if follower is not None else None
        self.post_message(self.Looked(sample, path, lines))

    @on(Looked)
    def _take_look(self, message: Looked) -> None:
        self._looks = False
        if message.sample is not None:
            self.query_one(DevicePanel).show(message.sample)
            self._share_side()
        if self._follower is None:
            return
        if message.path == self._follower.path:
            self.query_one(LogTail).add(message.lines)
        else:
            self._look(machine=False)

    def _share_side(self) -> None:
        """Give the device panel the rows it needs, up to about half of the column."""
        panel = self.query_one(DevicePanel)
        frame = panel.gutter.height
        half = self.query_one("#side").size.height // 2 + 1
        height = panel.rows(half - frame) + frame
        if height != panel.outer_size.height:
            panel.styles.height = height

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what the selected run doesn't allow."""
        if action in ("cancel", "retry", "reorder"):
            wish = str(parameters[0]) if action == "reorder" else action
            return True if self._run and allows(self._run.state, wish) else None
        if action == "open":
            return True if self._run else None
        if action == "search":
            return not isinstance(self.focused, SearchLine)
        if action in ("next_match", "end_search"):
            return any(panel.searches for panel in self.query(LogPanel))
        return True

    def action_cancel(self) -> None:
        """Ask, then request it."""
        if self._run is None:
            return
        run = self._run
        from tui.dialogs.ask import AskScreen

        kept = (
            "It leaves the queue."
            if run.state == "queued"
            else ("Training stops; its checkpoint is kept, and a retry goes on from there.")
        )
        ask = AskScreen("Cancel", f"Cancel {run_label(run)}?\n{kept}", "Cancel the run", "Keep it")
        self.app.push_screen(ask, lambda yes: self._cancel(run) if yes else None)

    def _cancel(self, run: Run) -> None:
        from engine.store.requests import request_cancel

        self._request(lambda store: request_cancel(store, [run.id]), f"Cancelling {run_label(run)}")

    def action_retry(self) -> None:
        """Put the run back into the queue."""
        from engine.store.requests import request_retry

        if (run := self._run) is not None:
            said = f"Queued again: {run_label(run)}"
            self._request(lambda store: request_retry(store, [run.id]), said)

    def action_reorder(self, where: Move) -> None:
        """Change the run's place in the queue."""
        from engine.store.requests import request_move

        if (run := self._run) is not None:
            self._request(lambda store: request_move(store, [run.id], where))

    def action_pause(self) -> None:
        """Pause the queue, or let it go on."""
        from engine.store.requests import request_queue

        action: QueueAction = "pause" if self._hold is None else "resume"
        self._request(lambda store: request_queue(store, action))

    @work(thread=True, group="live-request")
    def _request(self, write: Callable[[StoreLocation], None], said: str = "") -> None:
        """Write a request, see to it that a supervisor finds it, and say so."""
        from engine.errors import UserError

        try:
            write(self.app.location)
        except (UserError, sqlite3.Error) as error:
            self.app.call_from_thread(self.notify, str(error), severity="error")
            return
        self.app.call_from_thread(self.app.look_after_queue)
        if said:
            self.app.call_from_thread(self.notify, said)

    def action_open(self) -> None:
        """The run's details."""
        if self._run is not None:
            self.post_message(RunWanted(self._run.id))

    def action_since(self) -> None:
        """What ended while nobody looked."""
        self.app.show_news()

    def action_next_chart(self) -> None:
        """Where there is room: all, then each alone; else one after the other."""
        count = len(ALL_CHARTS) if self._one_at_a_time else len(ALL_CHARTS) + 1
        self._chart = (self._chart + 1) % count
        self._show_charts()

    def action_follow(self) -> None:
        """Go to the end of the log and stay there."""
        self.query_one(LogTail).follow()

    def action_search(self) -> None:
        """Search the log."""
        self.query_one(LogPanel).ask()

    def action_next_match(self, step: int) -> None:
        """To another line with what is searched for."""
        self.query_one(LogTail).next_match(step)

    def action_end_search(self) -> None:
        """Mark nothing any more."""
        self.query_one(LogPanel).end_search()

    def action_wrap(self) -> None:
        """Long lines of the log whole or clipped."""
        self.query_one(LogTail).wrap()

    def action_scroll_log(self, lines: int) -> None:
        """Back or on in the log."""
        self.query_one(LogTail).scroll(lines)

    @property
    def _one_at_a_time(self) -> bool:
        return self.size.height < SMALL_HEIGHT or self.size.width < 100

    def _show_charts(self) -> None:
        single = self._one_at_a_time
        shown = self._chart if single else self._chart - 1
        self.charts.show_alone(shown if shown >= 0 else None)
