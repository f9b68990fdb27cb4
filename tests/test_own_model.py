"""A model of one's own with real processes: launched, killed, resumed, told apart, moved away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from engine.files.lock import read_holder
from engine.journal import JournalLine, read_journal
from engine.runfolder import RunFolder
from engine.store import queries
from engine.store.connect import connect_reader
from engine.store.location import store_location

DEADLINE = 180.0
MINE = """\
import os

from pydantic import Field
from torch import nn

from engine.models import Definition, ModelSettings, OutputLayer, SequenceModel

print("A file may print.")


class Settings(ModelSettings):
    width: int = Field(default=8, ge=2, description="Of the states.")


class Mine(SequenceModel):
    def __init__(self, settings, num_items, length):
        super().__init__()
        self.num_items, self.length = num_items, length
        self.items = nn.Embedding(num_items + 1, settings.width)
        self.rnn = nn.GRU(settings.width, settings.width, batch_first=True)
        self.updates = 0

    def hidden(self, items, *, last_only=False):
        self.updates += self.training
        if self.updates == 60 and os.path.exists("HELD"):
            open("HELD").close()  # a pipe, which nobody writes to
        states = self.rnn(self.items(items))[0]
        return states[:, -1:] if last_only else states

    def output_layer(self):
        return OutputLayer(self.items.weight)


MODEL = Definition("Mine", Settings, Mine, training={"lr": 0.01, "batch_size": 4})
"""
TINY = {
    "name": "tiny", "title": "Tiny", "size": "small", "reader": "movielens-tab",
    "users": 20, "items": 31, "interactions": 600, "folder": "tiny", "files": {"u.data": None},
}  # fmt: skip


class Lab:
    """A user's machine: a folder with configuration, models, data and a store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mine = folder / "models" / "mine.py"
        for name in ("data/tiny", "configs/datasets", "models"):
            (folder / name).mkdir(parents=True)
        lines = (f"{i % 20}\t{i * 7 % 31}\t3\t{i}\n" for i in range(600))
        (folder / "data" / "tiny" / "u.data").write_text("".join(lines))
        (folder / "configs" / "datasets" / "tiny.yaml").write_text(yaml.safe_dump(TINY))
        (folder / "configs" / "settings.yaml").write_text("niceness: 0\n")
        self.location = store_location(folder / "runs.db")
        own = {"DB": "runs.db", "CACHE": "cache", "DATA": "data", "CONFIG": "configs"}
        paths = {f"SEQBENCH_{name}": str(folder / path) for name, path in own.items()}
        self.environment = os.environ | paths | {"XDG_STATE_HOME": str(folder / "state")}

    def run(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "tui.cli", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=2 * DEADLINE,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def runs(self) -> list[queries.Run]:
        with closing(connect_reader(self.location)) as store:
            return queries.list_runs(store)

    def lines(self, folder: RunFolder, kind: str, attempt: int) -> list[JournalLine]:
        path = folder.journal(attempt)
        return [x for x in read_journal(path).lines if x.kind == kind] if path.exists() else []

    def supervisor(self) -> int:
        holder = read_holder(self.location.supervisor_lock)
        return int(holder["pid"]) if holder else 0

    def wait(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, what + self.logs()
            time.sleep(0.05)

    def logs(self) -> str:
        paths = [*self.location.runs.glob("*.log"), *self.location.runs.glob("*/log.txt")]
        return "\n".join(path.read_text(errors="replace")[-2_000:] for path in paths)

    def end(self) -> None:
        """End what works here, the one that starts others first."""
        for program in ("engine.supervisor --db", "engine.worker", "engine.worker.resident"):
            subprocess.run(["pkill", "-KILL", "-f", f"{program} {self.folder}"], check=False)


@pytest.fixture
def labs(tmp_path: Path) -> Iterator[tuple[Lab, Lab]]:
    """The user's, and that of a colleague."""
    both = Lab(tmp_path / "here"), Lab(tmp_path / "there")
    yield both
    for lab in both:
        lab.end()


def test_a_model_of_ones_own_from_launch_to_archive(labs: tuple[Lab, Lab]) -> None:
    here, there = labs
    mine = MINE.replace("HELD", str(held := here.folder / "held"))
    os.mkfifo(held)
    here.mine.write_text(mine)
    cell = ("run", "--model", "mine", "--dataset", "tiny", "--length", "8")
    long = ("--set", "epochs=6", "--set", "patience=1000", "--set", "width=4")
    here.run(*cell, *long, "--seed", "1")
    (first,) = here.runs()
    folder = here.location.folder(first.id)

    # The supervisor first, which else would see the worker's end.
    here.wait(lambda: here.lines(folder, "checkpoint", 1), "a checkpoint")
    os.kill(here.supervisor(), signal.SIGKILL)
    os.kill(here.lines(folder, "start", 1)[0].fields["pid"], signal.SIGKILL)
    held.unlink()
    here.mine.write_text("raise SystemExit\n")
    here.run("ls")
    here.wait(lambda: here.lines(folder, "end", 2), "the second attempt's end")
    (start,), (end,) = here.lines(folder, "start", 2), here.lines(folder, "end", 2)
    assert start.fields["resumed_epoch"] > 0
    assert start.fields["model_file"]["file"] == "mine.py"
    assert end.fields["status"] == "done"
    assert folder.code.read_text() == mine
    assert "A file may print." in folder.log.read_text()

    # Another version is another cell, and the file tells them apart.
    here.mine.write_text(mine + "# the second version\n")
    here.run(*cell, "--set", "epochs=2", "--set", "width=4", "--seed", "1", "--wait")
    assert len(json.loads(here.run("compare", "--by-cell", "--format", "json").stdout)) == 2
    shown = [json.loads(here.run("show", run.id, "--json").stdout) for run in here.runs()]
    assert len({each["spec"]["code"]["sha256"] for each in shown}) == 2
    asked = ("recommend", first.id, "--user", "3")
    assert "Held-out next item" in (predicted := here.run(*asked).stdout)
    archive = str(here.folder / "runs.tar.zst")
    here.run("export", "--checkpoints", "-o", archive)

    # A colleague has the results, and runs no code that isn't his own.
    assert "kept but not run" in there.run("import", archive).stderr
    assert "put that file into models/" in there.run(*asked, status=1).stderr
    there.mine.write_text(mine)
    assert there.run(*asked).stdout == predicted
    before = there.run("compare", "--format", "json").stdout
    there.run("db", "rebuild")
    assert there.run("compare", "--format", "json").stdout == before
