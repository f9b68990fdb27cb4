"""The model of a run's configuration."""

from __future__ import annotations

import hashlib
from pathlib import Path

from engine import spec
from engine.modelinfo.copies import copy_path
from engine.models.definition import Definition
from engine.models.load import ModelFileError, load_definition, read_file, run_file


def definition_of(run: spec.RunSpec, file: Path | None = None) -> Definition:
    """Return the definition of a run's model.

    Args:
        file: the run's copy of its model's file; by default, the one that was kept when it was
            queued. Not used for a model that comes with seqbench.

    Raises:
        ModelFileError: the file isn't the one that the run was queued with, or can't be run.
    """
    if run.code is None:
        return load_definition(run.architecture.model)
    file = file or copy_path(run.code.sha256)
    content = read_file(file)
    if hashlib.sha256(content).hexdigest() != run.code.sha256:
        raise ModelFileError(f"{file} isn't {run.code.file} as the run was queued with it.")
    return run_file(file, content, run.code.package)
