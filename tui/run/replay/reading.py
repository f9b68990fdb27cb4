"""What a replay shows, read once in a thread: telemetry, and journal and log as one story."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.analysis.timeline import Timeline
from tui.shell.text import number, plain

if TYPE_CHECKING:
    import sqlite3

    from engine.store.queries import Run

SAMPLES = 4_000
"""Of telemetry, kept at most."""

LOG_BYTES = 2_000_000
"""Of a log, its end, read at most."""

LINE = 2_000
"""Characters of a line."""

_EPOCH = ("loss", "valid_ndcg")


@dataclass(frozen=True, slots=True)
class Told:
    """A line, and when it was there: seconds of running."""

    seconds: float
    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """One run from its first to its last moment."""

    run: Run
    timeline: Timeline
    moments: Sequence[float] = field(repr=False)
    """Seconds of running of each sample."""
    samples: Sequence[Mapping[str, Any]] = field(repr=False)
    """Rows of the table ``telemetry``."""
    stride: int
    """Every so many-th sample is among them."""
    told: Sequence[Told] = field(repr=False)
    marks: Sequence[tuple[float, str]]
    """Moments to see on the slider, each with its sign."""

    @property
    def total(self) -> float:
        return self.timeline.total

    def sample_at(self, seconds: float) -> int | None:
        """Index of the newest sample of a moment's attempt."""
        index = bisect_right(self.moments, seconds) - 1
        span = self.timeline.span_at(seconds)
        if index < 0 or span is None or self.samples[index]["attempt"] != span.attempt:
            return None
        return index

    def told_by(self, seconds: float) -> int:
        """How many lines were there at a moment."""
        return bisect_right(self.told, seconds, key=lambda line: line.seconds)


def read_replay(con: sqlite3.Connection, run_id: str, log: Path) -> Replay | None:
    """Read a run; ``None`` if there is none, or if it never started."""
    from engine.store import queries

    run = queries.get_run(con, run_id)
    timeline = Timeline(queries.attempt_spans(con, run_id))
    if run is None or not timeline.spans:
        return None
    samples, stride = queries.thinned_telemetry(con, run_id, SAMPLES)
    events = queries.events(con, run_id)
    epochs = queries.epoch_figures(con, run_id, _EPOCH)
    return Replay(
        run=run,
        timeline=timeline,
        moments=[timeline.seconds(row["attempt"], row["t"]) for row in samples],
        samples=samples,
        stride=stride,
        told=_story(timeline, events, epochs, _log_lines(log)),
        marks=_marks(run, timeline, events, epochs),
    )


def _story(
    timeline: Timeline,
    events: Sequence[Mapping[str, Any]],
    epochs: Sequence[tuple[Any, ...]],
    log: Sequence[tuple[int, str]],
) -> list[Told]:
    """Journal and log, in order.

    The journal has times. A line of the log stands where the journal next says how long the log
    was, and after all of it if it never does.
    """
    told = [*_epochs(timeline, epochs)]
    written = 0
    for event in events:
        seconds = timeline.seconds(event["attempt"], event["t"])
        size = event.get("log_bytes")
        if isinstance(size, int):
            while written < len(log) and log[written][0] <= size:
                told.append(Told(seconds, log[written][1]))
                written += 1
        told += [Told(seconds, text, style) for text, style in _event(event)]
    told.sort(key=lambda line: line.seconds)
    if written < len(log):
        rest = "the log's lines from here on have no times"
        told.append(Told(timeline.total, rest, "$text-disabled"))
        told += [Told(timeline.total, text) for _, text in log[written:]]
    return told


def _epochs(timeline: Timeline, epochs: Sequence[tuple[Any, ...]]) -> Iterator[Told]:
    for epoch, attempt, t, _, _, _, loss, ndcg in epochs:
        text = f"epoch {epoch:>3}   loss {number(loss)}   valid NDCG {number(ndcg)}"
        yield Told(timeline.seconds(attempt, t), text, "$text-muted")


def _event(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kind, message = event["kind"], plain(str(event.get("message") or ""), LINE)
    if kind == "start":
        resumed = event.get("resumed_epoch")
        how = f"goes on after epoch {resumed}" if resumed else "starts"
        device = plain(str(event.get("device") or "its device"), 80)
        yield plain(f"attempt {event['attempt']} {how} on {device}"), "$primary"
    elif kind == "checkpoint":
        yield plain(f"checkpoint of epoch {event.get('epoch')}"), "$text-disabled"
    elif kind == "warning":
        yield f"warning: {message}", "$warning"
    elif kind == "end":
        failed = event.get("status") == "failed"
        yield (
            f"end: {message or plain(str(event.get('status')))}",
            "$error" if failed else "$success",
        )


def _log_lines(path: Path) -> list[tuple[int, str]]:
    """The end of a log: each line with the offset after it."""
    from engine.regular import open_regular

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
        newest = raw.rstrip(b"\r").rpartition(b"\r")[2][: 4 * LINE]
        lines.append((offset, plain(newest.decode(errors="replace"), LINE)))
    if not lines[-1][1]:
        lines.pop()
    return lines


def _marks(
    run: Run,
    timeline: Timeline,
    events: Sequence[Mapping[str, Any]],
    epochs: Sequence[tuple[Any, ...]],
) -> list[tuple[float, str]]:
    marks = [(span.before, "┃") for span in timeline.spans[1:]]
    marks += [
        (timeline.seconds(event["attempt"], event["t"]), "!")
        for event in events
        if event["kind"] == "warning"
    ]
    marks += [
        (timeline.seconds(attempt, t), "◆")
        for epoch, attempt, t, *_ in epochs
        if epoch == run.best_epoch
    ]
    return sorted(marks)
