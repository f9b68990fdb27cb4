"""seqbench's training loop, an epoch at a time: its recorder waits for requests."""

from __future__ import annotations

from contextlib import suppress

import torch

from benchmarks.sides.pipe import Closed, Measured, Pipe, Ready, peak_mib, split_digest
from engine import __version__
from engine.config import load_catalogue
from engine.datasets.load import load_interactions
from engine.datasets.splitting.splits import leave_one_out
from engine.models.registry import definition_of
from engine.training.loop import train
from engine.training.recorder import EpochRecord, StepRecord
from engine.training.setup import steps_per_epoch, training_histories, uses_bfloat16

CPU = torch.device("cpu")


class Turns:
    """The recorder of a run that goes on only while it has been asked to."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        pipe.wait()

    def steps(self, records: list[StepRecord]) -> None: ...

    def epoch(self, record: EpochRecord) -> None:
        self._pipe.send(
            Measured(
                updates=record.batches,
                train_seconds=record.train_seconds,
                peak_mib=peak_mib(),
                evaluation_seconds=record.eval_seconds,
                valid_recall=record.metrics["valid_recall"],
            )
        )
        self._pipe.wait()


def main() -> None:
    pipe = Pipe()
    settings = pipe.settings()
    torch.set_num_threads(settings["threads"])
    spec = load_catalogue().run_spec(**settings["run"])
    definition = definition_of(spec)
    interactions = load_interactions(spec.source)
    split = leave_one_out(interactions)
    targets = zip(split.users("valid").tolist(), split.targets("valid").tolist(), strict=True)
    pipe.send(
        Ready(
            library=f"seqbench {__version__}",
            torch=torch.__version__,
            dtype="bfloat16" if uses_bfloat16(spec.training, CPU) else "float32",
            parameters=definition.parameters(
                spec.architecture.settings, interactions.num_items, spec.length
            ),
            updates_per_epoch=steps_per_epoch(spec, definition, training_histories(split, CPU)),
            most_epochs=spec.training.epochs,
            split=split_digest(targets),
        )
    )
    train(spec, definition, interactions, CPU, Turns(pipe))


if __name__ == "__main__":
    with suppress(Closed):
        main()
