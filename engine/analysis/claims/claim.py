"""What the results of two cells support: how large a difference is, how certain, and which
verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.analysis.claims.rule import Untold

LEVEL = 0.05
"""The corrected p-value below which a difference is one."""

POWER = 0.8
"""The share of cases in which a difference that is said to be detectable is found (Cohen,
Statistical Power Analysis for the Behavioral Sciences, 1988, section 2.4)."""

Verdict = Literal["better", "worse", "no difference shown"]
NONE_SHOWN: Literal["no difference shown"] = "no difference shown"

USERS_AND_SEEDS = "users and seeds"
USERS_ALONE = "users alone"


@dataclass(frozen=True, slots=True)
class Family:
    """The comparisons that a p-value is corrected for being one of (Holm)."""

    of: Literal["cells", "models", "metrics", "costs", "floor"]
    """Every two cells of a table; every two models of a data set, each at its length; the metrics
    of two cells; the costs of a data set's models; the cells of a data set, each against its
    floor."""
    comparisons: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A comparison of a cell with another, or with a published result, in one metric or cost."""

    figure: str
    """The column, such as ``NDCG@10/test``, or the title of a cost."""
    of: str
    """The cell that the verdict is of."""
    against: str
    estimate: float
    """The difference, or the ratio to the other's value."""
    low: float
    high: float
    """The 95 % interval, not corrected; for an exact value the estimate itself."""
    over: str = ""
    """What the interval is over: `USERS_AND_SEEDS`, `USERS_ALONE`, or the seeds of one of them."""
    p: float | None = None
    """Corrected for the family; None if the interval alone decides, or nothing can be claimed."""
    family: Family | None = None
    untold: Untold | None = None
    """Why no verdict is possible, if none is."""
    equal: float = 0.0
    """The estimate of cells that don't differ: 0, or 1 of a ratio."""

    @property
    def verdict(self) -> Verdict | None:
        """How ``of`` compares; None if nothing can be claimed."""
        if self.untold is not None:
            return None
        if (self.p is not None and self.p >= LEVEL) or self.low <= self.equal <= self.high:
            return NONE_SHOWN
        return "better" if self.estimate > self.equal else "worse"
