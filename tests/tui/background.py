"""A store with a real supervisor and real training behind the app."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from terminals import APP, DEADLINE, Terminal

from engine.config import load_catalogue
from engine.process import identify
from engine.spec import RunSpec
from engine.store import queries
from engine.store.connect import connect_reader
from engine.store.location import store_location
from engine.store.requests import enqueue
from engine.supervisor.start import ensure_supervisor, supervisor_running


class Background:
    """One slot, small models, runs that last until they are cancelled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.configs = folder / "configs"
        self.configs.mkdir(parents=True)
        (self.configs / "settings.yaml").write_text("slots: {cpu: 1}\nidle_seconds: 0.5\n")
        self.location = store_location(folder / "runs.db")

    def train(self, seed: int = 1) -> str:
        """Enqueue a run, have it worked on, return its id."""
        endless = {"epochs": 100_000, "patience": 100_000, "dim": 16, "batch_size": 512}
        spec = load_catalogue().run_spec("sasrec", "synthetic", 20, seed, overrides=endless)
        small = {"users": 300, "items": 60, "interactions": 12_000}
        spec = RunSpec.model_validate(
            spec.model_dump() | {"source": spec.source.model_dump() | small}
        )
        (run,) = enqueue(self.location, [spec])
        self.work()
        return run

    def work(self) -> None:
        ensure_supervisor(self.location, self.configs)

    def app(self, size: tuple[int, int] = (80, 24)) -> Terminal:
        """The app on this store."""
        return Terminal([*APP, self.location.db, "--config-dir", self.configs], size=size)

    def run(self, run: str) -> queries.Run:
        with closing(connect_reader(self.location)) as store:
            found = queries.get_run(store, run)
        assert found is not None
        return found

    def goes_on(self, run: str, epochs: int = 2) -> None:
        """Wait for so many more epochs in the store."""
        before = self.run(run).epoch or 0
        wait_for(lambda: (self.run(run).epoch or 0) >= before + epochs, f"more epochs of {run}")

    def supervisor(self) -> int:
        """Of the one that works, once it has said so."""

        def said() -> bool:
            return supervisor_running(self.location) and self.lock_text().endswith("}")

        wait_for(said, "a supervisor")
        return int(json.loads(self.lock_text())["pid"])

    def lock_text(self) -> str:
        return self.location.supervisor_lock.read_text()

    def worker(self, run: str, attempt: int = 1) -> int:
        """The pid in the first line of an attempt's journal."""
        journal = self.location.folder(run).journal(attempt)
        wait_for(lambda: journal.exists() and b"\n" in journal.read_bytes(), "a journal")
        return int(json.loads(journal.read_text().partition("\n")[0])["pid"])

    def end(self) -> None:
        """Kill every process that works here, the one that starts others first."""
        for module in (b"tui.cli", b"engine.supervisor", b"engine.worker"):
            for pid in processes(module, str(self.folder).encode()):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def processes(*words: bytes) -> list[int]:
    """Living processes with these words in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with suppress(OSError):
                command = (entry / "cmdline").read_bytes()
                if all(word in command for word in words) and identify(int(entry.name)):
                    found.append(int(entry.name))
    return found


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Poll until it holds, or fail with what was waited for."""
    end = time.monotonic() + 2 * DEADLINE
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)
