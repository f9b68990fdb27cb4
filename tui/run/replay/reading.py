"""Reading what a replay shows, in a thread: telemetry, and journal and log as one story."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.analysis.run.timeline import Timeline
from engine.files.regular import open_regular
from engine.runfolder import run_folder
from engine.store import queries, series
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.queries import Run
from tui.shell.events import epoch_text, event_line
from tui.shell.log_follower import Written, line_text
from tui.shell.run_log import in_order

SAMPLES = 4_000
"""Samples of telemetry kept at most."""

LOG_BYTES = 2_000_000
"""Bytes read of a log at most, from its end."""


@dataclass(frozen=True, slots=True)
class StoryLine:
    """A line of journal or log, and the time of the run, in seconds, at which it was written."""

    seconds: float
    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """A run from its first to its last moment."""

    run: Run
    timeline: Timeline
    moments: Sequence[float] = field(repr=False)
    """Seconds of running of each sample."""
    samples: Sequence[Mapping[str, Any]] = field(repr=False)
    """Rows of the table ``telemetry``, of the host and the first GPU."""
    stride: int
    """Every ``stride``-th sample is kept."""
    gpus: int
    """How many GPUs of the run are known to telemetry; the samples are of the first."""
    story: Sequence[StoryLine] = field(repr=False)
    marks: Sequence[tuple[float, str]]
    """Seconds of running that the slider marks, each with its sign."""

    @property
    def total(self) -> float:
        """Seconds of running."""
        return self.timeline.total

    def sample_at(self, seconds: float) -> int | None:
        """Index of the newest sample at a second of running, if its attempt has one."""
        index = bisect_right(self.moments, seconds) - 1
        span = self.timeline.span_at(seconds)
        if index < 0 or span is None or self.samples[index]["attempt"] != span.attempt:
            return None
        return index

    def lines_by(self, seconds: float) -> int:
        """How many lines of the story were there at a second of running."""
        return bisect_right(self.story, seconds, key=lambda line: line.seconds)


def read_run(location: StoreLocation, run_id: str) -> Replay | None:
    """Read a run; ``None`` if there is none, or if it never started.

    Raises:
        RunError: no run can have that id.
        StoreError: a store that can't be read.
    """
    log = run_folder(location.runs, run_id).log
    with closing(connect_reader(location)) as con:
        return read_replay(con, run_id, log)


def read_replay(con: sqlite3.Connection, run_id: str, log: Path) -> Replay | None:
    """Read a run with its log; ``None`` if there is no such run, or if it never started."""
    run = queries.get_run(con, run_id)
    timeline = Timeline(series.attempt_spans(con, run_id))
    if run is None or not timeline.spans:
        return None
    samples, stride = series.thinned_telemetry(con, run_id, SAMPLES)
    events = series.events(con, run_id)
    epochs = series.epoch_figures(con, run_id, ("loss", "valid_ndcg"))
    return Replay(
        run=run,
        timeline=timeline,
        moments=[_seconds(timeline, row) for row in samples],
        samples=samples,
        stride=stride,
        gpus=len(series.mean_utilization(con, run_id)),
        story=_story(timeline, events, epochs, _log_lines(log)),
        marks=_marks(run, timeline, events, epochs),
    )


def _seconds(timeline: Timeline, row: Mapping[str, Any] | sqlite3.Row) -> float:
    """The second of running at which a row of an attempt was written."""
    return timeline.seconds(row["attempt"], row["t"])


def _story(
    timeline: Timeline,
    events: Sequence[Mapping[str, Any]],
    epochs: Sequence[sqlite3.Row],
    log: Sequence[Written],
) -> list[StoryLine]:
    """Journal and log, in order.

    The journal has times. A line of the log stands where the journal next says how long the log
    was, and after all of it if it never does.
    """
    story = [*_epoch_lines(timeline, epochs)]
    journal = [event_line(event) for event in events]
    seconds = {(e["attempt"], e["seq"]): _seconds(timeline, e) for e in events}
    undated = []
    for written, line in in_order(log, journal):
        if line is None:
            undated.append(written)
        elif written is not None:
            story.append(StoryLine(seconds[line.place], written.text))
        else:
            style = "$primary" if line.kind == "start" else line.style
            story.append(StoryLine(seconds[line.place], line.text, style))
    story.sort(key=lambda line: line.seconds)
    if undated:
        rest = "log lines below have no timestamps"
        story.append(StoryLine(timeline.total, rest, "$text-disabled"))
        story += [StoryLine(timeline.total, each.text) for each in undated if each]
    return story


def _epoch_lines(timeline: Timeline, epochs: Sequence[sqlite3.Row]) -> Iterator[StoryLine]:
    for row in epochs:
        yield StoryLine(_seconds(timeline, row), epoch_text(dict(row)), "$text-muted")


def _log_lines(path: Path) -> list[Written]:
    """Read the end of a log."""
    try:
        with open_regular(path) as file:
            offset = max(0, file.seek(0, 2) - LOG_BYTES)
            file.seek(offset)
            data = file.read(LOG_BYTES)
    except OSError:
        return []
    lines = []
    for raw in data.split(b"\n"):
        offset += len(raw) + 1
        lines.append(Written(offset, line_text(raw)))
    if not lines[-1].text:
        lines.pop()
    return lines


def _marks(
    run: Run,
    timeline: Timeline,
    events: Sequence[Mapping[str, Any]],
    epochs: Sequence[sqlite3.Row],
) -> list[tuple[float, str]]:
    """Where attempts began, what was warned of, and the best epoch."""
    marks = [(span.before, "┃") for span in timeline.spans[1:]]
    marks += [(_seconds(timeline, each), "!") for each in events if each["kind"] == "warning"]
    marks += [(_seconds(timeline, row), "◆") for row in epochs if row["epoch"] == run.best_epoch]
    return sorted(marks)
