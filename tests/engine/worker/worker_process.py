"""The real worker as real processes, each with conditions of its own."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from forked import CONTEXT


@dataclass(frozen=True)
class Conditions:
    """What a worker meets."""

    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    halt: tuple[str, int] | None = None
    """Kind and count of the journal's lines after which it stops itself (SIGSTOP)."""
    limits: Mapping[int, int] = field(default_factory=dict)
    """Bytes, by `resource`'s number."""
    cores: frozenset[int] = frozenset()
    """Numbers of the cores that it may run on; all that it is given, if empty."""
    constants: Mapping[str, float | Path] = field(default_factory=dict)
    """Values by module and name, such as ``engine.training.loop:CHECKPOINT_SECONDS``."""


def start_worker(
    arguments: list[str], log: Path, conditions: Conditions, module: str = "engine.worker"
) -> BaseProcess:
    """``python -m engine.worker`` with these arguments; both its streams go to ``log``.

    Args:
        module: another one that is started in its place.
    """
    process = CONTEXT.Process(target=_work, args=(arguments, log, conditions, module), daemon=True)
    process.start()
    return process


def is_stopped(process: BaseProcess) -> bool:
    """Whether it stands still after SIGSTOP."""
    stat = Path(f"/proc/{process.pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "T"


def _work(arguments: list[str], log: Path, conditions: Conditions, module: str) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    if conditions.cores:
        os.sched_setaffinity(0, conditions.cores)
    os.environ.clear()
    os.environ.update(conditions.environment)
    sys.argv = ["worker", *arguments]

    from engine.journal import JournalWriter

    main = import_module(f"{module}.__main__").main

    for place, value in conditions.constants.items():
        changed, _, name = place.partition(":")
        setattr(import_module(changed), name, value)
    if conditions.halt is not None:
        writer: Any = JournalWriter
        writer.write = _halting(writer.write, *conditions.halt)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for number, size in conditions.limits.items():
        resource.setrlimit(number, (size, size))
    sys.exit(main())


def _halting(write: Callable[..., None], halting: str, count: int) -> Callable[..., None]:
    """The journal's ``write``, which stops the process after so many lines of a kind."""
    left = count

    def write_and_halt(journal: Any, kind: str, **fields: Any) -> None:
        nonlocal left
        write(journal, kind, **fields)
        left -= kind == halting
        if kind == halting and left == 0:
            os.kill(os.getpid(), signal.SIGSTOP)

    return write_and_halt
