"""A store with a floor, and networks that are better, as good, and worse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from measured_runs import MeasuredStore

USERS = 400
SHIFTS = {"sasrec": 1.2, "bert4rec": 0.0, "xlstm": -1.2}
"""How much better than the floor a network ranks, for all users."""
STANDINGS = {"sasrec": "above", "bert4rec": "not told from", "xlstm": "below"}


def ranks(shift: float, seed: int) -> np.ndarray:
    """(2, users): users are easy or hard for every model; a model is ``shift`` better for all."""
    easy = np.random.default_rng(1).normal(2.0, 1.5, USERS)
    own = np.random.default_rng([seed, round(1000 * (shift + 2))]).normal(0, 0.3, USERS)
    over_all = np.clip(np.exp(easy + own - shift), 1, 500).astype(np.int32)
    return np.stack([over_all, np.maximum(1, over_all // 2)])


def add(store: MeasuredStore, model: str, seed: int, shift: float) -> str:
    """A run that is done, with its test ranks."""
    run = store.add(model, seed=seed)
    np.save(store.location.folder(run).test_ranks, ranks(shift, seed))
    return run


def floor_store(folder: Path, seeds: tuple[int, ...] = (1, 2, 3)) -> MeasuredStore:
    """Markov counts and popularity with one seed each, and three networks with these."""
    store = MeasuredStore(folder)
    for model, shift in (("markov", 0.0), ("popularity", -1.0)):
        store.set(add(store, model, 42, shift), parameters=0)
    for model, shift in SHIFTS.items():
        for seed in seeds:
            add(store, model, seed, shift)
    return store
