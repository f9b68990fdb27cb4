"""Refits among other cells: they were trained on validation, too, so they stand in tables under
their names, but none of them is a best value, a maximum, on a Pareto front or first in a ranking
where there are others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from engine.analysis.columns.definitions import Value

Each = TypeVar("Each")


def is_refit(run: Mapping[str, Value]) -> bool:
    """Whether a row of `engine.analysis.comparison.compare_rows`, of a run or cell, is of one."""
    return run.get("refit") == "true"


def without_refits(every: Sequence[Each], refit: Callable[[Each], bool]) -> list[Each]:
    """Leave out the refits, unless all are."""
    return [each for each in every if not refit(each)] or list(every)
