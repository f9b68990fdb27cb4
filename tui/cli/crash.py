"""What nobody foresaw: a file for whoever mends it, and a sentence for whoever met it."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
import traceback
from contextlib import suppress

from engine import __version__
from engine.errors import UserError
from engine.surroundings import user_folder


def report(error: Exception) -> str:
    """Write the details to a file; return the sentence that names it. Never raises."""
    problem = type(error).__name__
    with suppress(Exception):  # whatever the error's own words raise
        problem = f"{problem}: {error}".splitlines()[0][:300]
    where = "no file could be written"
    with suppress(Exception):
        where = f"details are in {_written(_details(error))}"
    return f"seqbench: unexpected: {problem}; please report it; {where}"


def _details(error: Exception) -> str:
    return "\n".join(
        [
            f"seqbench {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"command: {sys.argv}",
            "".join(traceback.format_exception(error)),
        ]
    )


def _written(text: str) -> str:
    """Write a text to a file among the user's logs, or else among temporary files; return its
    path. Raises `OSError`."""
    stem = time.strftime("error-%Y%m%d-%H%M%S-")
    try:
        folder = user_folder("log")
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(".txt", stem, folder)
    except (OSError, UserError):
        descriptor, name = tempfile.mkstemp(".txt", stem)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    return name
