"""Runs out of folders of TensorBoard event files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from engine.errors import UserError, shown
from engine.interchange.events import DamagedError, read_scalars
from engine.interchange.foreign import MOST_SECONDS, History, Moment, Read
from engine.interchange.tagmap import TagMap

_EVENTS = "tfevents"
_METRICS = ("valid_", "test_")

Series = dict[str, dict[int, tuple[float, float]]]
"""By measure and step: time and figure."""


def read_event_folders(source: Path, known: TagMap) -> Read:
    """Every folder from ``source`` on that has event files is a run.

    An epoch is a step at which one of the metrics was logged, counted from 1; where none was, a
    step of any figure. A figure that wasn't logged at that step is the last one before it. Of a
    step that was logged twice, as by a run that was resumed, the later one counts.

    Raises:
        UserError: a folder can't be read.
    """
    read = Read([], [])
    for folder, files in _folders(source):
        series: Series = {}
        seen: set[str] = set()
        for path in files:
            problem = _take(path, known.measures(), series, seen)
            if problem:
                read.passed_over.append(f"{path} {problem}: what comes before it is taken.")
        if series:
            told = known.told_by(folder.resolve().as_posix())
            read.histories.append(History(str(folder), told, _moments(series)))
        else:
            tags = ", ".join(shown(tag) for tag in sorted(seen)[:3]) or "no figure"
            read.passed_over.append(
                f"{folder} is passed over: it has {tags}, and the map knows none of it (--map)."
            )
    return read


def _folders(source: Path) -> list[tuple[Path, list[Path]]]:
    def refuse(error: OSError) -> None:
        raise UserError(f"{error.filename} can't be read: {error.strerror}.")

    found = []
    for folder, names, files in os.walk(source, onerror=refuse):
        names.sort()
        if events := sorted(name for name in files if _EVENTS in name):
            found.append((Path(folder), [Path(folder, name) for name in events]))
    return found


def _take(path: Path, measures: Mapping[str, str], series: Series, seen: set[str]) -> str | None:
    """Add a file's figures; what is wrong with it."""
    try:
        for event in read_scalars(path):
            t = event.t if 0 <= event.t < MOST_SECONDS else 0.0
            for tag, value in event.values.items():
                if measure := measures.get(tag):
                    at = series.setdefault(measure, {})
                    if event.step not in at or at[event.step][0] <= t:
                        at[event.step] = (t, value)
                elif len(seen) < 1000:
                    seen.add(tag)
    except OSError as error:
        return f"can't be read ({error.strerror})"
    except DamagedError as error:
        return str(error)
    return None


def _moments(series: Series) -> list[Moment]:
    metrics = [at for measure, at in series.items() if measure.startswith(_METRICS)]
    steps = sorted({step for at in metrics or series.values() for step in at})
    moments = []
    last: dict[str, float] = {}
    waiting = {measure: sorted(at.items(), reverse=True) for measure, at in series.items()}
    for epoch, step in enumerate(steps, 1):
        t = 0.0
        for measure, left in waiting.items():
            while left and left[-1][0] <= step:
                at, (when, value) = left.pop()
                last[measure] = value
                if at == step:
                    t = max(t, when)
        moments.append(Moment(epoch, round(t, 3), dict(last)))
    return moments
