"""Environment variables of the processes that seqbench starts, which run in other folders."""

from __future__ import annotations

import os

from engine.surroundings import code_folder, expanded

PATH_VARIABLES = ("SEQBENCH_DATA", "SEQBENCH_CACHE", "SEQBENCH_CONFIG")


def background_environment() -> dict[str, str]:
    """Return this process's environment with absolute paths, and with the code that runs here first
    on ``PYTHONPATH``."""
    environment = {**os.environ, **absolute_paths()}
    if (code := code_folder()) is not None:
        paths = [str(code), *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
        environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    return environment


def absolute_paths() -> dict[str, str]:
    """Return those of `PATH_VARIABLES` that are set, made absolute."""
    return {
        name: str(expanded(value).resolve())
        for name in PATH_VARIABLES
        if (value := os.environ.get(name))
    }


def thread_environment(threads: int) -> dict[str, str]:
    """Return the variables that set the number of threads of a process's numerical libraries, and
    how these threads wait.

    Threads that spin for long cost a shared machine several times the work; ones that never do cost
    a fifth of a small model's training, because waking them takes longer than many operations.
    """
    return {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",
        "GOMP_SPINCOUNT": "1000",  # some ten microseconds
    }
