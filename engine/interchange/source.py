"""Imports from a path, which is an archive or the history of another program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.config import Catalogue, load_catalogue
from engine.errors import UsageError
from engine.interchange.history import import_history, read_history
from engine.interchange.manifest import CODE, Manifest
from engine.interchange.place import Imported
from engine.interchange.unpack import manifest_of, unpack
from engine.progress import OnProgress, untold
from engine.store.location import StoreLocation


@dataclass(frozen=True)
class Found:
    """What a path holds, before anything is imported."""

    is_archive: bool
    runs: tuple[str, ...]
    """Ids of its runs."""
    there: int
    """How many of these runs the store has already."""
    bytes: int = 0
    """Size of an archive's files; 0 for a history."""
    passed_over: tuple[str, ...] = ()
    """A sentence for each part that can't be used."""


def is_history(source: Path) -> bool:
    """Return whether a path is history of another program: a folder or a CSV file. Anything else is
    taken for an archive."""
    return source.is_dir() or source.name.lower().endswith(".csv")


def look(
    source: Path, location: StoreLocation, load: Callable[[], Catalogue] = load_catalogue
) -> Found:
    """Tell what a path holds. Of an archive only the manifest is read.

    Raises:
        UserError: the path can't be read, or holds nothing that can be imported.
    """
    if is_history(source):
        histories, passed_over = read_history(source, load)
        runs, size, sentences = tuple(histories), 0, tuple(passed_over)
    else:
        manifest = manifest_of(source)
        runs, size, sentences = tuple(manifest.runs), manifest.bytes, tuple(_code(manifest))
    there = sum(location.folder(run).path.exists() for run in runs)
    return Found(not is_history(source), runs, there, size, sentences)


def take(
    source: Path,
    location: StoreLocation,
    load: Callable[[], Catalogue] = load_catalogue,
    tag_map: Path | None = None,
    fixed: Mapping[str, str] | None = None,
    suite: str | None = None,
    on_progress: OnProgress = untold,
) -> tuple[Imported, list[str]]:
    """Import a path into the store; return also what was passed over. The arguments are those of
    `import_history`.

    Raises:
        UsageError: an option was given that only a history takes.
        UserError: see `unpack` and `import_history`; nothing was changed then.
    """
    if is_history(source):
        return import_history(source, location, load, tag_map, fixed, suite, on_progress)
    if fixed or tag_map is not None or suite is not None:
        raise UsageError("an archive says what is in it: leave out the other options.")
    return unpack(source, location, on_progress), _code(manifest_of(source))


def _code(manifest: Manifest) -> list[str]:
    """Return a sentence if an archive holds files of models."""
    number = sum(CODE in files for files in manifest.runs.values())
    if not number:
        return []
    theirs = f"{number:,} runs have" if number > 1 else "A run has"
    return [
        f"{theirs} a model of its own in {CODE}, which is kept but not run: to retry or continue "
        "such a run, or to see its predictions, put that file into models/ yourself."
    ]
