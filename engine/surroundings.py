"""Facts about the user's surroundings that may be missing, as in a container, each with its
replacement: the name, the home folder, folders for caches and memory, the working folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Literal

import engine
from engine.errors import UsageError, UserError, shown

REMEDY = "set HOME to a folder of yours, or name one in SEQBENCH_CACHE"


def user_name() -> str:
    """Return the user's name, or the uid in digits where the system knows no name."""
    try:
        import getpass  # not before the app's first paint

        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def expanded(path: str | Path) -> Path:
    """Replace a ``~`` at the beginning by the home folder. Raises `UsageError` where none is
    known."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UsageError(
            f"no home folder is known for the ~ of {path}: set HOME, or write the whole path."
        ) from None


def refuse_undecodable(path: Path) -> None:
    """Raise `UsageError` for a path that can't be kept as text: what stands in YAML or in the store
    is UTF-8."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise UsageError(f"{shown(str(path))} isn't a name in UTF-8: rename it.") from None


def working_folder() -> Path:
    """Return the folder that the process is in. Raises `UsageError` if it was deleted."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UsageError("the folder that you are in was deleted: cd to another one.") from None


def user_folder(kind: Literal["cache", "state", "log"]) -> Path:
    """Return the user's folder for a kind of files of ours: where XDG variables or the home folder
    say, else one below the folder for temporary files, which is made.

    Raises:
        UserError: there is neither.
    """
    return _of_platform(kind) or _temporary_folder() / kind


def config_folder() -> Path | None:
    """Return the folder of the user's preferences; ``None`` where no home folder is known."""
    return _of_platform("config")


def code_folder() -> Path | None:
    """Return the folder that holds the running code; ``None`` if Python finds it by itself."""
    import sysconfig  # only starting a process needs it

    code = Path(engine.__file__).resolve().parent.parent
    # Installed packages are found anyway, and before the standard library they could hide it.
    installed = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    return None if code in installed else code


def _of_platform(kind: str) -> Path | None:
    import platformdirs  # small commands need no such folder

    try:
        found = Path(getattr(platformdirs, f"user_{kind}_path")("seqbench"))
    except RuntimeError:
        return None
    return found if found.is_absolute() else None  # some releases leave the ~ in it


def _temporary_folder() -> Path:
    """Make a folder for temporary files that nobody else has put there. Raises `UserError`."""
    import tempfile  # the same

    try:
        folder = Path(tempfile.gettempdir()) / f"seqbench-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        about = folder.lstat()
    except OSError:
        raise UserError(
            f"no home folder is known, and no temporary one can be written: {REMEDY}."
        ) from None
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o022:
        raise UserError(f"no home folder is known, and {folder} is open to others: {REMEDY}.")
    return folder
