"""A store with a study as it goes on: trials that are done, paused, in training and queued."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from live_runs import NOW, STEPS_PER_EPOCH, LiveStore, epoch_line, start

from engine.spec import Study, TunedModel
from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.requests import enqueue
from engine.store.studies import StoredTrial, end_study, prune_held, trials_of
from engine.store.transitions import hold_trial
from engine.tuning.progress import Progress, first_trials, progress_of

EPOCHS = 18
SPACE = {"lr": (0.0003, 0.001, 0.003, 0.01), "dim": (32, 64)}


class StudiedStore:
    """The study ``one`` in a store, whose trials go as far as they are told to."""

    def __init__(self, store: LiveStore, models: Sequence[str] = ("sasrec",), **study: Any) -> None:
        self.store, self.location = store, store.location
        made, first = [], None
        for name in models:
            overrides = {"epochs": EPOCHS}
            spec = store._catalogue.run_spec(name, "synthetic", 50, 1, overrides=overrides)
            first = first or spec
            made.append(
                TunedModel(
                    model=name,
                    profile="reference",
                    architecture=spec.architecture,
                    training=spec.training,
                    space=SPACE,
                )
            )
        assert first is not None
        wanted = {"trials": 8, "sampler": "grid", "seed": 1, "final_seeds": 2} | study
        whole = Study(name="one", models=tuple(made), **wanted)
        enqueue(self.location, first_trials(whole, first))

    @property
    def trials(self) -> list[StoredTrial]:
        with closing(connect_reader(self.location)) as con:
            return trials_of(con, "one")

    @property
    def progress(self) -> Progress:
        with closing(connect_reader(self.location)) as con:
            found = progress_of(con, "one")
        assert found is not None
        return found

    def next(self) -> str:
        """Queue the next trial, as the supervisor does."""
        spec = self.progress.next_trial()
        assert spec is not None
        return enqueue(self.location, [spec])[0]

    def train(self, run: str, epochs: int, level: float, first: int = 1) -> None:
        """Train a trial to an epoch; ``level`` is what it reaches in the end."""
        chance = random.Random(f"{run[:3]}{level}")
        self.store.mark(run, "running")
        lines = [start(epochs=EPOCHS)] if first == 1 else []
        for epoch in range(first, epochs + 1):
            line = epoch_line(epoch, chance)
            line = {name: each for name, each in line.items() if not name.startswith("test")}
            reached = level * (1 - math.exp(-epoch / 4)) + chance.gauss(0, 0.002)
            lines.append(line | {"valid_ndcg": reached})
        self.store.journal(run, lines)

    def finish(self, run: str, level: float) -> None:
        """Train a trial to its end."""
        self.train(run, EPOCHS, level)
        self.store.journal(
            run,
            [{"t": NOW - 90, "kind": "end", "status": "done", "cause": "completed",
              "message": "All epochs are trained.", "best_epoch": EPOCHS, "seconds": 72.0,
              "epochs_trained": EPOCHS, "step": EPOCHS * STEPS_PER_EPOCH}],
        )  # fmt: skip

    def pause(self, run: str, level: float) -> None:
        """Train a trial to the first rung, and no further."""
        self.train(run, 2, level)
        with closing(connect_writer(self.location)) as con, write(con):
            hold_trial(con, run)

    def end(self) -> list[str]:
        """Prune what is paused, and queue what was chosen, as the supervisor does."""
        with closing(connect_writer(self.location)) as con, write(con):
            prune_held(con, "one")
        finals = enqueue(self.location, self.progress.finals())
        with closing(connect_writer(self.location)) as con, write(con):
            end_study(con, "one", "over")
        return finals


def go_on(study: StudiedStore) -> None:
    """Bring a study of two models with successive halving to where much is to be seen: of each
    model two trials are done, others paused, in training or queued."""
    levels = (0.081, 0.096, 0.062, 0.101, 0.055, 0.092, 0.074, 0.088, 0.069)
    while len(study.trials) < len(levels) + 1:
        study.next()
    for trial, level in zip(study.trials, levels, strict=False):
        if trial.number in (4, 5, 6):
            study.pause(trial.run, level)
        elif trial.number in (7, 8):
            study.train(trial.run, 5 + trial.number % 3, level)
        else:
            study.finish(trial.run, level)
