"""seqbench's training loop, an epoch at a time: its recorder and its ``stop`` wait for requests."""

from __future__ import annotations

import time
from contextlib import suppress

import torch

from benchmarks.sides.pipe import Closed, Measured, Pipe, Ready, peak_mib, split_digest
from engine import __version__
from engine.config import load_catalogue
from engine.datasets.load import load_interactions
from engine.datasets.splits import leave_one_out
from engine.models.sizes import count
from engine.training.loop import steps_per_epoch, train, training_histories, uses_bfloat16
from engine.training.recorder import EpochRecord, StepRecord

CPU = torch.device("cpu")


class Turns:
    """The recorder of a run that goes on only while it has been asked to."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._asked: int | None = None
        self._left: int | None = None
        self._epoch_start = 0
        self.wait()

    def wait(self) -> None:
        self._asked = self._left = self._pipe.request().updates
        self._started = time.perf_counter()

    def stop(self) -> bool:
        """Called before every update."""
        if self._asked is not None and self._left == 0:
            seconds = time.perf_counter() - self._started
            self._pipe.send(Measured(self._asked, seconds, peak_mib()))
            self.wait()
        if self._left is not None:
            self._left -= 1
        return False

    def steps(self, records: list[StepRecord]) -> None: ...

    def epoch(self, record: EpochRecord) -> None:
        if self._asked is None:
            self._pipe.send(
                Measured(
                    updates=record.batches,
                    train_seconds=record.train_seconds,
                    peak_mib=peak_mib(),
                    evaluation_seconds=record.eval_seconds,
                    valid_recall=record.metrics["valid_recall"],
                )
            )
            self.wait()


def main() -> None:
    pipe = Pipe()
    settings = pipe.settings()
    torch.set_num_threads(settings["threads"])
    spec = load_catalogue().run_spec(**settings["run"])
    interactions = load_interactions(spec.source)
    split = leave_one_out(interactions)
    targets = zip(split.users("valid").tolist(), split.targets("valid").tolist(), strict=True)
    pipe.send(
        Ready(
            library=f"seqbench {__version__}",
            torch=torch.__version__,
            dtype="bfloat16" if uses_bfloat16(spec.training, CPU) else "float32",
            parameters=count(spec.architecture, interactions.num_items, spec.length),
            updates_per_epoch=steps_per_epoch(spec, training_histories(split, CPU)),
            most_epochs=spec.training.epochs,
            split=split_digest(targets),
        )
    )
    turns = Turns(pipe)
    train(spec, interactions, CPU, turns, stop=turns.stop)


if __name__ == "__main__":
    with suppress(Closed):
        main()
