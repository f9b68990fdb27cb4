"""Pros and cons of the models on a data set, each sentence made from results that it cites.
 Every model and profile stands for itself at the length and settings that **validation** prefers,
so that test metrics, which are compared, are not used for selection. A difference is a pro or a con
only if it is significant: if its corrected p-value is below the level, so that its interval leaves
out 0 (of a ratio: 1); a ratio must also reach `WORTH_TELLING`. All other comparisons of quality are
open. Qualities are corrected (Holm) for every two of these models on the data set, costs for all
comparisons of costs on it.
 Times, memory and rates are compared by Welch's test of their logarithms over seeds
(`engine.analysis.pairs.significance.ratio`), only between cells of one device and number type whose
runs nothing disturbed, and only if both have two seeds or more. Parameters are exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from engine.analysis.claims.balance import (
    DISTURBED,
    ONE_SEED,
    OTHER_DEVICES,
    OTHER_ENERGY,
    UNFINISHED,
    Role,
    balance_sentence,
    open_sentences,
)
from engine.analysis.claims.claim import Claim, Family
from engine.analysis.columns.definitions import Value, metric_name
from engine.analysis.comparison import COMPARABLE
from engine.analysis.costs import ENERGY_TO_BEST, TO_BEST, Cost, CostedCell, known_costs
from engine.analysis.pairs.cells import pairs
from engine.analysis.pairs.significance import Metric, holm, ratio
from engine.analysis.refits import without_refits
from engine.marks import OF_TRAINING
from engine.spec import TOP_K
from engine.spread import spread

WORTH_TELLING = 1.05
"""Least ratio of two costs that counts as a pro or a con, however certain."""


@dataclass(frozen=True)
class Weighed:
    """Two cells compared in one metric or cost, the one with the better mean first."""

    cost: Cost | None
    """The cost that is compared; ``None`` for the quality."""
    winner: CostedCell
    loser: CostedCell
    figures: tuple[float, float]
    """The winner's and the loser's mean over seeds."""
    claim: Claim
    """Of the winner. The estimate is of quality the difference, else how many times the better the
    winner's is: a mean of logarithms, which may differ a little from the means' ratio."""
    missing: int | None = None
    """Seeds to add to each cell for an open comparison to show a difference; ``None`` if no number
    would, or nothing can be claimed."""

    @property
    def is_shown(self) -> bool:
        """Whether the results support it."""
        if self.claim.verdict != "better":
            return False
        return self.cost is None or self.claim.estimate >= WORTH_TELLING


@dataclass(frozen=True)
class Sentence:
    """A statement on a cell, with the comparisons that support it."""

    text: str
    weighed: tuple[Weighed, ...]


@dataclass(frozen=True)
class Balance:
    """One model's pros and cons."""

    cell: CostedCell
    pros: tuple[Sentence, ...]
    cons: tuple[Sentence, ...]
    open: tuple[str, ...]
    """Sentences on comparisons of quality that show no difference or allow no conclusion."""


@dataclass(frozen=True)
class Tradeoffs:
    """The models of one data set."""

    place: dict[str, Value]
    """The values of `COMPARABLE`, by name."""
    balances: tuple[Balance, ...]
    """One for each model and profile, the largest quality first."""
    claims: tuple[Claim, ...]
    """On the quality of every two of them."""
    family: Family
    """What the p-values of quality are corrected for."""
    cost_family: Family
    notes: tuple[str, ...]
    """What could not be compared, and why."""


def tradeoffs(
    cells: Sequence[CostedCell], metric: Metric, *, masked: bool, k: int = TOP_K
) -> list[Tradeoffs]:
    """Weigh the models of each data set, protocol, split and checksum, in the cells' order, their
    quality being a metric at ``k``."""
    groups: dict[tuple[Value, ...], list[CostedCell]] = {}
    for each in cells:
        groups.setdefault(each.cell.comparable, []).append(each)
    return [
        _of_dataset(dict(zip(COMPARABLE, key, strict=True)), group, metric, masked, k)
        for key, group in groups.items()
    ]


def contenders(cells: Sequence[CostedCell], metric: Metric, *, masked: bool) -> list[CostedCell]:
    """Choose of each model and profile the cell whose metric at 10 is best on validation: of equal
    ones the shortest, and of these one whose training wasn't cut off by its limit of epochs.

    Refits are left out unless all cells are (`engine.analysis.refits`).
    """
    column = metric_name(metric, masked=masked, split="valid")

    def on_validation(each: CostedCell) -> tuple[float, int, bool]:
        found = spread(run[column] for run in each.cell.runs)
        whole = OF_TRAINING.isdisjoint(each.cell.side.marks)
        return found.mean if found else -math.inf, -each.cell.cell.length, whole

    best: dict[tuple[str, str], CostedCell] = {}
    for each in without_refits(cells, lambda each: each.is_refit):
        key = (each.cell.cell.model, each.cell.cell.profile)
        if key not in best or on_validation(each) > on_validation(best[key]):
            best[key] = each
    return list(best.values())


def _of_dataset(
    place: dict[str, Value], cells: Sequence[CostedCell], metric: Metric, masked: bool, k: int
) -> Tradeoffs:
    chosen = contenders(cells, metric, masked=masked)
    means = {
        id(each): float(each.cell.values(metric, masked=masked, k=k).mean()) for each in chosen
    }
    chosen.sort(key=lambda each: -means[id(each)])
    notes: list[str] = []
    qualities = list(_qualities(chosen, means, metric, masked=masked, k=k))
    costs = [each for cost in known_costs(chosen) for each in _costs(chosen, cost, notes)]
    uncertain = [each.claim.p for each in costs if each.claim.p is not None]
    family = Family("costs", len(uncertain))
    corrected = iter(holm(uncertain))
    costs = [
        each
        if each.claim.p is None
        else replace(each, claim=replace(each.claim, p=next(corrected), family=family))
        for each in costs
    ]
    weighed = [*qualities, *costs]
    told = [each.claim for each in qualities]
    return Tradeoffs(
        place,
        balances=tuple(_balance(each, weighed) for each in chosen),
        claims=tuple(told),
        family=Family("models", sum(claim.p is not None for claim in told)),
        cost_family=family,
        notes=tuple(dict.fromkeys(notes)),
    )


def _qualities(
    chosen: Sequence[CostedCell],
    means: Mapping[int, float],
    metric: Metric,
    *,
    masked: bool,
    k: int,
) -> Iterator[Weighed]:
    """Compare every two of the chosen cells, of which the best comes first."""
    cells = {id(each.cell): each for each in chosen}
    ranked = [each.cell for each in chosen]
    tested = pairs(ranked, metric, masked=masked, k=k, family="models")
    for pair in tested:
        better, other = cells[id(pair.a)], cells[id(pair.b)]
        figures = means[id(better)], means[id(other)]
        yield Weighed(None, better, other, figures, pair.claim, pair.more_seeds)


def _costs(chosen: Sequence[CostedCell], cost: Cost, notes: list[str]) -> Iterator[Weighed]:
    for one, other in combinations(chosen, 2):
        ours, theirs = one.spread(cost), other.spread(cost)
        if ours is None or theirs is None:
            continue
        if (ours.mean > theirs.mean) == (cost.better == "lower"):
            one, other, ours, theirs = other, one, theirs, ours
        a, b, figures = one.values(cost), other.values(cost), (ours.mean, theirs.mean)
        worse, good = (b, a) if cost.better == "lower" else (a, b)
        names = cost.title, one.label, other.label
        if cost.exact:
            if min(figures) > 0:  # a fitted model has no parameters
                value = max(figures) / min(figures)
                claim = Claim(*names, value, value, value, equal=1.0)
                yield Weighed(cost, one, other, figures, claim)
        elif one.place != other.place or len(one.place) > 1:
            notes.append(OTHER_DEVICES)
        elif cost.of_energy and (one.energy_of != other.energy_of or len(one.energy_of) > 1):
            notes.append(OTHER_ENERGY)
        elif one.disturbed or other.disturbed:
            notes.append(DISTURBED)
        elif cost in (TO_BEST, ENERGY_TO_BEST) and any(
            OF_TRAINING & set(each.cell.side.marks) for each in (one, other)
        ):
            notes.append(UNFINISHED)
        elif (seen := ratio(worse, good)) is None:
            notes.append(ONE_SEED)
        else:
            claim = Claim(*names, seen.value, seen.low, seen.high, "seeds", seen.p, equal=1.0)
            yield Weighed(cost, one, other, figures, claim)


def _balance(cell: CostedCell, weighed: Sequence[Weighed]) -> Balance:
    pros, cons = [], []
    for cost in dict.fromkeys(each.cost for each in weighed):
        shown = [each for each in weighed if each.cost is cost and each.is_shown]
        if won := tuple(each for each in shown if each.winner is cell):
            pros.append(_sentence(won, "winner"))
        if lost := tuple(each for each in shown if each.loser is cell):
            cons.append(_sentence(lost, "loser"))
    open_ = [
        each
        for each in weighed
        if each.cost is None and not each.is_shown and cell in (each.winner, each.loser)
    ]
    return Balance(cell, tuple(pros), tuple(cons), tuple(open_sentences(open_, cell)))


def _sentence(weighed: tuple[Weighed, ...], role: Role) -> Sentence:
    return Sentence(balance_sentence(weighed, role), weighed)
