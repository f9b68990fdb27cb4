"""A store with runs in every state, made from journals by the store's own ingest."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from aside import folder_aside

from engine.config import Catalogue, load_catalogue
from engine.metrics import METRIC_COLUMNS
from engine.process import own_identity
from engine.store.connect import connect_writer, create_or_migrate
from engine.store.database import write
from engine.store.intake.ingest import ingest
from engine.store.location import StoreLocation
from engine.store.queries import run_spec
from engine.store.requests import enqueue
from engine.store.transitions import begin_attempt, record_process

NOW = 1_790_000_000.0
"""The moment at which the store is looked at."""

STEPS_PER_EPOCH = 40


class LiveStore:
    """Runs whose journals are written and ingested piece by piece."""

    def __init__(self, folder: Path) -> None:
        self.location = StoreLocation(folder / "runs.db")
        if not self.location.db.exists():
            folder.mkdir(parents=True, exist_ok=True)
            self.location.db.write_bytes(_without_runs())
        self._catalogue = _catalogue()
        self._seq: dict[tuple[str, int], int] = {}

    def take_copy(self, other: LiveStore) -> None:
        """Become what another store is; this one has no run yet."""
        assert not self._seq
        shutil.copytree(other.location.db.parent, self.location.db.parent, dirs_exist_ok=True)
        self._seq.update(other._seq)

    def launch(self, model: str, *, seed: int = 1, length: int = 50, epochs: int = 60) -> str:
        """Put a run into the queue, and return its id."""
        fitted = self._catalogue.kind(model) == "fitted"
        overrides = {} if fitted else {"epochs": epochs}
        spec = self._catalogue.run_spec(model, "synthetic", length, seed, overrides=overrides)
        return enqueue(self.location, [spec])[0]

    def journal(self, run: str, lines: Iterable[dict[str, Any]], attempt: int = 1) -> None:
        """Append lines to an attempt's journal, and take them into the store."""
        folder = self.location.folder(run)
        folder.path.mkdir(parents=True, exist_ok=True)
        with folder.journal(attempt).open("a") as file:
            for line in lines:
                seq = self._seq.get((run, attempt), 0)
                self._seq[run, attempt] = seq + 1
                file.write(json.dumps({"seq": seq, **line}) + "\n")
        with closing(connect_writer(self.location)) as connection:
            ingest(connection, folder, attempt)

    def mark(self, run: str, state: str, attempt: int = 1) -> None:
        """What a supervisor writes when it starts an attempt."""
        with closing(connect_writer(self.location)) as connection, write(connection):
            connection.execute(
                "UPDATE runs SET state = ?, attempt = ?, started = ? WHERE id = ?",
                (state, attempt, NOW - 600, run),
            )

    def begin_here(self, run: str) -> None:
        """Put a run into the first CPU slot, with this process as its worker."""
        with closing(connect_writer(self.location)) as connection, write(connection):
            begin_attempt(connection, run, "cpu/0", os.uname().nodename)
            record_process(connection, run, 1, own_identity())

    def log(self, run: str, text: str) -> None:
        """Append to the run's log."""
        folder = self.location.folder(run)
        folder.path.mkdir(parents=True, exist_ok=True)
        with folder.log.open("a") as file:
            file.write(text)

    def train(self, run: str, epochs: int, *, first: int = 1, end: str | None = None) -> None:
        """A started attempt with so many epochs and steps; ``end`` is the status of its end."""
        chance = random.Random(run.rpartition("-")[0])
        self.mark(run, "running")
        lines = [start(epochs=60)] if first == 1 else []
        for epoch in range(first, first + epochs):
            lines += [*(step(epoch, i, chance) for i in range(1, STEPS_PER_EPOCH + 1, 4))]
            lines.append(epoch_line(epoch, chance))
        if end is not None:
            lines.append(
                {"t": NOW - 90, "kind": "end", "status": end, "cause": "completed",
                 "message": "All epochs are trained.", "best_epoch": first + epochs - 1,
                 "epochs_trained": epochs, "seconds": 12.0}
            )  # fmt: skip
        self.journal(run, lines)

    def keep_model(self, run: str) -> None:
        """Give a run the weights that it begins with, and the configuration to read them."""
        import torch

        from engine.models.registry import definition_of
        from engine.specfile import save_spec

        with closing(connect_writer(self.location)) as connection:
            spec = run_spec(connection, run)
        folder = self.location.folder(run)
        save_spec(folder, spec)
        torch.manual_seed(0)
        model = definition_of(spec).build(
            spec.architecture.settings, spec.source.items, spec.length
        )
        torch.save(model.state_dict(), folder.best_model)

    def resume(self, run: str, attempt: int, resumed_epoch: int, epochs: int = 2) -> None:
        """Another attempt, from the checkpoint after ``resumed_epoch``."""
        chance = random.Random(attempt)
        self.mark(run, "running", attempt)
        lines = [start(resumed_epoch=resumed_epoch)]
        for epoch in range(resumed_epoch + 1, resumed_epoch + 1 + epochs):
            lines += [*(step(epoch, i, chance) for i in range(1, STEPS_PER_EPOCH + 1, 4))]
            lines.append(epoch_line(epoch, chance))
        self.journal(run, lines, attempt)


@cache
def _catalogue() -> Catalogue:
    return load_catalogue()


@cache
def _without_runs() -> bytes:
    """The database of a store that was just made: migrations run once a process."""
    with tempfile.TemporaryDirectory() as folder:
        location = StoreLocation(Path(folder) / "runs.db")
        create_or_migrate(location)
        return location.db.read_bytes()


@cache
def _made(make: Callable[[LiveStore], Any]) -> tuple[LiveStore, Any]:
    """A store that was made once, and what making it returned."""
    store = LiveStore(folder_aside("live-"))
    return store, make(store)


def start(**fields: Any) -> dict[str, Any]:
    """A journal's first line."""
    return {
        "t": NOW - 600, "kind": "start", "format": 1, "device": "cpu", "device_kind": "cpu",
        "dtype": "bfloat16", "threads": 2, "torch": "2.13.0", "parameters": 270_291,
        "epochs": 60, "patience": 10, "steps_per_epoch": STEPS_PER_EPOCH, "resumed_epoch": 0,
        **fields,
    }  # fmt: skip


def step(epoch: int, index: int, chance: random.Random) -> dict[str, Any]:
    """One update's line."""
    number = (epoch - 1) * STEPS_PER_EPOCH + index
    return {
        "t": NOW - 600 + number / 10, "kind": "step", "step": number, "epoch": epoch,
        "loss": loss(number) + chance.gauss(0, 0.12), "grad_norm": abs(chance.gauss(1.4, 0.3)),
        "lr": 0.001,
    }  # fmt: skip


def epoch_line(epoch: int, chance: random.Random) -> dict[str, Any]:
    """One epoch's line."""
    reached = 1 - math.exp(-epoch / 9)
    level = {"hit": 0.19, "recall": 0.19, "mrr": 0.07, "ndcg": 0.1}
    metrics = {
        name: (reached - 0.004 * max(0, epoch - 24)) * level[name.split("_")[1]]
        * (0.92 if name.startswith("test") else 1) * (1.3 if name.endswith("masked") else 1)
        + chance.gauss(0, 0.001)
        for name in METRIC_COLUMNS
    }  # fmt: skip
    number = epoch * STEPS_PER_EPOCH
    return {
        "t": NOW - 600 + number / 10, "kind": "epoch", "epoch": epoch, "step": number,
        "loss": loss(number), "loss_sum": loss(number) * 767, "grad_norm": 1.4, "lr": 0.001,
        "train_seconds": 3.2, "eval_seconds": 0.8, "gpu_memory_mib": None,
        "gpu_utilization": None, "targets": 98_114, "batches": STEPS_PER_EPOCH, **metrics,
    }  # fmt: skip


def loss(number: int) -> float:
    """Nats after so many updates."""
    return 4 + 3.4 * math.exp(-number / 320)


def populate(store: LiveStore) -> dict[str, str]:
    """Put runs in every state into a store that has none; their ids by a word."""
    template, runs = _made(_every_state)
    store.take_copy(template)
    return dict(runs)


def make_busy(store: LiveStore) -> None:
    """Put runs of the three models, in the states that a working store has, into an empty one."""
    store.take_copy(_made(_working)[0])


def _working(store: LiveStore) -> None:
    for seed in (1, 2):
        store.train(store.launch("sasrec", seed=seed), 12, end="done")
    store.train(store.launch("bert4rec"), 3, end="failed")
    store.train(store.launch("bert4rec", length=75), 9)
    store.launch("xlstm")
    store.launch("xlstm", length=75)
    store.mark(store.launch("sasrec", length=100), "cancelled")


def _every_state(store: LiveStore) -> dict[str, str]:
    runs = {
        "done": store.launch("sasrec", seed=1),
        "failed": store.launch("xlstm", seed=1),
        "cancelled": store.launch("bert4rec", seed=1),
        "running": store.launch("sasrec", seed=42),
        "second": store.launch("bert4rec", seed=42),
        "queued": store.launch("xlstm", seed=42),
        "last": store.launch("xlstm", seed=43, length=100),
    }
    store.train(runs["done"], 31, end="done")
    store.train(runs["running"], 27)
    store.train(runs["second"], 5)
    store.mark(runs["failed"], "running")
    store.journal(
        runs["failed"],
        [start(), *(step(1, i, random.Random(3)) for i in range(1, 12)),
         {"t": NOW - 400, "kind": "end", "status": "failed", "cause": "diverged",
          "message": "The loss is not a number at step 12: try a smaller lr, or a smaller "
          "grad_clip.", "best_epoch": None, "epochs_trained": 0, "seconds": 3.0}],
    )  # fmt: skip
    store.mark(runs["cancelled"], "running")
    store.journal(
        runs["cancelled"],
        [start(), *(epoch_line(e, random.Random(e)) for e in range(1, 4)),
         {"t": NOW - 300, "kind": "end", "status": "cancelled", "cause": "cancelled",
          "message": "Cancelled after epoch 3.", "best_epoch": 3, "epochs_trained": 3,
          "seconds": 12.0}],
    )  # fmt: skip
    store.journal(
        runs["running"], [{"t": NOW - 9, "kind": "warning", "message": "the disk is 96 % full"}]
    )
    store.log(runs["running"], "".join(f"epoch {e:2}: loss {loss(e * 40):.4f}\n"
                                       for e in range(1, 28)))  # fmt: skip
    return runs
