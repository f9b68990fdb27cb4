"""The settings that a fitted model chose on validation, by the run's journals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.journal import JournalLine, read_journal
from engine.runfolder import RunFolder


def chosen_settings(folder: RunFolder) -> dict[str, Any] | None:
    """Return the settings of a run's best epoch; ``None`` if its journals don't tell."""
    best: Any = None
    tried: dict[Any, Any] = {}
    for _, path in folder.journals():
        for line in _lines(path):
            if line.kind == "epoch":
                tried[line.fields.get("epoch")] = line.fields.get("settings")
                best = line.fields.get("best_epoch")
    settings = tried.get(best)
    return settings if isinstance(settings, dict) else None


def _lines(journal: Path) -> Iterator[JournalLine]:
    chunk = read_journal(journal)
    while chunk.entries:
        yield from chunk.lines
        chunk = read_journal(journal, chunk.offset)
