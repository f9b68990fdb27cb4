"""The files of users' own models in run folders, and which of them may run here."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from engine.errors import RunError
from engine.files.atomic import write_atomically
from engine.files.regular import read_regular
from engine.modelinfo.copies import kept_copy
from engine.runfolder import RunFolder
from engine.spec import Code
from engine.specfile import load_spec_file


def code_in(folder: RunFolder) -> Code | None:
    """Return the model file that a run was queued with; ``None`` if its model comes with seqbench.

    Raises:
        RunError: it is named in a way of another version.
        StoreError: its configuration can't be read.
    """
    return code_of(load_spec_file(folder).spec)


def code_of(spec: Mapping[str, Any]) -> Code | None:
    """Return the model file that a configuration names, if any.

    Raises:
        RunError: it names it in a way of another version.
    """
    found = spec.get("code")
    try:
        return None if found is None else Code.model_validate(found)
    except ValidationError:
        raise RunError(
            "It names its model's file in a way that this version doesn't know."
        ) from None


def allow_code(folder: RunFolder) -> None:
    """See to it that a run's folder has the model file that it was queued with, if any, before that
    file is run.

    A file that came in an archive, or in a run folder of others, is never run: only one that the
    user put where models are looked for.

    Raises:
        RunError: this user has no such file, or another version named it.
        StoreError: the run's configuration can't be read.
        OSError: the file can't be written.
    """
    code = code_in(folder)
    if code is None:
        return
    content = kept_copy(code.sha256)
    if content is None:
        raise RunError(
            f"{folder.run_id} needs {code.file} as it was then (SHA-256 {code.short}…). Code runs "
            "only from a file of yours: put that file into models/, then try again."
        )
    with suppress(OSError):
        if read_regular(folder.code) == content:
            return
    write_atomically(folder.code, content)


def save_code(folder: RunFolder, code: Code | None) -> None:
    """Write a run's model file into its folder, if the user still has it. Raises `OSError`."""
    content = None if code is None else kept_copy(code.sha256)
    if content is not None:
        write_atomically(folder.code, content)
