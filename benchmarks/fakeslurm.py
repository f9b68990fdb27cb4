"""A Slurm that isn't there: its commands answer with delays and faults, its nodes train nothing.

``python -m benchmarks.fakeslurm FOLDER --nodes N`` puts ``sbatch``, ``squeue`` and ``scancel`` into
``FOLDER`` and plays controller and nodes, until it is ended. A job waits, gets a node, writes the
journal of an attempt line by line, and ends. How fast and how well is told by ``settings.json`` in
that folder (`Settings`), which is looked at all the time.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import random
import resource
import socketserver
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks.attempts import Line, end_line, start_line, training_lines
from engine.files.atomic import write_atomically
from engine.runfolder import RunFolder

COMMANDS = ("sbatch", "squeue", "scancel")
EPOCHS = 10_000
"""More than any job lasts."""
NODE_SECONDS = 1.0
"""Until a job for which no node was free asks again."""
LOOK_SECONDS = 0.02

# A shell starts in 2 ms, Python in ten times that.
_CLIENT = """\
#!/bin/bash
exec 3<>/dev/tcp/127.0.0.1/{port}
printf '%s\\0' "${{0##*/}}" "$@" >&3
printf '\\n' >&3
read -r status <&3
[ "$status" = 0 ] || exec >&2
cat <&3
exit "$status"
"""


@dataclass(frozen=True)
class Settings:
    """What jobs and commands are like from now on. Ranges are drawn from evenly."""

    line_seconds: float = 5.0
    """Between two lines of one journal."""
    lines: tuple[int, int] = (50, 1950)
    """Of one job; the greatest number also ends those that have written as many."""
    wait_seconds: tuple[float, float] = (1.0, 5.0)
    """From submission to start."""
    sbatch_seconds: tuple[float, float] = (0.006, 0.014)
    squeue_seconds: tuple[float, float] = (0.02, 0.05)
    failing: float = 0.0
    """Share of the commands that don't reach the controller."""
    hanging: float = 0.0
    """Share of the commands that answer only after ``hang_seconds``."""
    hang_seconds: float = 12.0
    kept_seconds: float = 300.0
    """So long a job that ended is still listed; Slurm's MinJobAge."""


def save_settings(folder: Path, settings: Settings) -> None:
    write_atomically(folder / "settings.json", json.dumps(asdict(settings)))


def load_settings(folder: Path) -> Settings:
    return Settings(**json.loads((folder / "settings.json").read_text()))


@dataclass
class Job:
    number: int
    name: str
    """``<store>/<run>/<attempt>``."""
    folder: RunFolder
    lines: int
    """That it will write, but for the first and the last."""
    state: str = "PENDING"
    node: str = ""
    ended: float | None = None
    """Monotonic."""
    journal: Journal | None = None

    @property
    def attempt(self) -> int:
        return int(self.name.rpartition("/")[2])

    def row(self) -> str:
        reason = "Priority" if self.state == "PENDING" else "None"
        return f"{self.number}|{self.state}|{reason}|sim|{self.node}|{self.name}\n"


class Journal:
    """One attempt's file. Unlike the worker's writer it has no thread, a thousand of which would
    take more of this machine than what is measured, and leaves ``fsync`` to nobody."""

    def __init__(self, job: Job) -> None:
        self._descriptor = os.open(job.folder.journal(job.attempt), os.O_WRONLY | os.O_CREAT)
        self._seq = count()
        self.written = 0
        self.training = training_lines(random.Random(job.name))

    def write(self, line: Line) -> None:
        kind, fields = line
        head = {"seq": next(self._seq), "t": round(time.time(), 3), "kind": kind}
        os.write(self._descriptor, json.dumps({**head, **fields}).encode() + b"\n")

    def close(self, end: Line) -> None:
        self.write(end)
        os.close(self._descriptor)


@dataclass
class Cluster:
    """Controller and nodes."""

    nodes: list[str]
    """Those that are free."""
    settings: Settings
    _jobs: dict[int, Job] = field(default_factory=dict)
    _due: list[tuple[float, int]] = field(default_factory=list)
    """When the next thing happens to a job (monotonic), as a heap."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, command: Sequence[str]) -> tuple[int, str]:
        """Exit status and output of one command."""
        settings, program = self.settings, command[0]
        quick = settings.squeue_seconds if program == "squeue" else settings.sbatch_seconds
        time.sleep(random.uniform(*quick))
        if random.random() < settings.hanging:
            time.sleep(settings.hang_seconds)
        if random.random() < settings.failing:
            return 1, f"{program}: error: Unable to contact slurm controller (connect failure)\n"
        with self._lock:
            if program == "sbatch":
                return 0, f"{self._submit(command)}\n"
            if program == "scancel":
                self._cancel(map(int, filter(str.isdecimal, command)))
                return 0, ""
            return 0, "".join(job.row() for job in self._jobs.values())

    def turn(self) -> None:
        """Let happen what is due."""
        now = time.monotonic()
        with self._lock:
            while self._due and self._due[0][0] <= now:
                job = self._jobs[heapq.heappop(self._due)[1]]
                if job.state in ("PENDING", "RUNNING"):
                    self._go_on(job)
                elif job.ended is not None and now - job.ended >= self.settings.kept_seconds:
                    del self._jobs[job.number]

    def _submit(self, command: Sequence[str]) -> int:
        options = dict(word[2:].split("=", 1) for word in command if word.startswith("--c"))
        name = next(word.partition("=")[2] for word in command if word.startswith("--job-name="))
        number = max(self._jobs, default=0) + 1
        folder = RunFolder(Path(options["chdir"]))
        self._jobs[number] = Job(number, name, folder, random.randint(*self.settings.lines))
        self._later(number, random.uniform(*self.settings.wait_seconds))
        return number

    def _cancel(self, numbers: map[int]) -> None:
        for number in numbers:
            job = self._jobs.get(number)
            if job is not None and job.ended is None:
                self._end(job, "CANCELLED", end_line("preempted", "stopped", "Told to stop."))

    def _go_on(self, job: Job) -> None:
        if job.journal is None:
            if not self.nodes:
                self._later(job.number, NODE_SECONDS)
                return
            job.node, job.state, job.journal = self.nodes.pop(), "RUNNING", Journal(job)
            kind, fields = start_line(job.attempt, EPOCHS)
            # Its process isn't one of this machine.
            elsewhere = {"host": job.node, "boot_id": job.node}
            job.journal.write((kind, {**fields, **elsewhere}))
            # Journals whose lines come at one moment would be a load of another kind.
            self._later(job.number, random.uniform(0, self.settings.line_seconds))
        elif job.journal.written < min(job.lines, self.settings.lines[1]):
            job.journal.written += 1
            job.journal.write(next(job.journal.training))
            self._later(job.number, self.settings.line_seconds)
        else:
            self._end(job, "COMPLETED", end_line("done", "completed", "All epochs are trained."))

    def _end(self, job: Job, state: str, line: Line) -> None:
        if job.journal is not None:
            job.journal.close(line)
            self.nodes.append(job.node)
        job.state, job.ended = state, time.monotonic()
        self._later(job.number, self.settings.kept_seconds)

    def _later(self, number: int, seconds: float) -> None:
        heapq.heappush(self._due, (time.monotonic() + seconds, number))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Call(socketserver.StreamRequestHandler):
    """One command: its words, each ended by a NUL, and a newline; status and output come back."""

    def __init__(self, cluster: Cluster, *arguments: object) -> None:
        self._cluster = cluster
        super().__init__(*arguments)  # type: ignore[arg-type]

    def handle(self) -> None:
        words = self.rfile.readline().decode().split("\0")[:-1]
        status, output = self._cluster.answer(words)
        self.wfile.write(f"{status}\n{output}".encode())


def serve(folder: Path, nodes: int) -> None:
    """Be the cluster until ended."""
    _raise_limit(nodes)
    cluster = Cluster([f"n{number:04}" for number in range(nodes)], load_settings(folder))
    with _Server(("127.0.0.1", 0), partial(_Call, cluster)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in COMMANDS:
            aside = folder / f"{name}.new"
            aside.write_text(_CLIENT.format(port=server.server_address[1]))
            aside.chmod(0o700)
            aside.replace(folder / name)
        while True:
            cluster.settings = load_settings(folder)
            cluster.turn()
            time.sleep(LOOK_SECONDS)


def _raise_limit(files: int) -> None:
    """Each running job keeps a file open."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files + 200
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fakeslurm")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--nodes", type=int, required=True)
    options = parser.parse_args()
    serve(options.folder, options.nodes)
