"""Folders for what a test process makes once and copies often."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path


def folder_aside(prefix: str) -> Path:
    """A new folder, which goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
