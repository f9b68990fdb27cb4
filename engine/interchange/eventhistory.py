"""Reads the histories of runs from folders of TensorBoard event files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from engine.errors import UserError, shown
from engine.interchange.events import DamagedError, read_scalars
from engine.interchange.histories import MOST_SECONDS, EpochFigures, Histories, History
from engine.interchange.tagmap import TagMap

_EVENTS = "tfevents"
_METRICS = ("valid_", "test_")

Series = dict[str, dict[int, tuple[float, float]]]
"""Time (seconds since 1970) and figure, by measure and step."""


def read_event_folders(source: Path, known: TagMap) -> Histories:
    """Read every folder below ``source`` that holds event files; each is one run.

    Epochs are the steps at which a metric was logged (any figure, if no metric was), counted from
    1. A figure that was not logged at such a step keeps its last value. If a step was logged twice,
    as by a run that was resumed, the later record counts.

    Args:
        known: which measure each tag stands for, and how folders are named.

    Raises:
        UserError: a folder can't be read.
    """
    read = Histories([], [])
    for folder, files in _folders(source):
        series: Series = {}
        seen: set[str] = set()
        for path in files:
            problem = _take(path, known.measures(), series, seen)
            if problem:
                read.passed_over.append(f"{path} {problem}: what comes before it is taken.")
        if series:
            named = known.fields_of(folder.resolve().as_posix())
            read.histories.append(History(str(folder), named, _epochs(series)))
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
    """Add the figures of one file to ``series``, and tags that the map doesn't know to ``seen``;
    return what is wrong with the file, if anything."""
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


def _epochs(series: Series) -> list[EpochFigures]:
    metrics = [at for measure, at in series.items() if measure.startswith(_METRICS)]
    steps = sorted({step for at in metrics or series.values() for step in at})
    found = []
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
        found.append(EpochFigures(epoch, round(t, 3), dict(last)))
    return found
