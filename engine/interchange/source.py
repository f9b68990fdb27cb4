"""What a path holds that can be imported, an archive or other programs' history; taking it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UsageError
from engine.interchange.history import import_history, read_history
from engine.interchange.place import Imported
from engine.interchange.unpack import manifest_of, unpack
from engine.store.location import StoreLocation


@dataclass(frozen=True)
class Found:
    """What lies there, before anything of it is taken in."""

    is_archive: bool
    runs: tuple[str, ...]
    """Their ids."""
    there: int
    """How many of these the store has."""
    bytes: int = 0
    """Of an archive's files."""
    passed_over: tuple[str, ...] = ()
    """A sentence for each part of a history that gives no run."""


def is_history(source: Path) -> bool:
    """Whether it is history of another program, by its looks; else it is taken for an archive."""
    return source.is_dir() or source.name.lower().endswith(".csv")


def look(source: Path, location: StoreLocation, config_dir: Path | None = None) -> Found:
    """What is there. Of an archive only the table of contents is read.

    Raises:
        UserError: it can't be read, or there is nothing in it that can be imported.
    """
    if is_history(source):
        histories, passed_over = read_history(source, config_dir)
        runs, size, sentences = tuple(histories), 0, tuple(passed_over)
    else:
        manifest = manifest_of(source)
        runs, size, sentences = tuple(manifest.runs), manifest.bytes, ()
    there = sum(location.folder(run).path.exists() for run in runs)
    return Found(not is_history(source), runs, there, size, sentences)


def take(
    source: Path,
    location: StoreLocation,
    config_dir: Path | None = None,
    tag_map: Path | None = None,
    fixed: Mapping[str, str] | None = None,
    suite: str | None = None,
) -> tuple[Imported, list[str]]:
    """Take it into the store, and what was passed over. The arguments are `import_history`'s.

    Raises:
        UsageError: what an archive says itself is said beside it.
        UserError: see `unpack` and `import_history`; nothing was changed then.
    """
    if is_history(source):
        return import_history(source, location, config_dir, tag_map, fixed, suite)
    if fixed or tag_map is not None or suite is not None:
        raise UsageError("an archive says itself what is in it: leave the other options.")
    return unpack(source, location), []
