"""Training updates as the loop makes them, to be measured one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.config import load_catalogue
from engine.datasets.load import load_interactions
from engine.datasets.splits import SplitData, leave_one_out
from engine.models.registry import build
from engine.spec import RunSpec
from engine.training.loop import steps_per_epoch, training_histories, uses_bfloat16
from engine.training.objectives import objective_of, target_capacity
from engine.training.update import Learner, Update, capture, make_optimizer, make_update
from engine.training.windows import Windows, cut_windows

SEED = 42
MODELS = ("sasrec", "bert4rec", "xlstm")


@dataclass(frozen=True)
class Workload:
    """A run at its first epoch."""

    spec: RunSpec
    split: SplitData
    learner: Learner
    batches: list[Windows]
    """An epoch of them, on the device."""
    eager: Update
    """The update as it is written."""
    update: Update
    """What the loop calls: on a GPU, the update as one CUDA graph."""
    steps_per_epoch: int
    bfloat16: bool
    device: torch.device

    def repeatable(self, batch: Windows, *, eager: bool = False) -> Callable[[], Tensor]:
        """An update by ``batch`` that draws the same random numbers, and so does the same work,
        at every call."""
        update = self.eager if eager else self.update

        def work() -> Tensor:
            torch.manual_seed(SEED)
            return update(batch)

        return work


def workload(model: str, dataset: str, length: int, device: torch.device) -> Workload:
    """Set a run up as `engine.training.loop.train` does.

    Raises:
        UserError: a name that isn't known, or data that isn't here.
    """
    spec = load_catalogue().run_spec(model, dataset, length, SEED)
    split = leave_one_out(load_interactions(spec.source))
    return set_up(spec, split, device)


def set_up(spec: RunSpec, split: SplitData, device: torch.device) -> Workload:
    """The same from data that is read already."""
    torch.manual_seed(spec.seed)
    histories = training_histories(split, device)
    network = build(spec.architecture, split.interactions.num_items, spec.length).to(device)
    network.train()
    learner = Learner(network, make_optimizer(network, spec.training, device, None), None)
    objective, bfloat16 = objective_of(spec), uses_bfloat16(spec.training, device)
    generator = torch.Generator().manual_seed(SEED)
    windows = cut_windows(histories, objective.width, generator, objective.stride)
    windows = windows.shuffled(generator)
    size, capacity = spec.training.batch_size, None
    if device.type == "cuda":
        windows = windows.padded(size)
        capacity = target_capacity(objective, windows, size)
    batches = list(windows.to(device).batches(size))
    eager = make_update(learner, objective, histories.items, capacity, bfloat16=bfloat16)
    update = capture(eager, learner, batches[0]) if device.type == "cuda" else eager
    return Workload(
        spec=spec,
        split=split,
        learner=learner,
        batches=batches,
        eager=eager,
        update=update,
        steps_per_epoch=steps_per_epoch(spec, histories),
        bfloat16=bfloat16,
        device=device,
    )
