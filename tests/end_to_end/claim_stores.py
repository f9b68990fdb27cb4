"""Stores that break, one at a time, a condition under which models may be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from measured_runs import MeasuredStore, journal

from engine.interchange.events import Scalars, write_scalars
from engine.interchange.history import import_history
from engine.spec import SplitRule

MODELS = ("sasrec", "bert4rec", "xlstm")
USERS = 400
NO_HIT = 500
"""A rank at which every metric is 0."""
LIMIT = 14
"""Epochs that a run may train at most."""
SHIFT = {"sasrec": 0.0, "bert4rec": 0.25, "xlstm": 1.2}
"""How much worse a model ranks: the last is far below the first."""
PACE = {"sasrec": 1.0, "bert4rec": 1.9, "xlstm": 4.2}


def ranks(seed: int, shift: float = 0.0, *, model: int = 0, users: int = USERS) -> np.ndarray:
    """(2, users): users are easy or hard for every model; a model and a seed vary about that."""
    easy = np.random.default_rng(1).normal(2.0, 1.5, users)
    own = np.random.default_rng([model, seed])
    score = easy + shift + own.normal(0, 0.3, users) + own.normal(0, 0.02)
    over_all = np.clip(np.exp(score), 1, NO_HIT).astype(np.int32)
    return np.stack([over_all, np.maximum(1, over_all // 2)])


def add(
    store: MeasuredStore,
    model: str,
    seed: int,
    of_users: np.ndarray,
    *,
    best: int = 9,
    trained: int = 12,
    limit: int = LIMIT,
    start: Mapping[str, Any] | None = None,
    split: SplitRule | None = None,
) -> str:
    """A run that is done: its journal as a worker writes one, and its test ranks.

    Args:
        best: its best epoch, of as many as it ``trained``, at most its ``limit``.
        start: other fields of the journal's first line.
    """
    run = store.add(model, seed=seed, epochs=0, split=split, **{"training.epochs": limit})
    lines = journal(model, "ml-100k", 50, seed, best + 3, "done")
    lines = [line for line in lines if line.get("epoch", 0) <= trained]
    chance = np.random.default_rng([len(model), seed])
    for line in lines:
        if line["kind"] == "epoch":
            line["train_seconds"] = PACE[model] * chance.uniform(0.97, 1.03)
    users = of_users.shape[1]
    counts = {"users": users, "test_users": users, "valid_users": users}
    lines[0] |= {"epochs": limit, **counts, **(start or {})}
    lines[-1] |= {
        "cause": "completed" if trained == limit else "early-stopping",
        "best_epoch": best,
        "epochs_trained": trained,
        "users_per_second_1": 900 / PACE[model] * chance.uniform(0.97, 1.03),
        "users_per_second_256": 21_000 / PACE[model] * chance.uniform(0.97, 1.03),
    }
    store.ran(run, lines)
    np.save(store.location.folder(run).test_ranks, of_users, allow_pickle=False)
    return run


UNFINISHED = {"best": LIMIT, "trained": LIMIT}
CONTINUED = {"best": LIMIT, "trained": LIMIT + 3, "limit": 2 * LIMIT}
"""Went on past its limit, and found nothing better."""


def three_models(store: MeasuredStore, _: Path | None = None, **more: Any) -> dict[str, list[str]]:
    """Three seeds of each model; ids by model."""
    return {
        model: [
            add(store, model, seed, ranks(seed, SHIFT[model], model=number), **more)
            for seed in (1, 2, 3)
        ]
        for number, model in enumerate(MODELS)
    }


Kind = Literal["quality", "published", "cost"]
QUALITY: tuple[Kind, ...] = ("quality", "published")


@dataclass(frozen=True)
class Case:
    """A store, and what must and mustn't be said of it."""

    build: Callable[[MeasuredStore, Path], object]
    barred: tuple[str, ...] = ()
    """Models of which nothing may be claimed."""
    of: tuple[Kind, ...] = QUALITY
    """In what."""
    untested: bool = False
    """Whether they can't be tested at all, so that not even a large p may stand there."""
    says: tuple[str, ...] = ()
    """Patterns of what the report says: the reason, and what to do."""
    claims: tuple[str, ...] = ()
    """Patterns of what the report claims all the same."""
    never: tuple[str, ...] = ()
    """Patterns of what it must not say."""


def _one_seed(store: MeasuredStore, _: Path) -> None:
    for number, model in enumerate(MODELS):
        add(store, model, 1, ranks(1, SHIFT[model], model=number))


def _one_seed_on_one_side(store: MeasuredStore, _: Path) -> None:
    for number, model in enumerate(MODELS):
        for seed in (1,) if model == "bert4rec" else (1, 2, 3):
            add(store, model, seed, ranks(seed, SHIFT[model], model=number))


def _no_hits(store: MeasuredStore, _: Path) -> None:
    for model in MODELS:
        for seed in (1, 2, 3):
            add(store, model, seed, np.full((2, 90), NO_HIT, np.int32))


def _equal(store: MeasuredStore, _: Path) -> None:
    for model in MODELS:
        for seed in (1, 2, 3):
            add(store, model, seed, ranks(seed))


def _two_equal_one_below(store: MeasuredStore, _: Path) -> None:
    for model in MODELS:
        for seed in (1, 2, 3):
            add(store, model, seed, ranks(seed, SHIFT["xlstm"] if model == "xlstm" else 0))


def _few_users(store: MeasuredStore, _: Path) -> None:
    for number, model in enumerate(MODELS):
        for seed in (1, 2, 3):
            add(store, model, seed, ranks(seed, model=number, users=21))


def _unfinished(store: MeasuredStore, _: Path) -> None:
    three_models(store, **UNFINISHED)


def _one_unfinished(store: MeasuredStore, _: Path) -> None:
    for number, model in enumerate(MODELS):
        for seed in (1, 2, 3):
            of_users = ranks(seed, SHIFT[model], model=number)
            add(store, model, seed, of_users, **UNFINISHED if (model, seed) == ("xlstm", 2) else {})


def _continued(store: MeasuredStore, _: Path) -> None:
    three_models(store, **UNFINISHED)
    three_models(store, **CONTINUED)


def _other_copy(store: MeasuredStore, _: Path) -> None:
    three_models(store, start={"confirmed": False})


def _changed_data(store: MeasuredStore, _: Path) -> None:
    store.set(three_models(store)["xlstm"][0], marks="changed-data")


def _disturbed(store: MeasuredStore, _: Path) -> None:
    store.set(three_models(store)["xlstm"][1], marks="shared")


def _temporal(store: MeasuredStore, _: Path) -> None:
    for number, model in enumerate(MODELS):
        for seed in (1, 2, 3):
            of_users = ranks(seed, 2 * SHIFT[model], model=number, users=90)
            start = {"users": 943, "valid_users": 120, "test_users": 90, "test_cold": 4}
            add(store, model, seed, of_users, start=start, split=SplitRule(kind="temporal"))


def _imported_beside(store: MeasuredStore, folder: Path) -> None:
    three_models(store)
    for seed in (1, 2, 3):
        logs = folder / "logs" / "gru4rec" / "ml-100k" / "50" / str(seed)
        logs.mkdir(parents=True)
        with (logs / "events.out.tfevents.1.host").open("wb") as file:
            figures = {"NDCG@10/test": 0.9, "Loss/train": 4.0}
            write_scalars(file, 1.0, [Scalars(1.0 + n, n, figures) for n in range(3)])
    import_history(folder / "logs", store.location)


def _one_model(store: MeasuredStore, _: Path) -> None:
    for seed in (1, 2, 3):
        add(store, "sasrec", seed, ranks(seed))


def _two_data_sets_of_one_name(store: MeasuredStore, _: Path) -> None:
    for model, checksum in (("sasrec", "8f0c" * 16), ("xlstm", "77aa" * 16)):
        for seed in (1, 2, 3):
            add(store, model, seed, ranks(seed, SHIFT[model]), start={"checksum": checksum})


ONE_SEED = ("one seed", r"seqbench run .*--seed 1,2,3")
STILL = ("still improving at", "seqbench continue")
TOLD_APART = "sasrec.*xlstm|xlstm.*sasrec"
CASES = {
    "one seed": Case(_one_seed, MODELS, (*QUALITY, "cost"), untested=True, says=ONE_SEED),
    "one seed on one side": Case(
        _one_seed_on_one_side,
        ("bert4rec",),
        (*QUALITY, "cost"),
        untested=True,
        says=ONE_SEED,
        claims=(TOLD_APART,),
    ),
    "no hits": Case(
        _no_hits,
        MODELS,
        ("quality",),
        says=("no model is shown to be best", "90 (test )?users"),
        never=(r"\[0\.0000, 0\.0000\]",),
    ),
    "equal": Case(_equal, MODELS, ("quality",), says=("no model is shown to be best",)),
    "two equal, one below": Case(
        _two_equal_one_below,
        claims=(TOLD_APART,),
        never=(r"\b(sasrec|bert4rec) L50 (has the highest|is shown to be (the )?best)",),
    ),
    "few users": Case(_few_users, MODELS, ("quality",), says=("21 (test )?users",)),
    "unfinished": Case(_unfinished, MODELS, untested=True, says=STILL),
    "one unfinished": Case(
        _one_unfinished,
        ("xlstm",),
        untested=True,
        says=(STILL[0], r"seqbench run --model xlstm .*--seed 1,2,3 .*--set epochs=28"),
        claims=("sasrec.*bert4rec|bert4rec.*sasrec",),
        never=(r"--seed 2\b",),
    ),
    "continued": Case(_continued, claims=(TOLD_APART,)),
    "other copy": Case(_other_copy, MODELS, untested=True, says=("other-copy", "isn't the one")),
    "changed data": Case(
        _changed_data, ("xlstm",), untested=True, says=("changed-data", "its data changed")
    ),
    "disturbed": Case(
        _disturbed,
        ("xlstm",),
        ("cost",),
        says=("another process was on its GPU",),
        claims=(TOLD_APART,),
    ),
    "temporal": Case(
        _temporal,
        says=("temporal", r"\b90\b", r"\b120\b"),
        claims=(TOLD_APART,),
        never=("leave-one-out",),
    ),
    "imported beside": Case(
        _imported_beside,
        ("gru4rec",),
        untested=True,
        says=("3 imported runs are left out",),
        claims=(TOLD_APART,),
    ),
    "one model": Case(_one_model, MODELS, ("quality",), says=("nothing to compare it with",)),
    "two data sets of one name": Case(
        _two_data_sets_of_one_name,
        MODELS,
        ("quality", "cost"),
        says=("data 8f0c8f0c8f0c", "data 77aa77aa77aa"),
    ),
    "nothing broken": Case(
        three_models, claims=(TOLD_APART, r"\[[\d., ]+\] times that with xlstm")
    ),
}
