"""What nobody foresaw: a file for whoever mends it, and a sentence for whoever met it."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path

import platformdirs

from engine import __version__


def report(error: Exception) -> str:
    """Write the details to a file; return the sentence that names it."""
    problem = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    text = "\n".join(
        [
            f"seqbench {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"command: {sys.argv}",
            "".join(traceback.format_exception(error)),
        ]
    )
    for folder in (_log_folder(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(
                ".txt", time.strftime("error-%Y%m%d-%H%M%S-"), folder
            )
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
        except OSError:
            continue
        return f"seqbench: unexpected: {problem}; please report it; details are in {name}"
    return f"seqbench: unexpected: {problem}; please report it (no file could be written)"


def _log_folder() -> Path:
    return platformdirs.user_log_path("seqbench")
