"""Replay of a run: charts, devices and log at one moment, which a slider moves."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import replace
from functools import partial
from time import localtime, monotonic, strftime

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from engine.lifecycle import ENDED
from tui.charts.braille.chart import Chart
from tui.charts.charted import SMALL_HEIGHT, ChartedScreen
from tui.charts.run_charts import RunCharts
from tui.charts.run_curves import epoch_source
from tui.messages import StoreChanged
from tui.run.replay.keys import REPLAY
from tui.run.replay.moment import DeviceMoment, FigureMoment, StoryTail
from tui.run.replay.reading import Replay, read_run
from tui.run.replay.slider import Slider
from tui.shell.bindings import bindings_for
from tui.shell.keys import UNDO
from tui.shell.reading import Reading
from tui.shell.states import glyph, style_variable
from tui.shell.text import PARAGRAPH, plain, run_label
from tui.widgets.header import Header
from tui.widgets.key_bar import KeyBar

SPEEDS = (1, 3, 10, 30, 100, 300, 1000)
TICK_SECONDS = 0.1


class ReplayScreen(ChartedScreen):
    """A run, moment by moment. Keys in `tui.run.replay.keys`.

    Time is the run's own: it stands still between attempts.
    """

    AREA = "replay"
    CSS_PATH = "screen.tcss"
    BINDINGS = bindings_for("replay", (*REPLAY, UNDO))  # type: ignore[assignment]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (SMALL_HEIGHT, "-medium")]  # noqa: RUF012

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self._run_id = run_id
        self._replay: Replay | None = None
        self._at = 0.0
        """The moment: seconds of running."""
        self._speed = SPEEDS.index(30)
        self._played = 0.0
        """When time last passed, by the monotonic clock."""
        self._plays = False
        self._reading = Reading(self, self._take, self._say)

    def compose(self) -> ComposeResult:
        yield Header(self.app.current_mode or "live")
        yield Static(id="heading", markup=False)
        with Horizontal(id="body"):
            yield RunCharts(replayed=True, id="charts")
            with Vertical(id="side"):
                yield DeviceMoment(id="device", classes="panel")
                yield FigureMoment(id="figures", classes="panel")
        yield StoryTail(id="story", classes="panel")
        yield Slider(id="slider")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(DeviceMoment).name_frame("Devices")
        self.query_one(FigureMoment).name_frame("Latest values")
        self.query_one(StoryTail).name_frame("Journal and log")
        self._timer = self.set_interval(TICK_SECONDS, self._tick, pause=True)
        self.charts.follow(self._run_id)
        self.fit_charts()
        self._read()

    @on(Resize)
    def _resized(self) -> None:
        self.fit_charts()
        self.call_after_refresh(self._show)

    @on(StoreChanged)
    def _store_changed(self) -> None:
        if self._replay is None or self._replay.run.state not in ENDED:
            self._read()
            self.charts.refresh_from_store()

    def _read(self) -> None:
        self._reading.ask(partial(read_run, self.app.location, self._run_id))

    def _take(self, replay: Replay | None) -> None:
        self._replay = replay
        if replay is None:
            self._say("There is nothing to replay. Press esc to go back.")
            return
        notes = [f"GPU 0 of {replay.gpus}; charts show them all"] if replay.gpus > 1 else []
        notes += [f"1 of {replay.stride} samples shown"] if replay.stride > 1 else []
        device = self.query_one(DeviceMoment)
        device.take(replay.samples, " · ".join(notes))
        device.styles.height = device.rows + device.gutter.height
        self.query_one(StoryTail).take([(line.text, line.style) for line in replay.story])
        self._show()

    def _say(self, sentence: str) -> None:
        self._replay = None
        self.query_one("#heading", Static).update(plain(sentence, PARAGRAPH))

    @on(RunCharts.Changed)
    def _charts_changed(self) -> None:
        self._point()

    # The moment

    def _show(self) -> None:
        replay = self._replay
        if replay is None:
            return
        self._at = min(max(self._at, 0.0), replay.total)
        self.query_one(Slider).show(self._at, replay.total, replay.marks)
        self.query_one(DeviceMoment).show(replay.sample_at(self._at))
        self.query_one(StoryTail).show(replay.lines_by(self._at))
        self._show_heading(replay)
        self._point()

    def _point(self) -> None:
        """Put the charts' cursor at the moment, in their own unit, and show its figures."""
        charts = self.charts
        if self._replay is None or charts.main is None or not charts.longest().ys:
            return
        self.query_one(FigureMoment).show(charts.main.figures_at(self._at))
        x = charts.longest().translated(self._at, "time", charts.view.unit)
        if charts.view.unit == "time":
            x = self._at
        if charts.view.cursor != x:
            charts.point(x)

    def _show_heading(self, replay: Replay) -> None:
        run = replay.run
        span = replay.timeline.span_at(self._at)
        playing = self._plays
        parts = [
            (f"{'▶' if playing else '‖'} ×{SPEEDS[self._speed]}", "$accent bold"),
            ("   ", ""),
            (f"{glyph(run.state)} ", style_variable(run.state)),
            (run_label(run), "bold"),
        ]
        if span is not None:
            when = strftime("%Y-%m-%d %H:%M:%S", localtime(self._wall_time(replay)))
            several = f"attempt {span.attempt} of {len(replay.timeline.spans)}   "
            parts.append(
                (f"   {several if len(replay.timeline.spans) > 1 else ''}{when}", "$text-muted")
            )
        self.query_one("#heading", Static).update(Content.assemble(*parts))

    def _wall_time(self, replay: Replay) -> float:
        return min(max(replay.timeline.wall_time(self._at) or 0.0, 0.0), 4e9)

    def _play(self, plays: bool) -> None:
        self._plays, self._played = plays, monotonic()
        if plays:
            self._timer.resume()
        else:
            self._timer.pause()
        self._show()

    def _go(self, seconds: float) -> None:
        self._at = seconds
        self._show()

    @on(Slider.Moved)
    def _slid(self, message: Slider.Moved) -> None:
        self._go(message.seconds)

    @on(Chart.Chosen)
    def _chosen(self, message: Chart.Chosen) -> None:
        charts = self.charts
        self._go(charts.longest().translated(message.x, charts.view.unit, "time"))

    def _tick(self) -> None:
        now = monotonic()
        passed, self._played = now - self._played, now
        self._go(self._at + passed * SPEEDS[self._speed])
        if self._replay is None or self._at >= self._replay.total:
            self._play(False)

    # Actions

    def action_play(self) -> None:
        """Play or pause; at the end, start over."""
        replay = self._replay
        if replay is None:
            return
        if not self._plays and self._at >= replay.total:
            self._at = 0.0
        self._play(not self._plays)

    def action_faster(self, by: int) -> None:
        """Take a faster (1) or slower (-1) speed."""
        self._speed = min(max(self._speed + by, 0), len(SPEEDS) - 1)
        self._show()

    def action_move(self, cells: int) -> None:
        """Move by cells of the slider."""
        self._go(self._at + cells * self.query_one(Slider).cell)

    def action_go(self, where: str) -> None:
        """Go to the first or the last moment."""
        self._go(0.0 if where == "start" or self._replay is None else self._replay.total)

    def action_epoch(self, by: int) -> None:
        """Go to the end of the next epoch (1), or of the one before (-1)."""
        main = self.charts.main
        times = main.curves[epoch_source("valid_ndcg")].xs("time") if main is not None else []
        index = bisect_right(times, self._at) if by > 0 else bisect_left(times, self._at) - 1
        if 0 <= index < len(times):
            self._go(times[index])

    def action_show_whole(self) -> None:
        """Show all of x; the moment stays."""
        charts = self.charts
        charts.look(replace(charts.view, window=None))
