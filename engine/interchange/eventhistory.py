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

_PARTS = frozenset(
    ("train", "training", "valid", "validation", "val", "eval", "evaluation", "test", "testing")
)
"""Names of folders that hold a part of the run that the folder above is, as Keras writes them."""

Series = dict[str, dict[int, tuple[float, float]]]
"""Time (seconds since 1970) and value, by measure and step."""

Folder = tuple[Path, list[Path]]
"""A folder with its event files."""


def read_event_folders(source: Path, known: TagMap) -> Histories:
    """Read every folder below ``source`` that holds event files; each is one run.

    Folders such as ``train`` and ``validation`` belong to the run that the folder above is. A tag
    of such a folder may be mapped by its own name or, before that, as ``validation/tag``.

    Epochs are the steps at which a metric was logged (any figure, if no metric was), counted from
    1. A figure that was not logged at such a step keeps its last value. If a step was logged twice,
    as by a run that was resumed, the later record counts.

    Args:
        known: which measure each tag stands for, and how folders are named.

    Raises:
        UserError: a folder can't be read.
    """
    read = Histories([], [])
    for run, folders in _runs(source):
        series: Series = {}
        seen: set[str] = set()
        for folder, files in folders:
            part: Series = {}
            measures = _measures(known, folder)
            for path in files:
                problem = _take(path, measures, part, seen)
                if problem:
                    read.passed_over.append(f"{path} {problem}: everything before that is used.")
            read.passed_over.extend(_merge(folder, part, series))
        if series:
            named = known.fields_of(run.resolve().as_posix())
            read.histories.append(History(str(run), named, _epochs(series)))
        else:
            tags = ", ".join(shown(tag) for tag in sorted(seen)[:3]) or "no metric"
            read.passed_over.append(
                f"{run} is ignored: it has {tags}, none of which the map knows (--map)."
            )
    return read


def _runs(source: Path) -> list[tuple[Path, list[Folder]]]:
    """Return the folder of each run below ``source``, with those that hold its event files."""

    def refuse(error: OSError) -> None:
        raise UserError(f"{error.filename} can't be read: {error.strerror}.")

    runs: dict[Path, list[Folder]] = {}
    for name, names, files in os.walk(source, onerror=refuse):
        names.sort()
        if events := sorted(each for each in files if _EVENTS in each):
            folder = Path(name)
            is_part = folder != source and folder.name.casefold() in _PARTS
            run = folder.parent if is_part else folder
            runs.setdefault(run, []).append((folder, [folder / each for each in events]))
    return list(runs.items())


def _measures(known: TagMap, folder: Path) -> Mapping[str, str]:
    """Return the measure of each tag of a folder: that of ``validation/tag`` before ``tag``'s."""
    part = f"{folder.name}/"
    own = {
        tag.removeprefix(part): measure
        for tag, measure in known.tags.items()
        if tag.startswith(part)
    }
    return {tag: measure for tag, measure in ({**known.tags, **own}).items() if measure is not None}


def _merge(folder: Path, part: Series, series: Series) -> list[str]:
    """Add the values of a folder to those of its run; return a sentence for each measure that is
    left out because the run already has another value of it at a step."""
    refused = []
    for measure, at in part.items():
        before = series.setdefault(measure, at)
        twice = next((step for step in at if before.get(step, at[step])[1] != at[step][1]), None)
        if twice is not None:
            refused.append(
                f"{folder} has another {measure} at step {twice} than the folders next to it, "
                f"which is left out: map {folder.name + '/'}… to a measure of its own (--map)."
            )
        else:
            before.update(at)
    return refused


def _take(path: Path, measures: Mapping[str, str], series: Series, seen: set[str]) -> str | None:
    """Add the values of one file to ``series``, and tags that the map doesn't know to ``seen``;
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
