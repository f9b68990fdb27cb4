"""Processes forked from one that has torch loaded: loading it costs more than all that most do.

A process that seqbench starts in a test is what it would be, but that `AT_ONCE` stands in its
command in place of ``python -P -m``: a process that hands its streams and surroundings to the
zygote, which forks one that runs the module with them. Each of the two ends with the other.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PLACE = "SEQBENCH_TEST_ZYGOTE"
"""The environment's name for the folder with the zygote's socket."""

AT_ONCE = (sys.executable, "-I", "-S", __file__)

LOADED = ("torch._dynamo", "engine.worker.attempt", "engine.judge.fitting", "engine.models.load")
"""Modules of which most processes need some; counting the parameters of some models loads the
first."""


def start_zygote() -> subprocess.Popen[bytes]:
    """Start the zygote of this process and of those that it starts; it loads nothing before the
    first process is asked for."""
    folder = Path(tempfile.mkdtemp(prefix="zygote-"))
    os.environ[PLACE] = str(folder)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket"))
        listening.listen(64)
        given = listening.fileno()
        return subprocess.Popen(
            [sys.executable, "-P", __file__, "--serve", str(given)],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            stdin=subprocess.PIPE,  # which is closed when the one that starts it ends
            cwd=os.sep,
            pass_fds=[given],
            start_new_session=True,
        )


def _ask(module: str, arguments: list[str]) -> None:
    """Have the zygote fork a process with this one's streams, and end as it ends."""
    with socket.socket(socket.AF_UNIX) as zygote:
        zygote.connect(str(Path(os.environ[PLACE], "socket")))
        question = {"environment": dict(os.environ), "folder": str(Path.cwd())}
        text = json.dumps({**question, "words": [module, *arguments]}).encode()
        socket.send_fds(zygote, [len(text).to_bytes(8, "big")], [0, 1, 2])
        zygote.sendall(text)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):
            os.dup2(nothing, standard)
        answer = zygote.recv(8)
    status = int.from_bytes(answer, "big", signed=True) if answer else 1
    if status < 0:
        signal.signal(-status, signal.SIG_DFL) if -status != signal.SIGKILL else None
        os.kill(os.getpid(), -status)
    os._exit(status)


def _serve(listening: socket.socket) -> dict[str, Any]:
    """Fork a process for each that asks; return only in such a one, with what is asked of it."""
    loaded = False
    waiting: list[Any] = [listening, sys.stdin]
    while True:
        if sys.stdin in select.select(waiting, [], [])[0]:
            sys.exit()
        asking, _ = listening.accept()
        if not loaded:
            for name in LOADED:
                __import__(name)
            gc.freeze()
            loaded = True
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that keep processes
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listening.close()
            return _kept(asking)
        asking.close()


def _kept(asking: socket.socket) -> dict[str, Any]:
    """Fork the process and wait for its end, or for that of the one that asks; return in it."""
    length, streams, _, _ = socket.recv_fds(asking, 8, 3)
    text = b""
    while len(text) < int.from_bytes(length, "big"):
        text += asking.recv(1 << 16)
    child = os.fork()
    if child == 0:
        asking.close()
        for standard, given in enumerate(streams):
            os.dup2(given, standard)
            os.close(given)
        asked: dict[str, Any] = json.loads(text)
        return asked
    for given in streams:
        os.close(given)
    ended = os.pidfd_open(child)
    waiting: list[Any] = [asking, ended]
    if ended not in select.select(waiting, [], [])[0]:
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        asking.send(status.to_bytes(8, "big", signed=True))
    finally:
        os._exit(0)


def _become(asked: dict[str, Any]) -> None:
    """Run the module as ``python -P -m`` would."""
    import torch

    os.setsid()
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.path[:0] = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.argv = list(asked["words"])
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    if threads := os.environ.get("OMP_NUM_THREADS"):  # which torch reads when it is loaded
        torch.set_num_threads(int(threads))
    sys.modules.pop("__mp_main__", None)  # multiprocessing's name for this file
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        _become(_serve(socket.socket(fileno=int(sys.argv[2]))))
    else:
        _ask(sys.argv[1], sys.argv[2:])
