"""The queue: one line a run, with its state, progress and what is left of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from engine.lifecycle import ENDED
from tui.live.reading import JobFacts, Run
from tui.shell.states import glyph, style_variable
from tui.shell.text import ABSENT, TITLE, ago, duration, number, plain, run_label
from tui.widgets.lines import Line, Lines, fit, progress_bar

HEADER_ROWS = 1

_BAR_REST = "$border-blurred"


class QueueTable(Lines, can_focus=True):
    """Lists runs; the cursor stays on its run when rows move."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Run before", show=False),
        Binding("down", "move(1)", "Next run", show=False),
        Binding("home", "move(-1000000)", "First run", show=False),
        Binding("end", "move(1000000)", "Last run", show=False),
    ]

    @dataclass
    class Selected(Message):
        """The cursor moved to another run: by the user, or because its run is gone."""

        run_id: str

    _runs: Sequence[Run] = ()
    _now = 0.0
    _jobs: Mapping[str, JobFacts] = MappingProxyType({})
    _selected: str | None = None
    _chosen = False
    """Whether the user moved the cursor."""
    _top = 0
    """Index of the first run in sight."""

    @property
    def selected(self) -> Run | None:
        """The run under the cursor, if any."""
        return next((run for run in self._runs if run.id == self._selected), None)

    def show(self, runs: Sequence[Run], now: float, jobs: Mapping[str, JobFacts] = _jobs) -> None:
        """Show the runs in their order, at the wall time ``now``, with jobs of a cluster by run.

        Until the user moves the cursor, it goes to the first run whenever its own is not running.
        """
        self._runs, self._now, self._jobs = runs, now, jobs
        selected = self.selected
        stay = selected is not None and (self._chosen or selected.state == "running")
        if runs and not stay:
            self._select(runs[0].id)
        if not runs:
            self._selected = None
        self.redraw()

    def summary(self) -> str:
        """``2 running · 3 queued``."""
        counts = Counter(run.state for run in self._runs)
        return " · ".join(
            f"{counts[state]} {state}" for state in ("running", "queued") if counts[state]
        )

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        if not self._runs:
            return
        index = self._index()
        self._choose(min(max(index + rows, 0), len(self._runs) - 1))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and offset.y >= HEADER_ROWS:
            index = self._top + offset.y - HEADER_ROWS
            if index < len(self._runs):
                self._choose(index)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_move(-1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_move(1)

    def on_focus(self) -> None:
        self.redraw()

    def on_blur(self) -> None:
        self.redraw()

    def draw(self, width: int, height: int) -> list[Line]:
        columns = _columns(width)
        rows = self._rows(height)
        index = self._index()
        self._top = min(max(self._top, index - rows + 1), index)
        self._top = max(0, min(self._top, len(self._runs) - rows))
        lines = [_header(columns)]
        before = sum(run.state == "running" for run in self._runs)
        for index, run in enumerate(self._runs[self._top : self._top + rows], self._top):
            line = _row(run, columns, self._now, index - before, self._jobs.get(run.id))
            if run.id == self._selected:
                line = _under_cursor(line, width, self.has_focus)
            lines.append(line)
        return lines

    def _rows(self, height: int) -> int:
        return max(1, height - HEADER_ROWS)

    def _index(self) -> int:
        return next((i for i, run in enumerate(self._runs) if run.id == self._selected), 0)

    def _choose(self, index: int) -> None:
        self._chosen = True
        self._select(self._runs[index].id)
        self.redraw()

    def _select(self, run_id: str) -> None:
        if run_id != self._selected:
            self._selected = run_id
            self.post_message(self.Selected(run_id))


def _columns(width: int) -> dict[str, int]:
    """Cells of each column that there is room for."""
    columns = {"state": 12, "run": 0, "progress": 16, "epoch": 9, "time": 12, "ndcg": 9,
               "device": 13}  # fmt: skip
    if width < 110:
        columns |= {"state": 1, "progress": 9, "time": 9, "epoch": 8, "device": 0}
    if width < 58:
        columns |= {"ndcg": 0}
    room = width - sum(size + 1 for size in columns.values() if size) - 1
    columns["run"] = min(max(room, 10), 44)
    if room > 44:
        columns["progress"] = min(columns["progress"] + room - 44, 26)
    return {name: size for name, size in columns.items() if size}


_TITLES = {
    "state": "state",
    "run": "run",
    "progress": "progress",
    "epoch": "epoch",
    "time": "time left",
    "ndcg": "best NDCG",
    "device": " device",
}
_TO_THE_RIGHT = frozenset({"epoch", "time", "ndcg"})


def _header(columns: dict[str, int]) -> Line:
    text = " ".join(
        fit(_TITLES[name] if size > 1 else "", size, ">" if name in _TO_THE_RIGHT else "<")
        for name, size in columns.items()
    )
    return [(text, "$text-disabled")]


def _row(run: Run, columns: dict[str, int], now: float, ahead: int, job: JobFacts | None) -> Line:
    """A run's line; ``ahead`` runs wait before it, if it waits."""
    pending = run.state == "running" and job is not None and job.waits
    state = "queued" if pending else run.state
    style = style_variable(state)
    line: Line = []
    for name, size in columns.items():
        if name == "state":
            said = "pending" if pending else plain(run.state)
            word = f"{glyph(state)} {said}" if size > 1 else glyph(state)
            line.append((fit(word, size) + " ", style))
        elif name == "progress" and pending:
            line.append((fit("on cluster", size - 1) + "  ", "$text-muted"))
        elif name == "progress":
            line += _bar(run, size - 1, ahead)
        else:
            text = _cell(run, name, now)
            padded = fit(text, size, ">" if name in _TO_THE_RIGHT else "<") + " "
            line.append((padded, "" if run.state in _BRIGHT else "$text-muted"))
    return line


_BRIGHT = frozenset({"running", "done"})


def _cell(run: Run, name: str, now: float) -> str:
    if name == "run":
        return run_label(run)
    if name == "epoch":
        return f"{run.epoch or 0}/{run.epochs}" if run.epochs else ABSENT
    if name == "time":
        return _time(run, now)
    if name == "ndcg":
        return number(run.best_valid_ndcg)
    return f" {plain(run.device or '', TITLE)}"


def _time(run: Run, now: float) -> str:
    """How long a running run will take; how long ago another ended."""
    if run.state == "running":
        return duration(run.eta_seconds)
    if run.state in ENDED and run.finished is not None:
        return ago(run.finished, now)
    return ABSENT


def _bar(run: Run, width: int, ahead: int) -> Line:
    """The share that is done as a bar, full for a run that stopped early; for a run that waits,
    its place in the queue."""
    if run.state == "queued":
        place = "next" if ahead == 0 else f"{ahead:,} ahead"
        return [(fit(place, width) + "  ", "$text-muted")]
    share = 1.0 if run.state == "done" else run.progress or 0.0
    bar = progress_bar(share, width, style_variable(run.state), _BAR_REST)
    return [*bar, ("  ", _BAR_REST)]


def _under_cursor(line: Line, width: int, focused: bool) -> Line:
    cursor = "$block-cursor" if focused else "$block-cursor-blurred"
    ground = f" on {cursor}-background"
    quiet = ("", "$text-muted")
    return [
        *((text, (f"{cursor}-foreground" if style in quiet else style) + ground)
          for text, style in line),
        (" " * width, ground),
    ]  # fmt: skip
