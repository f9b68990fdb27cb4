"""All checks by name, and carrying one out whatever the model's code raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.asking.modelcheck import Verdict
from engine.errors import UserError
from engine.models.load import sentence_of
from engine.worker.check.learning import floor, learns, order, reproduces, resumes, targets
from engine.worker.check.outputs import finite, future, padding, parameters, rows
from engine.worker.check.speed import graph, speed
from engine.worker.check.subject import Subject

CHECKS: Mapping[str, Callable[[Subject], Verdict]] = {
    check.__name__: check
    for check in (
        parameters,
        finite,
        padding,
        future,
        rows,
        reproduces,
        resumes,
        learns,
        targets,
        order,
        floor,
        graph,
        speed,
    )
}


def examined(name: str, subject: Subject) -> Verdict:
    """Carry out a check; what the model raises in it is its verdict."""
    try:
        return CHECKS[name](subject)
    except MemoryError:
        raise
    except UserError as error:
        return Verdict(name, False, str(error), "Training ended: look at the other verdicts.")
    except Exception as error:  # noqa: BLE001 - a model's code may raise anything
        return Verdict(
            name,
            False,
            sentence_of(error),
            "Mend that line, and check once more.",
        )
