"""A store with runs of the reference cells, made from journals by the store's own ingest."""

from __future__ import annotations

import json
import math
import random
import shutil
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from aside import folder_aside

from engine.analysis.comparison import Row
from engine.analysis.pairs.cells import cell_of
from engine.cell import Cell
from engine.config import Catalogue, load_catalogue
from engine.metrics import METRIC_COLUMNS
from engine.spec import ChosenBy, Filter, RunSpec, SplitRule
from engine.spec.identity import PROTOCOL
from engine.spec.study import profile_of_study
from engine.store.connect import connect_writer, create_or_migrate
from engine.store.database import write
from engine.store.intake.folders import save_unsaved
from engine.store.intake.ingest import ingest
from engine.store.intake.results import keep_results, results_of_folder
from engine.store.location import StoreLocation
from engine.store.requests import enqueue

T = 1_790_000_000.0
CHECKSUM = "8f0c" * 16
_LEVEL = {
    ("sasrec", "hit"): 0.131,
    ("bert4rec", "hit"): 0.124,
    ("xlstm", "hit"): 0.117,
    ("popularity", "hit"): 0.05,
}
_USUAL = 0.12
_SHARE = {"hit": 1.0, "recall": 1.0, "mrr": 0.36, "ndcg": 0.5}


class MeasuredStore:
    """Runs put into a store one by one, each with its whole journal and folder."""

    def __init__(self, folder: Path) -> None:
        self.location = StoreLocation(folder / "runs.db")
        self.catalogue = _catalogue()
        random.seed(27)  # run ids end in random letters
        create_or_migrate(self.location)

    def add(
        self,
        model: str = "sasrec",
        *,
        dataset: str = "ml-100k",
        length: int = 50,
        seed: int = 42,
        epochs: int = 14,
        end: str | None = "done",
        split: SplitRule | None = None,
        kept: Filter | None = None,
        improving: bool = False,
        protocol: int = PROTOCOL,
        profile: str = "reference",
        study: ChosenBy | None = None,
        **settings: Any,
    ) -> str:
        """A run of so many epochs, its best three before the last; 0 leaves it queued. With
        ``improving`` the best is the last, and the limit no higher; it has a checkpoint then. A
        ``study`` chose its settings."""
        if improving:
            settings["epochs"] = epochs
        spec = self.catalogue.run_spec(model, dataset, length, seed, profile, settings)
        if study is not None:
            own = {"profile": profile_of_study(study.study), "chosen_by": study}
            spec = spec.model_copy(update=own)
        rules = {"split": split, "filter": kept}
        given = {name: rule for name, rule in rules.items() if rule is not None}
        spec = spec.model_copy(update={"source": spec.source.model_copy(update=given)})
        if protocol != PROTOCOL:
            spec = RunSpec.model_validate(spec.model_dump() | {"protocol": protocol})
        run = enqueue(self.location, [spec])[0]
        with closing(connect_writer(self.location)) as connection:
            save_unsaved(connection, self.location)
            if not epochs and end != "failed":
                return run
            with write(connection):
                connection.execute("UPDATE runs SET state = 'running' WHERE id = ?", (run,))
            lines = journal(model, dataset, length, seed, epochs, end, improving=improving)
            folder = self.location.folder(run)
            if improving:
                folder.checkpoint(1).touch()
            text = "".join(json.dumps({"seq": n, **line}) + "\n" for n, line in enumerate(lines))
            folder.journal(1).write_text(text)
            ingest(connection, folder, 1)
            save_unsaved(connection, self.location)
        return run

    def add_spec(self, spec: RunSpec) -> str:
        """A run that waits."""
        (run,) = enqueue(self.location, [spec])
        with closing(connect_writer(self.location)) as connection:
            save_unsaved(connection, self.location)
        return run

    def ran(self, run: str, lines: Sequence[dict[str, Any]]) -> None:
        """Let the run's only attempt have written this journal, and nothing else."""
        folder = self.location.folder(run)
        text = "".join(json.dumps({**line, "seq": n}) + "\n" for n, line in enumerate(lines))
        folder.journal(1).write_text(text)
        with closing(connect_writer(self.location)) as connection:
            with write(connection):
                for table in ("attempts", "events", "epochs", "steps", "telemetry"):
                    connection.execute(f"DELETE FROM {table} WHERE run = ?", (run,))
                connection.execute("UPDATE runs SET state = 'running' WHERE id = ?", (run,))
            ingest(connection, folder, 1)
            save_unsaved(connection, self.location)

    def set(self, run: str, **values: Any) -> None:
        """Change columns of the table ``runs``."""
        with closing(connect_writer(self.location)) as connection, write(connection):
            for name, value in values.items():
                connection.execute(f"UPDATE runs SET {name} = ? WHERE id = ?", (value, run))
        with closing(connect_writer(self.location)) as connection:
            save_unsaved(connection, self.location)

    def fill(self) -> dict[str, str]:
        """Runs of several cells in several states; ids by a word."""
        runs = {
            f"{model}-{length}-{seed}": self.add(model, length=length, seed=seed)
            for model in ("sasrec", "bert4rec", "xlstm")
            for length in (50, 75, 100)
            for seed in (1, 42)
        }
        runs["running"] = self.add("xlstm", seed=7, epochs=5, end=None)
        runs["failed"] = self.add("bert4rec", seed=7, epochs=0, end="failed")
        runs["cancelled"] = self.add("sasrec", dataset="ml-1m", seed=7, epochs=3, end="cancelled")
        runs["queued"] = self.add("sasrec", dataset="synthetic", seed=7, epochs=0)
        runs["other"] = self.add("sasrec", seed=9, lr=0.002, dim=32, heads=2)
        return runs


@cache
def _catalogue() -> Catalogue:
    return load_catalogue()


def counted(rows: Sequence[Row]) -> dict[str, Cell]:
    """Of rows of no store the runs that count, as `engine.store.compare.grouping.counted_runs` says
    it of those of one: our own that are done, the newest of a seed."""
    own = [row for row in rows if row["state"] == "done" and not row["origin"]]
    newest = {(cell_of(row), row["seed"]): row for row in sorted(own, key=lambda r: str(r["run"]))}
    return {str(row["run"]): cell for (cell, _), row in newest.items()}


def give_ranks(store: MeasuredStore, users: int = 40) -> None:
    """Every run that is done gets its users' ranks, and the results that follow from them."""
    with closing(connect_writer(store.location)) as connection, write(connection):
        done = {row[0] for row in connection.rows("SELECT id FROM runs WHERE state = 'done'")}
        for folder in store.location.folders():
            if not folder.journal(1).exists():
                continue
            chance = np.random.default_rng(sum(folder.run_id.encode()))
            ranks = chance.integers(1, 200, (2, users), dtype=np.int32)
            np.save(folder.test_ranks, ranks, allow_pickle=False)
            if folder.run_id in done:
                keep_results(connection, folder.run_id, results_of_folder(folder))


_TEMPLATE: dict[str, Any] = {}


def filled_store(folder: Path) -> tuple[MeasuredStore, dict[str, str]]:
    """A copy of one store that `MeasuredStore.fill` filled, and its run ids by a word."""
    if not _TEMPLATE:
        aside = folder_aside("measured-")
        _TEMPLATE.update(folder=aside, runs=MeasuredStore(aside).fill())
    shutil.copytree(_TEMPLATE["folder"], folder, dirs_exist_ok=True)
    return MeasuredStore(folder), _TEMPLATE["runs"]


def journal(
    model: str,
    dataset: str,
    length: int,
    seed: int,
    epochs: int,
    end: str | None,
    *,
    improving: bool = False,
) -> list[dict[str, Any]]:
    """An attempt's lines. Without ``end`` it goes on."""
    chance = random.Random(f"{model} {dataset} {length} {seed}")
    lines: list[dict[str, Any]] = [
        {
            "t": T, "kind": "start", "format": 1, "run": "", "attempt": 1, "pid": 4321,
            "host": "bench", "device": "cpu", "device_kind": "cpu", "dtype": "float32",
            "threads": 2, "torch": "2.13.0", "python": "3.11.7", "code": "0.1.0",
            "checksum": CHECKSUM, "users": 943, "items": 1682, "interactions": 100_000,
            "parameters": 270_291, "epochs": 200, "patience": 10, "steps_per_epoch": 40,
            "resumed_epoch": 0, "valid_users": 943, "valid_cold": 0, "test_users": 943,
            "test_cold": 0,
        }
    ]  # fmt: skip
    best = epochs if improving else max(1, epochs - 3)
    if improving:
        lines[0]["epochs"] = epochs
    lines += [_epoch(epoch, best, model, length, chance) for epoch in range(1, epochs + 1)]
    if end is not None:
        failed = end == "failed"
        lines.append({
            "t": T + 7 * epochs + 1, "kind": "end", "status": end,
            "cause": "diverged" if failed else "completed" if improving else "early-stopping",
            "message": "The loss stopped being a number at step 12: try a lower learning rate."
            if failed else "" if improving else "No better validation NDCG@10 for 10 epochs.",
            "best_epoch": best if epochs else None, "epochs_trained": epochs, "seconds": 6.5,
        })  # fmt: skip
    return lines


def _epoch(epoch: int, best: int, model: str, length: int, chance: random.Random) -> dict[str, Any]:
    reached = (1 - math.exp(-epoch / 4)) - 0.012 * max(0, epoch - best)
    level = _LEVEL.get((model, "hit"), _USUAL) * (1.02 - length / 2000)
    metrics = {
        name: round(
            reached
            * level
            * _SHARE[name.split("_")[1]]
            * (1.08 if name.startswith("valid") else 1.0)
            * (1.5 if name.endswith("masked") else 1.0)
            + chance.gauss(0, 0.0004),
            6,
        )
        for name in METRIC_COLUMNS
    }
    loss = 5.1 + 2.2 * math.exp(-epoch / 3)
    return {
        "t": T + 7 * epoch, "kind": "epoch", "epoch": epoch, "step": epoch * 40,
        "targets": 98_114, "batches": 40, "loss": round(loss, 5), "loss_sum": round(loss * 767, 3),
        "grad_norm": round(1.3 + chance.random() / 3, 4), "lr": 0.001,
        "train_seconds": round(3 + chance.random(), 3), "eval_seconds": 0.5,
        "gpu_memory_mib": None, "gpu_utilization": None, "best_epoch": min(epoch, best),
        **metrics,
    }  # fmt: skip
