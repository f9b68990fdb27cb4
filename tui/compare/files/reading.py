"""Inspecting runs to import, and importing them, in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from engine.config import load_catalogue
from engine.errors import UserError
from engine.interchange.source import Found, look, take
from engine.progress import OnProgress
from engine.store.location import StoreLocation
from tui.shell.text import count, short_path

Configuration = tuple[Path | None, Sequence[Path]]

_NAMED = 3
"""The number of found runs that are named."""


def look_at(path: Path, location: StoreLocation, configuration: Configuration) -> str:
    """Describe what can be imported from a path.

    Args:
        configuration: `Lab.config_dir` and `Lab.model_paths`.

    Raises:
        UserError: it can't be imported.
    """
    try:
        return _found_text(look(path, location, partial(load_catalogue, *configuration)))
    except (OSError, ValueError) as error:  # a path that no file can have
        why = getattr(error, "strerror", None) or error
        raise UserError(f"{path} can't be read: {why}.") from None


def take_in(
    path: Path, location: StoreLocation, configuration: Configuration, on_progress: OnProgress
) -> str:
    """Import from a path; return a sentence on what was imported.

    Raises:
        UserError, OSError, sqlite3.Error: it can't be imported; nothing was changed then.
    """
    imported, _ = take(
        path, location, partial(load_catalogue, *configuration), on_progress=on_progress
    )
    there = f", {len(imported.present):,} were here already" if imported.present else ""
    other = f", {len(imported.renamed):,} under another id" if imported.renamed else ""
    return f"{count(len(imported.added), 'run')} from {short_path(path, 40)}{there}{other}"


def _found_text(found: Found) -> str:
    """Say in a few lines what was found."""
    size = f", {found.bytes / 2**20:,.1f} MiB" if found.is_archive else ""
    what = "An archive" if found.is_archive else "History of another program"
    names = ", ".join(found.runs[:_NAMED])
    more = f" and {len(found.runs) - _NAMED:,} more" if len(found.runs) > _NAMED else ""
    lines = [f"{what} with {count(len(found.runs), 'run')}{size}: {names}{more}."]
    if found.there:
        lines.append(
            f"Ids already in the store: {found.there:,}. An identical run is skipped; "
            "a different one gets a longer id."
        )
    if not found.is_archive:
        lines.append("Its runs are marked, and left out of means and significance tests.")
    if found.passed_over:
        rest = len(found.passed_over) - 1
        lines.append(
            found.passed_over[0] + (f" {rest:,} more parts contain no run." if rest else "")
        )
    return "\n".join([*lines, "Press Enter again to import."])
