"""Whether the configuration is still the one that something was made of.

Only what the file system tells of its files is compared, before the classes are loaded that could
read them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from engine import __version__

Stamp = dict[str, object]
"""What a configuration depends on, for JSON: the version, what names its folders, and for each path
its time of change, size and inode, or null where there is nothing."""

MOST_PATHS = 1000
"""Folders with more are no configuration of ours, and looking at them would take long."""

SETTLE_SECONDS = 2.0
"""A file that changed less long ago might change again without another time or size."""


def take_stamp(folders: Iterable[Path], config_dir: Path | None) -> Stamp | None:
    """Take a stamp before the configuration is read.

    Args:
        folders: of the configuration; what lies in them and in their folders counts.
        config_dir: the value of ``--config-dir``.

    Returns:
        None where files would have to be looked at for long, or have only just changed.
    """
    paths = {_local(): None}
    for folder in folders:
        paths[folder] = None
        for each in _inside(folder):
            paths[each] = None
            paths |= dict.fromkeys(_inside(each))
            if len(paths) > MOST_PATHS:
                return None
    files = {str(path): _state(str(path)) for path in paths}
    newest = max((state[0] for state in files.values() if state), default=0)
    if newest / 1e9 > time.time() - SETTLE_SECONDS:
        return None
    return {"of": _named(config_dir), "files": files}


def is_current(stamp: object, config_dir: Path | None) -> bool:
    """Return whether what a stamp was taken of is unchanged."""
    if not isinstance(stamp, dict) or stamp.get("of") != _named(config_dir):
        return False
    files = stamp.get("files")
    return isinstance(files, dict) and all(_state(path) == state for path, state in files.items())


def _named(config_dir: Path | None) -> list[str]:
    return [
        __version__,
        str(_local()),
        str(config_dir),
        os.environ.get("SEQBENCH_CONFIG", ""),
        os.environ.get("SEQBENCH_MODEL_PATH", ""),
    ]


def _local() -> Path:
    """Return the folder that is read where it exists, though nobody names it."""
    with suppress(OSError):  # the folder that the process is in may be gone
        return Path("configs").absolute()
    return Path("configs")


def _inside(folder: Path) -> list[Path]:
    with suppress(OSError):
        return list(folder.iterdir())
    return []


def _state(path: str) -> list[int] | None:
    try:
        about = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return [about.st_mtime_ns, about.st_size, about.st_ino]
