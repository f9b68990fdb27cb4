"""How long a run takes from the start of its process to its first update."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.config import load_catalogue
from engine.datasets.load import load_interactions
from engine.errors import TrainingError
from engine.journal import read_journal
from engine.runfolder import RunFolder
from engine.specfile import save_spec

LIMIT = 120.0
"""Seconds that a worker may take."""


@dataclass(frozen=True)
class Start:
    """Seconds, one part after the other."""

    imports: float
    """From the parent's call, through Python's own start, to the worker's last import."""
    data: float
    """To the journal's ``start``: configuration, interactions, and what is noted of the machine."""
    set_up: float
    """To the first epoch: the split, the model, its optimizer, the evaluation sets."""
    update: float
    """To the end of the first update: windows, and what libraries do at their first calls."""

    @property
    def total(self) -> float:
        return self.imports + self.data + self.set_up + self.update


def starts(model: str, dataset: str, length: int, rounds: int, device: torch.device) -> list[Start]:
    """Start a worker ``rounds`` times; the prepared copy of the data is in the cache.

    Raises:
        UserError: the data isn't here, or a worker fails.
    """
    spec = load_catalogue().run_spec(model, dataset, length, seed=42)
    load_interactions(spec.source)
    found = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as path:
            folder = RunFolder(Path(path))
            save_spec(folder, spec)
            found.append(_start(folder, device))
    return found


def _start(folder: RunFolder, device: torch.device) -> Start:
    command = [sys.executable, "-m", "benchmarks.timed_worker", str(folder.path)]
    command += ["--attempt", "1", "--device", device.type]
    command += ["--threads", str(torch.get_num_threads())]
    with folder.log.open("wb") as log:
        began = time.time()
        subprocess.run(command, stdout=log, stderr=log, timeout=LIMIT, check=False)
    journal = read_journal(folder.journal(1)).lines
    ending = next((line.fields for line in journal if line.kind == "end"), None)
    if ending is None or ending["status"] != "preempted":
        reason = ending["message"] if ending else folder.log.read_text().strip()
        raise TrainingError("error", f"The worker failed: {reason}")
    moments = json.loads((folder.path / "moments.json").read_text())
    read = next(line.t for line in journal if line.kind == "start")
    return Start(
        imports=moments["imports"] - began,
        data=read - moments["imports"],
        set_up=moments["set up"] - read,
        update=moments["update"] - moments["set up"],
    )
