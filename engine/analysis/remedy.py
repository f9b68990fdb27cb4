"""Advice on failed runs: the class of failure, and what to try next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Settings = Mapping[str, int | float]


@dataclass(frozen=True)
class Remedy:
    """Advice on a run that failed or was lost."""

    title: str
    """The class of failure."""
    advice: str
    """One sentence: what to try."""
    settings: Settings = field(default_factory=dict)
    """Changed settings with which another run may get through; empty where a plain retry may."""

    @property
    def change(self) -> str:
        """The settings as they are typed; empty if none are changed."""
        return " ".join(f"{name}={value:g}" for name, value in self.settings.items())


_ADVICE = {
    "diverged": ("The loss diverged", "Try a lower learning rate."),
    "out-of-memory": (
        "Memory ran out",
        "Try smaller batches, or fewer runs at a time (slots in settings.yaml).",
    ),
    "killed": (
        "Its process was killed",
        "If the machine ran out of memory, try smaller batches; otherwise, a retry resumes from "
        "the last checkpoint.",
    ),
    "disk-full": ("The disk is full", "Make room; a retry resumes from the last checkpoint."),
    "hung": (
        "It hung",
        "A retry resumes from the last checkpoint; if it hangs again, look at the log and at the "
        "machine (a GPU or a disk that doesn't respond).",
    ),
    "data": (
        "Its data is missing, or isn't the same",
        "See `seqbench data verify {dataset}`, bring the files back, then retry.",
    ),
    "device": ("Its device can't be used", "See `seqbench doctor`, fix it, then retry."),
    "launch": ("It couldn't be started", "Fix what the message says, then retry."),
    "lost": (
        "Its process vanished",
        "A retry resumes from the last checkpoint; the log may say why it ended.",
    ),
}
"""Title and advice, by the cause of a run's end."""


def remedy(cause: str | None, spec: Mapping[str, Any]) -> Remedy:
    """Return advice on a run that ended with ``cause``.

    Args:
        spec: `engine.spec.RunSpec` as JSON.
    """
    other = "It failed", "Fix what the log says, then retry."
    title, advice = _ADVICE.get(cause or "", other)
    training = spec.get("training", {})
    settings: Settings = {}
    if cause == "diverged" and "lr" in training:
        settings = {"lr": float(f"{training['lr'] / 10:.2g}")}
    elif cause in ("out-of-memory", "killed"):
        settings = _halved(training)
    return Remedy(title, advice.format(dataset=spec.get("dataset", "DATASET")), settings)


def _halved(training: Mapping[str, Any]) -> Settings:
    """Halve the batch sizes, of at least 2 each."""
    names = ("batch_size", "eval_batch_size")
    return {name: training[name] // 2 for name in names if training.get(name, 1) > 1}
