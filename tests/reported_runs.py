"""A store with runs that have test ranks, speeds and memory: what a report is made of."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from aside import folder_aside
from measured_runs import MeasuredStore

USERS = 400
EASE = {"sasrec": 0.0, "bert4rec": -0.05, "xlstm": -0.9}
"""How well a model ranks: more is better. The first two can't be told apart."""
PACE = {"sasrec": 1.0, "bert4rec": 1.9, "xlstm": 4.2}
"""How long an epoch takes beside SASRec's."""
SIZE = {"sasrec": 270_291, "bert4rec": 274_835, "xlstm": 350_000}


def add_reported(store: MeasuredStore, model: str, length: int, seed: int, **settings: Any) -> str:
    """A run that is done, with all that a report tells of one."""
    run = store.add(model, length=length, seed=seed, end=None, **settings)
    folder = store.location.folder(run)
    chance = np.random.default_rng([len(model), length, seed])
    lines = [json.loads(line) for line in folder.journal(1).read_text().splitlines()]
    lines[0]["parameters"] = SIZE[model] + 32 * (length if model != "xlstm" else 0)
    for line in lines[1:]:
        line["train_seconds"] = PACE[model] * (1 + length / 200) * chance.uniform(0.97, 1.03)
    lines.append(
        {"t": lines[-1]["t"], "kind": "telemetry",
         "process_memory_mib": 700 + 60 * PACE[model] + chance.uniform(0, 9)}
    )  # fmt: skip
    lines.append(
        {"t": lines[-1]["t"] + 1, "kind": "end", "status": "done",
         "cause": "early-stopping", "message": "", "best_epoch": 11, "epochs_trained": 14,
         "users_per_second_1": 900 / PACE[model] * chance.uniform(0.97, 1.03),
         "users_per_second_256": 21_000 / PACE[model] * chance.uniform(0.97, 1.03)}
    )  # fmt: skip
    np.save(folder.test_ranks, _ranks(model, seed), allow_pickle=False)
    store.ran(run, lines)
    return run


def _ranks(model: str, seed: int) -> np.ndarray:
    """(2, U): users are easy or hard whatever the model; a model and a seed shift them."""
    easy = np.random.default_rng(1).normal(2.2, 1.6, USERS)
    own = np.random.default_rng([len(model), seed])
    score = easy - EASE[model] + own.normal(0, 0.35, USERS) + own.normal(0, 0.02)
    over_all = np.clip(np.exp(score), 1, 1682).astype(np.int32)
    return np.stack([over_all, np.maximum(1, over_all // 2)])


_TEMPLATE: dict[str, Any] = {}


def reported_store(folder: Path) -> MeasuredStore:
    """Three models on one data set, one of them at two lengths, three seeds each; a run that
    failed, and one to go."""
    if not _TEMPLATE:
        aside = folder_aside("reported-")
        store = MeasuredStore(aside)
        for model in EASE:
            for length in (50, 100) if model == "sasrec" else (50,):
                for seed in (1, 2, 3):
                    add_reported(store, model, length, seed)
        store.add("xlstm", length=50, seed=4, epochs=0, end="failed")
        store.add("sasrec", length=50, seed=4, epochs=0)
        _TEMPLATE["folder"] = aside
    shutil.copytree(_TEMPLATE["folder"], folder, dirs_exist_ok=True)
    return MeasuredStore(folder)
