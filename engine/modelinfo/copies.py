"""Copies of the files of users' own models, by the SHA-256 of their content.

Only a file that the user put where models are looked for is copied here, so a copy says that its
code may run. Archives, data and run folders of others never get here.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from engine.errors import UserError
from engine.files.atomic import write_atomically
from engine.files.regular import read_regular
from engine.surroundings import user_folder


def keep_copy(content: bytes) -> str:
    """Keep a copy of a model's file, and return the SHA-256 of its content.

    Raises:
        UserError: the copy can't be written.
    """
    digest = hashlib.sha256(content).hexdigest()
    path = copy_path(digest)
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(path, content)
    except OSError as error:
        raise UserError(
            f"A copy of the model's file can't be kept in {path.parent} ({error.strerror}): make "
            "room there, or set XDG_STATE_HOME to another folder."
        ) from None
    return digest


def kept_copy(sha256: str) -> bytes | None:
    """Return the content of a model's file with this SHA-256; ``None`` if no such file was kept, or
    its copy was changed."""
    try:
        content = read_regular(copy_path(sha256))
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None


def copy_path(sha256: str) -> Path:
    """Return where the copy with this SHA-256 is, if there is one."""
    return user_folder("state") / "models" / f"{sha256}.py"
