"""A model of one's own with real processes: launched, killed, resumed, told apart, moved away."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from user_lab import Lab

from engine.journal import JournalLine, read_journal
from engine.runfolder import RunFolder

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


@pytest.fixture
def labs(tmp_path: Path) -> Iterator[tuple[Lab, Lab]]:
    """The user's, and that of a colleague."""
    for name in ("here", "there"):
        (tmp_path / name / "models").mkdir(parents=True)
    both = Lab(tmp_path / "here"), Lab(tmp_path / "there")
    yield both
    for lab in both:
        lab.end()


def lines(folder: RunFolder, kind: str, attempt: int) -> list[JournalLine]:
    path = folder.journal(attempt)
    return [x for x in read_journal(path).lines if x.kind == kind] if path.exists() else []


@pytest.mark.slow
def test_a_model_of_ones_own_from_launch_to_archive(labs: tuple[Lab, Lab]) -> None:
    here, there = labs
    mine = MINE.replace("HELD", str(held := here.folder / "held"))
    os.mkfifo(held)
    file, elsewhere = (lab.folder / "models" / "mine.py" for lab in labs)
    file.write_text(mine)
    cell = ("run", "--model", "mine", "--dataset", "tiny", "--length", "8")
    long = ("--set", "epochs=6", "--set", "patience=1000", "--set", "width=4")
    here.run(*cell, *long, "--seed", "1")
    first = here.only_run()
    folder = here.location.folder(first.id)

    # The supervisor first, which else would see the worker's end.
    here.wait_until(lambda: lines(folder, "checkpoint", 1), "a checkpoint")
    supervisor = here.supervisor()
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    os.kill(lines(folder, "start", 1)[0].fields["pid"], signal.SIGKILL)
    held.unlink()
    file.write_text("raise SystemExit\n")
    here.run("ls")
    here.wait_until(lambda: lines(folder, "end", 2), "the second attempt's end")
    (start,), (end,) = lines(folder, "start", 2), lines(folder, "end", 2)
    assert start.fields["resumed_epoch"] > 0
    assert start.fields["model_file"]["file"] == "mine.py"
    assert end.fields["status"] == "done"
    assert folder.code.read_text() == mine
    assert "A file may print." in folder.log.read_text()

    # Another version is another cell, and the file tells them apart.
    file.write_text(mine + "# the second version\n")
    here.run(*cell, "--set", "epochs=2", "--set", "width=4", "--seed", "1", "--wait")
    assert len(json.loads(here.run("compare", "--by-cell", "--format", "json"))) == 2
    names = [each.path.name for each in here.location.folders()]
    shown = [json.loads(here.run("show", name, "--json")) for name in names]
    assert len({each["spec"]["code"]["sha256"] for each in shown}) == 2
    asked = ("recommend", first.id, "--user", "3")
    assert "Held-out next item" in (predicted := here.run(*asked))
    archive = str(here.folder / "runs.tar.zst")
    here.run("export", "--checkpoints", "-o", archive)

    # A colleague has the results, and runs no code that isn't his own.
    assert "kept but not run" in there.done("import", archive).stderr
    assert "put that file into models/" in there.done(*asked, status=1).stderr
    elsewhere.write_text(mine)
    assert there.run(*asked) == predicted
    before = there.run("compare", "--format", "json")
    there.run("db", "rebuild")
    assert there.run("compare", "--format", "json") == before
