"""What validation chose in a run, by the run's journals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.errors import DataError
from engine.journal import JournalLine, read_journal
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.training.chosen import Chosen


def chosen_of(folder: RunFolder) -> Chosen | None:
    """Return the best epoch of a run; ``None`` if its journals don't tell."""
    best: Any = None
    tried: dict[Any, Any] = {}
    for _, path in folder.journals():
        for line in _lines(path):
            if line.kind == "epoch":
                tried[line.fields.get("epoch")] = line.fields.get("settings")
                best = line.fields.get("best_epoch")
    settings = tried.get(best)
    if type(best) is not int or best < 1:
        return None
    return Chosen(best, settings if isinstance(settings, dict) else None)


def chosen_before(folder: RunFolder, spec: RunSpec) -> Chosen | None:
    """Return what a refit trains again; ``None`` for other runs.

    The run that chose may have been deleted since the refit began, whose own journals tell, too.

    Raises:
        DataError: neither of them tells.
    """
    if not spec.training.refit:
        return None
    if spec.refits and (found := chosen_of(RunFolder(folder.path.parent / spec.refits))):
        return found
    for _, path in reversed(folder.journals()):
        for line in _lines(path):
            told = line.fields.get("chosen")
            if line.kind == "start" and isinstance(told, dict):
                return Chosen(**told)
    raise DataError(
        f"The run whose chosen epoch is to be trained again, {spec.refits or 'unknown'}, isn't here"
        " any more, or has no epoch."
    )


def _lines(journal: Path) -> Iterator[JournalLine]:
    chunk = read_journal(journal)
    while chunk.entries:
        yield from chunk.lines
        chunk = read_journal(journal, chunk.offset)
