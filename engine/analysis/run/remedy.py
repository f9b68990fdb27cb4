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
    of_recipe: bool = False
    """Whether these are what the run's profile says by itself."""
    retry: bool = True
    """Whether the same run may get through: one that diverged would do so again."""

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
        "If the machine ran out of memory, try smaller batches; otherwise retry.",
    ),
    "disk-full": ("The disk is full", "Make room, then retry."),
    "hung": (
        "It hung",
        "Retry; if it hangs again, look at the log and at the machine (a GPU or a disk that "
        "doesn't respond).",
    ),
    "data": (
        "Its data is missing, or isn't the same",
        "See `seqbench data verify {dataset}`, bring the files back, then retry.",
    ),
    "device": ("Its device can't be used", "See `seqbench doctor`, fix it, then retry."),
    "launch": ("It couldn't be started", "Fix what the message says, then retry."),
    "lost": ("Its process vanished", "Retry; the log may say why it ended."),
}
"""Title and advice, by the cause of a run's end."""


def remedy(
    cause: str | None, spec: Mapping[str, Any], recipe: Mapping[str, Any] | None = None
) -> Remedy:
    """Return advice on a run that ended with ``cause``.

    Args:
        spec: `engine.spec.RunSpec` as JSON.
        recipe: what the run's profile gives by itself (`engine.analysis.run.relaunch.recipe_of`),
            whose settings are proposed where they are lower than the run's; ``None`` if that isn't
            known.
    """
    other = "It failed", "Fix what the log says, then retry."
    title, advice = _ADVICE.get(cause or "", other)
    training = spec.get("training", {})
    usual = (recipe or {}).get("training", {})
    lowered: Settings = {}
    if cause == "diverged" and "lr" in training:
        lowered = {
            "lr": _lower(training["lr"], usual.get("lr"), float(f"{training['lr'] / 10:.2g}"))
        }
    elif cause in ("out-of-memory", "killed"):
        lowered = {
            name: _lower(training[name], usual.get(name), training[name] // 2)
            for name in ("batch_size", "eval_batch_size")
            if training.get(name, 1) > 1
        }
    return Remedy(
        title,
        advice.format(dataset=spec.get("dataset", "DATASET")),
        lowered,
        of_recipe=bool(lowered) and all(usual.get(name) == lowered[name] for name in lowered),
        retry=cause != "diverged",
    )


def _lower(had: float, usual: float | None, otherwise: float) -> float:
    """Return the recipe's value where that is lower than what the run had, else another."""
    return usual if usual is not None and usual < had else otherwise
