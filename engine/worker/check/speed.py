"""Checks of an update: whether it is recorded as a CUDA graph, and how long it takes."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Iterator
from contextlib import redirect_stderr
from itertools import cycle

import torch

from engine.asking.modelcheck import Verdict
from engine.models.definition import Definition
from engine.models.load import load_definition
from engine.spec import Architecture, RunSpec
from engine.training.setup import (
    TrainingSetup,
    epoch_windows,
    initial_learner,
    training_histories,
    training_setup,
)
from engine.training.windows import Windows
from engine.worker.check.subject import CPU, Subject

LIKE = "sasrec"
"""The model whose update is timed beside."""
DIMS = (8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512)
"""Widths of it that are tried, to be of like size."""

SECONDS = 3.0
"""How long updates of both are timed."""

WARM_UPS = 2


def graph(subject: Subject) -> Verdict:
    """Record an update as a CUDA graph, where there is a GPU."""
    if subject.definition.kind == "fitted":
        return Verdict("graph", None, "Nothing is trained.")
    if not torch.cuda.is_available():
        return Verdict("graph", None, "There is no GPU here.")
    said = io.StringIO()
    with redirect_stderr(said):
        _setup(subject, subject.definition, subject.spec, torch.device("cuda"))
    if not said.getvalue():
        return Verdict("graph", True, "An update is recorded as a CUDA graph.")
    return Verdict(
        "graph",
        False,
        " ".join(said.getvalue().split()),
        "Don't read a tensor's value in hidden or loss (item(), tolist(), if on a tensor, "
        "nonzero, boolean masks as an index): training works without, but slower.",
    )


def speed(subject: Subject) -> Verdict:
    """Time updates beside those of a known model of like size, by turns."""
    definition, spec = subject.definition, subject.spec
    if definition.kind == "fitted":
        return Verdict("speed", None, "Nothing is trained.")
    device = torch.device("cuda") if torch.cuda.is_available() else CPU
    count = definition.parameters(spec.architecture.settings, subject.num_items, spec.length)
    other, width, others = _like(count, subject)
    like = spec.model_copy(
        update={
            "architecture": Architecture(model=LIKE, **width),
            "code": None,
            "training": spec.training.model_copy(update={"objective": "next-item"}),
        }
    )
    sides = [
        _updates(_setup(subject, definition, spec, device)),
        _updates(_setup(subject, other, like, device)),
    ]
    for side in sides:
        for _ in range(WARM_UPS):
            next(side)
    seconds: tuple[list[float], list[float]] = ([], [])
    until = time.perf_counter() + SECONDS
    while time.perf_counter() < until or not seconds[1]:
        for taken, side in zip(seconds, sides, strict=True):
            taken.append(next(side))
    own, theirs = (1000 * statistics.median(taken) for taken in seconds)
    batch = spec.training.batch_size
    return Verdict(
        "speed",
        True,
        f"An update of {batch} windows takes {own:.1f} ms; {other.title} with {others:,} "
        f"parameters takes {theirs:.1f} ms ({device.type}).",
        values={"milliseconds": own, "like": theirs, "like_parameters": others},
    )


def _like(count: int, subject: Subject) -> tuple[Definition, dict[str, int], int]:
    """Return the known model, its settings with the width whose number of parameters is nearest
    to ``count``, and that number."""
    definition = load_definition(LIKE)
    found = []
    for dim in DIMS:
        settings = {"dim": dim, "heads": 2, "layers": 2}
        size = definition.parameters(settings, subject.num_items, subject.length)
        found.append((abs(size - count), size, settings))
    _, size, settings = min(found, key=lambda each: each[0])
    return definition, settings, size


def _setup(
    subject: Subject, definition: Definition, spec: RunSpec, device: torch.device
) -> TrainingSetup:
    histories = training_histories(subject.split, device)
    learner = initial_learner(spec, definition, subject.num_items, device)
    return training_setup(spec, definition, learner, histories)


def _updates(setup: TrainingSetup) -> Iterator[float]:
    """Yield the seconds that an update takes, again and again."""
    setup.learner.model.train()
    windows: Windows = epoch_windows(setup.spec, 1, setup.objective, setup.histories)
    for batch in cycle(list(windows.batches(setup.spec.training.batch_size))):
        started = time.perf_counter()
        setup.update(batch).cpu()  # waits for the device
        yield time.perf_counter() - started
