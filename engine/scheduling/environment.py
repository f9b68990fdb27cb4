"""The environment of background processes, which stand in another folder than we do."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import engine

PATH_VARIABLES = ("SEQBENCH_DATA", "SEQBENCH_CACHE", "SEQBENCH_CONFIG")


def background_environment() -> dict[str, str]:
    """Ours, with paths made absolute, and with the code that we run found first."""
    environment = dict(os.environ)
    for name in PATH_VARIABLES:
        if value := environment.get(name):
            environment[name] = str(Path(value).expanduser().resolve())
    code = Path(engine.__file__).resolve().parent.parent
    # Installed packages are found anyway, and before the standard library they could hide it.
    if code not in {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}:
        paths = [str(code), *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
        environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    return environment
