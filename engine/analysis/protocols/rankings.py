"""The cells of the same interactions, ranked under each rule that they were measured under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, permutations
from typing import Any

from engine.analysis.claims.claim import NONE_SHOWN, Verdict
from engine.analysis.claims.rule import untold
from engine.analysis.pairs.cells import Pair, RankedCell
from engine.analysis.protocols.kendall import tau_b

FEWEST_CELLS = 3
"""Cells that two rules must have in common for Kendall's τ."""

DIGITS = 12
"""Decimals to which metrics are equal: means of the same numbers may differ in the last bits."""


@dataclass(frozen=True)
class Placed:
    """A cell in a ranking."""

    key: str
    """Equal for cells of the same model, settings and length, whatever the rule."""
    cell: RankedCell
    value: float
    """The metric: the mean over its seeds."""
    place: int
    """From 1; cells of equal metrics have the same."""


@dataclass(frozen=True)
class Ranking:
    """All cells that were ranked under a rule, the best first."""

    dataset: str
    title: str
    """Names the rule among those of the same interactions."""
    split: Mapping[str, Any]
    """The rule: `engine.spec.SplitRule` as JSON."""
    evaluated: bool
    """Whether runs that were trained and chosen under another rule were evaluated under this."""
    placed: tuple[Placed, ...]
    pairs: tuple[Pair, ...]
    """The tests between every two of them, corrected together."""

    @property
    def first(self) -> Placed:
        return self.placed[0]

    @property
    def options(self) -> list[str]:
        """The options of `seqbench evaluate` that ask for its rule."""
        kind, targets = str(self.split["kind"]), str(self.split["targets"])
        return ["--split", kind, *([] if kind == "leave-one-out" else ["--targets", targets])]

    @property
    def targets(self) -> int:
        return self.first.cell.targets

    @property
    def users(self) -> int:
        return self.first.cell.users

    @cached_property
    def values(self) -> dict[str, float]:
        """The metric of each cell, by its key, to as many digits as tell cells apart."""
        return {each.key: round(each.value, DIGITS) for each in self.placed}

    @cached_property
    def verdicts(self) -> dict[tuple[str, str], Verdict | None]:
        """How each cell compares with each other one, by their keys; ``None`` if nothing can be
        claimed."""
        key = {id(each.cell): each.key for each in self.placed}
        turned: dict[Verdict | None, Verdict] = {"better": "worse", "worse": "better"}
        found: dict[tuple[str, str], Verdict | None] = {}
        for pair in self.pairs:
            a, b = key[id(pair.a)], key[id(pair.b)]
            found[a, b], found[b, a] = pair.verdict, turned.get(pair.verdict, pair.verdict)
        return found

    @property
    def not_below(self) -> list[Placed]:
        """The cells that were tested and that the first isn't shown to be above."""
        return self._others(NONE_SHOWN)

    @property
    def undecided(self) -> list[Placed]:
        """The cells about which nothing can be claimed beside the first."""
        return self._others(None)

    def _others(self, verdict: Verdict | None) -> list[Placed]:
        first = self.first.key
        return [each for each in self.placed[1:] if self.verdicts.get((first, each.key)) == verdict]

    @property
    def reason(self) -> str:
        """Why nothing can be claimed about some of the cells; empty if something can of all, or if
        there is but one."""
        if len(self.placed) < 2:
            return ""
        why = untold(*(each.cell.side for each in self.placed))
        return why.reason if why else ""

    @property
    def is_shown(self) -> bool:
        """Whether the first is shown to be above each other cell."""
        return len(self.placed) > 1 and not self.not_below + self.undecided


@dataclass(frozen=True)
class Agreement:
    """How two rules order the cells that were ranked under both."""

    a: Ranking
    b: Ranking
    keys: tuple[str, ...]
    """Of these cells."""

    @property
    def tau(self) -> float | None:
        """Kendall's τ-b; ``None`` with fewer than `FEWEST_CELLS`, or if a rule orders none."""
        if len(self.keys) < FEWEST_CELLS:
            return None
        return tau_b(*([side.values[key] for key in self.keys] for side in (self.a, self.b)))

    def first(self, side: Ranking) -> Placed:
        """Return the best of these cells under one of the rules."""
        return next(each for each in side.placed if each.key in self.keys)

    @property
    def reversed(self) -> list[tuple[str, str]]:
        """The keys of two cells each of which the first is shown to be above the second under the
        one rule, and below it under the other."""
        return [
            pair
            for pair in permutations(self.keys, 2)
            if self.a.verdicts.get(pair) == "better" and self.b.verdicts.get(pair) == "worse"
        ]


@dataclass(frozen=True)
class Protocols:
    """The rules that the same interactions were measured under, two or more."""

    rankings: tuple[Ranking, ...]

    @property
    def datasets(self) -> tuple[str, ...]:
        """The data sets that have these interactions."""
        return tuple(dict.fromkeys(each.dataset for each in self.rankings))

    @property
    def title(self) -> str:
        return ", ".join(self.datasets)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The keys of all cells, in the order of the rankings."""
        return tuple(
            dict.fromkeys(each.key for ranking in self.rankings for each in ranking.placed)
        )

    @property
    def agreements(self) -> list[Agreement]:
        """Every two rules with two cells or more in common."""
        both = (
            (a, b, tuple(key for key in self.keys if key in a.values and key in b.values))
            for a, b in combinations(self.rankings, 2)
        )
        return [Agreement(a, b, keys) for a, b, keys in both if len(keys) > 1]

    @property
    def ordering(self) -> tuple[Ranking, ...]:
        """The rules that order anything: those under which two cells or more were ranked."""
        return tuple(each for each in self.rankings if len(each.placed) > 1)

    @property
    def common(self) -> tuple[str, ...]:
        """The keys of the cells that were ranked under each of `ordering`."""
        ordering = self.ordering
        if len(ordering) < 2:
            return ()
        return tuple(key for key in self.keys if all(key in each.values for each in ordering))

    @cached_property
    def labels(self) -> dict[str, str]:
        """What cells are called under every rule, by key."""
        return {each.key: each.cell.label for some in self.rankings for each in some.placed}
