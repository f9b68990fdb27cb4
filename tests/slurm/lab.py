"""A store whose runs are jobs, and what tests want to know of it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml
from cluster import Cluster

from engine.config import load_catalogue
from engine.files.lock import read_holder
from engine.journal import JournalLine, read_journal
from engine.metrics import EPOCH_ENERGY, EPOCH_MEASURES, EPOCH_TIMES
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.store import queries, series
from engine.store.connect import connect_reader
from engine.store.jobs import JobFacts, live_jobs
from engine.store.location import StoreLocation
from engine.store.requests import enqueue
from engine.supervisor.start import ensure_supervisor, supervisor_running

SECONDS = 180.0
REHEARSALS = Path(__file__).parents[1] / "engine" / "supervisor"
REHEARSING = f"""\
#!/bin/sh
module=$3
shift 3
[ "$module" = engine.worker ] && exec {sys.executable} -P {REHEARSALS}/rehearsal_worker.py "$@"
exec {sys.executable} {REHEARSALS}/rehearsal_resident.py "$@"
"""
SMALL = {"users": 120, "items": 40, "interactions": 3_600}
TIMES = (*EPOCH_TIMES, *EPOCH_ENERGY, "gpu_memory_mib", "gpu_utilization")
"""What differs between executions of one run."""


def small_spec(seed: int = 1, model: str = "sasrec", length: int = 10, **settings: Any) -> RunSpec:
    """A run whose epoch takes a tenth of a second."""
    chosen = {"dim": 16, "epochs": 3, "patience": 1_000, "batch_size": 32} | settings
    spec = load_catalogue().run_spec(model, "synthetic", length, seed, overrides=chosen)
    source = spec.source.model_dump() | SMALL
    return RunSpec.model_validate(spec.model_dump() | {"source": source})


@dataclass
class Lab:
    location: StoreLocation
    configs: Path

    def profile(self, name: str, **keys: Any) -> None:
        """Write a launcher's profile, by which each attempt is a job of its own."""
        content = {
            "name": name,
            "kind": "slurm",
            "partition": "low",
            "cpus": 1,
            "memory": 1_000,
            "poll_seconds": 0.5,
            "warn_seconds": 30,
            "runs_per_job": 1,
            **keys,
        }
        path = self.configs / "launchers" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(content))

    def rehearse(self, name: str, **keys: Any) -> None:
        """Write a launcher's profile whose workers train nothing: `rehearsal_worker` says what
        they do."""
        python = self.configs / "rehearsing-python"
        python.write_text(REHEARSING)
        python.chmod(0o755)
        self.profile(name, python=str(python), **keys)

    def add(self, *specs: RunSpec, launcher: str | None = "low") -> list[str]:
        """Queue runs, and see to it that they are worked on."""
        ids = enqueue(self.location, specs, None, launcher)
        self.supervise()
        return ids

    def supervise(self) -> None:
        ensure_supervisor(self.location, self.configs)

    def supervisor(self) -> int | None:
        """Its process, once it has said so."""
        if not supervisor_running(self.location):
            return None
        found = read_holder(self.location.supervisor_lock)
        return found["pid"] if found and psutil.pid_exists(found["pid"]) else None

    def kill_supervisor(self) -> None:
        self.wait(self.supervisor, "a supervisor")
        pid = self.supervisor()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        self.wait(lambda: not supervisor_running(self.location), "its end")

    def run(self, run: str) -> queries.Run:
        with closing(connect_reader(self.location)) as con:
            found = queries.get_run(con, run)
        assert found is not None
        return found

    def attempts(self, run: str) -> list[dict[str, Any]]:
        with closing(connect_reader(self.location)) as con:
            return series.attempts(con, run)

    def epochs(self, run: str) -> list[dict[str, Any]]:
        """Its epochs, without what differs from execution to execution."""
        with closing(connect_reader(self.location)) as con:
            rows = series.epochs(con, run)
        figures = [name for name in EPOCH_MEASURES if name not in TIMES]
        return [{name: row[name] for name in ("epoch", "step", *figures)} for row in rows]

    def jobs(self) -> dict[str, JobFacts]:
        with closing(connect_reader(self.location)) as con:
            return live_jobs(con)

    def job(self, run: str) -> JobFacts:
        """Its job; without one all of it is None."""
        return self.jobs().get(run, JobFacts(*[None] * 6))

    def folder(self, run: str) -> RunFolder:
        return self.location.folder(run)

    def lines(self, run: str, attempt: int, kind: str) -> list[JournalLine]:
        journal = self.folder(run).journal(attempt)
        return [line for line in read_journal(journal).lines if line.kind == kind]

    def wait(self, condition: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what}:\n{self.report()}"
            time.sleep(0.1)

    def wait_done(self, *runs: str, seconds: float = SECONDS) -> None:
        going = ("queued", "running")
        self.wait(lambda: all(self.run(run).state not in going for run in runs), "ends", seconds)
        states = {run: (self.run(run).state, self.run(run).message) for run in runs}
        assert {state for state, _ in states.values()} == {"done"}, f"{states}\n{self.report()}"

    def report(self) -> str:
        """What there is to see when a test fails."""
        with closing(connect_reader(self.location)) as con:
            runs = [(run.id, run.state, run.attempt, run.message) for run in queries.list_runs(con)]
        log = self.location.supervisor_log.read_text()[-4_000:]
        logs = [f.log.read_text()[-1_000:] for f in self.location.folders() if f.log.exists()]
        return "\n".join((*map(str, runs), log, *logs))

    def end(self, cluster: Cluster) -> None:
        """End everything of it."""
        pid = self.supervisor()
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        cluster.command("scancel", "--me", "--full", "--signal=KILL")
        cluster.command("scancel", "--me")
        cluster.wait(lambda: not cluster.jobs("pending,running,completing"), "no job")
