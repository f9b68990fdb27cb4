"""Examining a model, or a trained run, in a process of its own: one verdict per check."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.asking.process import asked
from engine.errors import StoreError, UserError
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.store.intake.code import allow_code

CHECK = (sys.executable, "-P", "-m", "engine.worker.check")

OF_MODEL = (
    "parameters",
    "finite",
    "padding",
    "future",
    "rows",
    "reproduces",
    "resumes",
    "learns",
    "targets",
    "order",
    "floor",
    "graph",
    "speed",
)
"""The checks of a model, in order."""

OF_RUN = ("parameters", "finite", "padding", "future", "rows", "targets", "order", "floor")
"""Those of a trained run, with its weights and its data."""


@dataclass(frozen=True)
class Verdict:
    """What one check found."""

    check: str
    """One of `OF_MODEL`."""
    passed: bool | None
    """``None``: the check doesn't apply, or can't tell."""
    found: str
    """What was found, with figures: a sentence."""
    advice: str = ""
    """What to do if it didn't pass."""
    values: Mapping[str, float] = field(default_factory=dict)
    """The figures, for programs."""


def examine_model(spec: RunSpec) -> Iterator[Verdict]:
    """Train and examine a model in about a minute, on the CPU, on made histories.

    Args:
        spec: a run of the model on a synthetic data set; its sizes are replaced by small ones.

    Raises:
        UserError: the process ended early.
    """
    return _verdicts({"spec": spec.model_dump(mode="json")}, len(OF_MODEL))


def examine_run(folder: RunFolder) -> Iterator[Verdict]:
    """Examine the weights of a finished run, on its data.

    Raises:
        UserError: the run has no weights, its data isn't here, or the process ended early.
        StoreError: the run's model is a file that may not run here.
    """
    try:
        allow_code(folder)
    except OSError as error:
        raise StoreError(f"{folder.code} can't be written: {error.strerror}.") from None
    return _verdicts({"run": str(folder.path.absolute())}, len(OF_RUN))


def _verdicts(question: Mapping[str, Any], expected: int) -> Iterator[Verdict]:
    told = 0
    with asked(CHECK, question) as answers:
        for answer in answers:
            if "problem" in answer:
                raise UserError(answer["problem"])
            yield Verdict(**answer)
            told += 1
        if told < expected:
            raise UserError(f"The check ended early{answers.last_words()}")
