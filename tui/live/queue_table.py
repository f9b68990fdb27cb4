"""The queue: one line per run, with its state, progress and time left."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message

from engine.lifecycle import ENDED, UNFINISHED
from tui.live.reading import JobFacts, Run
from tui.shell.states import ANNOTATED, glyph, style_variable
from tui.shell.text import (
    ABSENT,
    TITLE,
    ago,
    duration,
    epochs_text,
    fitting,
    number,
    plain,
    run_label,
)
from tui.widgets.lines import Line, Lines, fit, progress_bar

HEADER_ROWS = 1
LEAST_ROWS, MOST_ROWS = 2, 12
"""Runs that are in sight at once, at least and at most."""

_NAMED = 14
"""Cells in which the run is named that another waits for, and from which on there is room."""
_BAR_REST = "$border-blurred"


class QueueTable(Lines, can_focus=True):
    """Lists runs, as high as they need. The cursor stays on its run when rows move. Where not all
    runs fit, running ones stay on top and the others scroll below them."""

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
    _labels: Mapping[str, str] = MappingProxyType({})
    _words: Sequence[str] = ()
    """Said in the frame."""
    _selected: str | None = None
    _chosen = False
    """Whether the user moved the cursor."""
    _pinned = 0
    """Runs at the top that don't scroll."""
    _top = 0
    """Index of the first run in sight below those."""
    _high = 0
    """Rows of runs when the height was last asked for."""

    @property
    def selected(self) -> Run | None:
        """The run under the cursor, if any."""
        return next((run for run in self._runs if run.id == self._selected), None)

    def show(
        self,
        runs: Sequence[Run],
        now: float,
        jobs: Mapping[str, JobFacts] = _jobs,
        labels: Mapping[str, str] = _labels,
    ) -> None:
        """Show the runs in their order, at the wall time ``now``.

        Until the user moves the cursor, it goes to the first run whenever its own is not running.

        Args:
            jobs: jobs of a cluster, by run.
            labels: in what runs differ from others of the queue in settings, by run.
        """
        self._runs, self._now, self._jobs, self._labels = runs, now, jobs, labels
        selected = self.selected
        stay = selected is not None and (self._chosen or selected.state == "running")
        if runs and not stay:
            self._select(runs[0].id)
        if not runs:
            self._selected = None
        if self.is_attached and (wanted := self._wanted(self.screen.size.height)) != self._high:
            self._high = wanted
            self.refresh(layout=True)
        self.redraw()

    def name_of(self, run: Run) -> str:
        """Name a run, with what tells it from others of the queue."""
        return run_label(run, settings=self._label_of(run))

    def _label_of(self, run: Run) -> str:
        """What tells a run from others of the queue; of a trial its number first."""
        label = self._labels.get(run.id, "")
        return label if run.trial is None else f"trial {run.trial} {label}".rstrip()

    def summary(self) -> list[str]:
        """How many runs are in each unfinished state: ``2 running`` and ``3 queued``."""
        counts = Counter(run.state for run in self._runs)
        return [f"{counts[state]:,} {state}" for state in ("running", "queued") if counts[state]]

    def entitle(self, words: Sequence[str]) -> None:
        """Name the frame, with as many of the words as there is room for."""
        self._words = words
        self.name_frame(fitting(["Queue", *words], max(self.size.width - 6, 10)))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """As many rows as there are runs, up to about a fifth of the terminal's."""
        self._high = self._wanted(viewport.height)
        return HEADER_ROWS + self._high

    def _wanted(self, terminal: int) -> int:
        running = sum(run.state == "running" for run in self._runs)
        share = max(terminal // 5, min(running + 1, terminal // 3))
        return max(LEAST_ROWS, min(len(self._runs), share, MOST_ROWS))

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        if not self._runs:
            return
        index = min(max(self._index() + rows, 0), len(self._runs) - 1)
        if index < self._pinned:
            self._top = self._pinned
        self._choose(index)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and offset.y >= HEADER_ROWS:
            row = offset.y - HEADER_ROWS
            index = row if row < self._pinned else self._top + row - self._pinned
            if index < len(self._runs):
                self._choose(index)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_move(-1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_move(1)

    def on_resize(self) -> None:
        self.entitle(self._words)
        super().on_resize()

    def on_focus(self) -> None:
        self.redraw()

    def on_blur(self) -> None:
        self.redraw()

    def draw(self, width: int, height: int) -> list[Line]:
        columns = _columns(width)
        running = sum(run.state == "running" for run in self._runs)
        self._scroll(self._rows(height), running)
        end = self._top + self._rows(height) - self._pinned
        shown = [*enumerate(self._runs[: self._pinned]),
                 *enumerate(self._runs[self._top : end], self._top)]  # fmt: skip
        fits = [epochs_text(run) for _, run in shown if run.fitted]
        named = all(len(text) <= columns["epoch"] for text in fits)
        paused = [index for index, run in enumerate(self._runs) if run.held]
        lines = [_header(columns, self._top - self._pinned, len(self._runs) - end)]
        for index, run in shown:
            ahead = index - running - bisect_left(paused, index)
            waits = _waits(run, ahead, self._runs)
            job, label = self._jobs.get(run.id), self._label_of(run)
            line = _row(run, columns, self._now, waits, job, label, named)
            if run.id == self._selected:
                line = _under_cursor(line, width, self.has_focus)
            lines.append(line)
        return lines

    def _scroll(self, rows: int, running: int) -> None:
        """Bring the cursor's run into sight, and the running ones where they leave room for it."""
        total, index = len(self._runs), self._index()
        self._pinned = running if running < rows < total else 0
        room = rows - self._pinned
        if index >= self._pinned:
            self._top = min(max(self._top, index - room + 1), index)
        self._top = max(self._pinned, min(self._top, total - room))

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
    columns = {"state": 12, "run": 0, "progress": 16, "epoch": 9, "time": 13, "ndcg": 10,
               "device": 13}  # fmt: skip
    if width < 110:
        columns |= {"state": 1, "progress": 9, "epoch": 8, "device": 0}
    if width < 70:
        columns |= {"progress": 0}
    if width < 56:
        columns |= {"ndcg": 0, "epoch": 7, "time": 9}
    room = width - sum(size + 1 for size in columns.values() if size) - 1
    columns["run"] = min(max(room, 10), 44)
    if room > 44 and columns["progress"]:
        columns["progress"] = min(columns["progress"] + room - 44, 26)
    return {name: size for name, size in columns.items() if size}


_TITLES = {
    "state": "state",
    "run": "run",
    "progress": "progress",
    "epoch": "epoch",
    "time": "left / ended",
    "ndcg": "best NDCG",
    "device": " device",
}
_SHORT_TITLES = {"time": "left", "run": "run"}
_TO_THE_RIGHT = frozenset({"epoch", "time", "ndcg"})


def _header(columns: dict[str, int], above: int, below: int) -> Line:
    """The columns' titles, and how many runs are hidden above and below."""
    line: Line = []
    for name, size in columns.items():
        title = _SHORT_TITLES.get(name, "") if size < len(_TITLES[name]) else _TITLES[name]
        text = fit(title, size, ">" if name in _TO_THE_RIGHT else "<") + " "
        if name == "run" and (hidden := _hidden(above, below, size - len(title) - 2)):
            line += [
                (f"{title}  ", "$text-disabled"),
                (fit(hidden, size - len(title) - 1), "$accent"),
            ]
        else:
            line.append((text, "$text-disabled"))
    return line


def _hidden(above: int, below: int, width: int) -> str:
    """Say how many runs are out of sight: ``▲ 4 more  ▼ 7 more``."""
    counts = [f"{sign} {number:,}" for sign, number in (("▲", above), ("▼", below)) if number > 0]
    words = "  ".join(f"{count} more" for count in counts)
    return words if len(words) <= width else " ".join(counts)


def _waits(run: Run, ahead: int, runs: Sequence[Run]) -> str:
    """Say what a run in the queue waits for: the run that it refits, or those before it; a paused
    trial of a study for other trials."""
    first = next((each for each in runs if each.id == run.refits), None)
    if first is not None and first.state in UNFINISHED:
        return f"waits for {run_label(first, _NAMED)}"
    if run.held:
        return "paused"
    return "next" if ahead == 0 else f"{ahead:,} ahead"


def _row(
    run: Run,
    columns: dict[str, int],
    now: float,
    waits: str,
    job: JobFacts | None,
    label: str,
    named: bool,
) -> Line:
    """A run's line; ``waits`` says for what, if it waits; fits are ``named`` as such in all lines
    or in none."""
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
            line += _bar(run, size - 1, waits)
        else:
            text = _cell(run, name, size, now, label, named)
            padded = fit(text, size, ">" if name in _TO_THE_RIGHT else "<") + " "
            line.append((padded, "" if run.state in _BRIGHT else "$text-muted"))
    return line


_BRIGHT = frozenset({"running", "done"})


def _cell(run: Run, name: str, size: int, now: float, label: str, named: bool) -> str:
    if name == "run":
        sign = f" {ANNOTATED}" if run.annotated else ""
        return run_label(run, size - len(sign), label) + sign
    if name == "epoch":
        return epochs_text(run, named=named)
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


def _bar(run: Run, width: int, waits: str) -> Line:
    """The share that is done as a bar, full for a run that stopped early; for a run that waits,
    what it waits for."""
    if run.state == "queued":
        said = waits.partition(" for ")[0] if width < _NAMED else waits
        return [(fit(said, width) + "  ", "$text-muted")]
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
