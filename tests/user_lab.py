"""seqbench as a user has it, for tests with real processes: a folder, and commands run in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import yaml

from engine.files.lock import read_holder
from engine.journal import read_journal
from engine.store import queries
from engine.store.connect import connect_reader
from engine.store.location import store_location
from engine.supervisor.start import supervisor_running

DEADLINE = 180.0
TINY = {
    "name": "tiny", "title": "Tiny", "size": "small", "reader": "movielens-tab",
    "users": 20, "items": 31, "interactions": 600, "folder": "tiny", "files": {"u.data": None},
}  # fmt: skip
LONG = ("--set", "epochs=100000", "--set", "patience=100000")
SMALL = ("--set", "dim=16", "--set", "batch_size=512")


class Lab:
    """seqbench as a user has it: a folder, and commands run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made = folder / "made"
        self.made.mkdir()
        self.location = store_location(self.made / "runs.db")
        own = {
            "SEQBENCH_DB": self.location.db,
            "SEQBENCH_CACHE": self.made / "cache",
            "SEQBENCH_DATA": folder / "data",
            "SEQBENCH_CONFIG": folder / "configs",
            "XDG_STATE_HOME": folder / "state",
            "XDG_CONFIG_HOME": folder / "config",
        }
        self.environment = os.environ | {name: str(path) for name, path in own.items()}
        self.environment["TERM"] = "xterm"
        self.environment.pop("NO_COLOR", None)
        self._add_data()

    def _add_data(self) -> None:
        """A small data set of one's own."""
        data, entry = self.folder / "data" / "tiny", self.folder / "configs" / "datasets"
        for folder in (data, entry):
            folder.mkdir(parents=True)
        lines = (f"{i % 20}\t{i * 7 % 31}\t3\t{i}\n" for i in range(600))
        (data / "u.data").write_text("".join(lines))
        (entry / "tiny.yaml").write_text(yaml.safe_dump(TINY))
        # A test that waits for training shouldn't wait for all the other tests first.
        (self.folder / "configs" / "settings.yaml").write_text("niceness: 0\n")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "tui.cli", *words]

    def run(self, *words: str, status: int = 0) -> str:
        """What a command says on stdout."""
        return self.done(*words, status=status).stdout

    def done(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*words),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=2 * DEADLINE,
            check=False,
            umask=0,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def only_run(self) -> queries.Run:
        with closing(connect_reader(self.location)) as store:
            (run,) = queries.list_runs(store)
        return run

    def supervisor(self) -> int | None:
        """Its pid, once it has said so."""
        if not supervisor_running(self.location):
            return None
        found = read_holder(self.location.supervisor_lock)
        return found["pid"] if found else None

    def worker(self) -> int | None:
        """The pid in the newest journal, once its attempt has begun: a heartbeat may come first."""
        journals = sorted(self.location.runs.glob("*/journal-*.jsonl"))
        lines = read_journal(journals[-1]).lines if journals else []
        return next((int(line.fields["pid"]) for line in lines if line.kind == "start"), None)

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain: {what}\n{self.logs()}"
            time.sleep(0.1)

    def goes_on(self) -> None:
        """Wait until two further epochs are in the store."""
        before = self.only_run().epoch or 0
        self.wait_until(lambda: (self.only_run().epoch or 0) >= before + 2, "further epochs")

    def logs(self) -> str:
        paths = [*self.location.runs.glob("*.log"), *self.location.runs.glob("*/log.txt")]
        return "\n".join(path.read_text(errors="replace") for path in paths)

    def end(self) -> None:
        """End every process that works here, the one that starts others first."""
        for program in ("engine.supervisor --db", "engine.worker", "engine.worker.resident"):
            pattern = f"{program} {self.folder}"
            subprocess.run(["pkill", "-KILL", "-f", pattern], check=False)

    def epochs(self) -> list[tuple[int, int]]:
        """(epoch, attempt) as the journals have them, in the order written."""
        found = []
        for path in sorted(self.location.runs.glob("*/journal-*.jsonl")):
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            attempt = int(path.stem.rpartition("-")[2])
            found += [(line["epoch"], attempt) for line in lines if line["kind"] == "epoch"]
        return found
