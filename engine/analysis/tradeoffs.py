"""Pros and cons of the models on a data set, each sentence from figures that it cites.

Every model and profile stands for itself at the length and settings that **validation** prefers, so
that the test figures, which are compared, choose nothing. A difference is a pro or a con only if it
is significant: if its corrected p-value is below the level, so that its interval leaves out 0 (of a
ratio: 1); a ratio must also reach `WORTH_TELLING`. All other comparisons of quality are open.
Qualities have the p-values of the whole table of pairs, so that a page never contradicts itself on
a pair; costs are corrected (Holm) for all comparisons of costs on the data set.

Times, memory and rates are compared by Welch's test of their logarithms over seeds
(`engine.analysis.pairs.significance.ratio`), only between cells of one device and number type whose
runs nothing disturbed, and only if both have two seeds or more. Parameters are exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from engine.analysis.comparison import COMPARABLE, METRIC_NAMES, Value, figure, signed
from engine.analysis.costs import EPOCH, PARAMETERS, SPEED_1, TO_BEST, Cost, CostedCell, known_costs
from engine.analysis.export import listed
from engine.analysis.pairs.cells import Pair
from engine.analysis.pairs.significance import LEVEL, Metric, holm, ratio
from engine.analysis.pairs.words import p_text
from engine.spread import spread

WORTH_TELLING = 1.05
"""Least ratio of two costs that counts as a pro or a con, however certain."""


@dataclass(frozen=True)
class Claim:
    """Two cells in one figure, the better one first."""

    cost: Cost | None
    """The cost that is compared; ``None`` for the quality."""
    winner: CostedCell
    loser: CostedCell
    figures: tuple[float, float]
    """The winner's and the loser's mean over seeds."""
    estimate: float
    """Of quality the difference, above 0; else how many times the better the winner's is, above
    1. A mean of logarithms: it may differ a little from the means' ratio."""
    low: float
    high: float
    """The interval at 95 %; of an exact figure the estimate itself."""
    p: float
    """The corrected p-value; 0 for an exact figure."""
    missing: int | None = None
    """Seeds to add to each cell for an open comparison to show a difference; ``None`` if no number
    would, or a single seed doesn't tell."""

    @property
    def is_shown(self) -> bool:
        """Whether the figures support it."""
        if self.cost is None:
            return self.p < LEVEL and self.low > 0
        return self.p < LEVEL and self.low > 1 and self.estimate >= WORTH_TELLING


@dataclass(frozen=True)
class Sentence:
    """A statement on a cell, with the comparisons that support it."""

    text: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Balance:
    """One model's pros and cons."""

    cell: CostedCell
    quality: float
    pros: tuple[Sentence, ...]
    cons: tuple[Sentence, ...]
    open: tuple[Sentence, ...]
    """Comparisons of quality in which no difference is shown."""


@dataclass(frozen=True)
class Tradeoffs:
    """The models of one data set."""

    place: dict[str, Value]
    """The values of `COMPARABLE`, by name."""
    metric: Metric
    masked: bool
    balances: tuple[Balance, ...]
    """One for each model and profile, the best quality first."""
    comparisons: int
    """Of costs, that their p-values are corrected for."""
    notes: tuple[str, ...]
    """What could not be compared, and why."""


def tradeoffs(
    cells: Sequence[CostedCell], pairs: Sequence[Pair], metric: Metric, *, masked: bool
) -> list[Tradeoffs]:
    """Weigh the models of each data set, protocol, split and checksum, in the order of the cells.

    Args:
        pairs: of these cells in this metric, from `engine.analysis.pairs.cells.pairs`.
    """
    groups: dict[tuple[Value, ...], list[CostedCell]] = {}
    for each in cells:
        groups.setdefault(each.cell.comparable, []).append(each)
    return [
        _of_dataset(dict(zip(COMPARABLE, key, strict=True)), group, pairs, metric, masked)
        for key, group in groups.items()
    ]


def contenders(cells: Sequence[CostedCell], metric: Metric, *, masked: bool) -> list[CostedCell]:
    """Choose of each model and profile the cell that is best on validation."""
    column = f"{METRIC_NAMES[metric]}/valid" + (" (seen masked)" if masked else "")

    def on_validation(each: CostedCell) -> float:
        found = spread(run[column] for run in each.cell.runs)
        return found.mean if found else -math.inf

    best: dict[tuple[str, str], CostedCell] = {}
    for each in cells:
        key = (each.cell.cell.model, each.cell.cell.profile)
        if key not in best or on_validation(each) > on_validation(best[key]):
            best[key] = each
    return list(best.values())


def _of_dataset(
    place: dict[str, Value],
    cells: Sequence[CostedCell],
    pairs: Sequence[Pair],
    metric: Metric,
    masked: bool,
) -> Tradeoffs:
    chosen = contenders(cells, metric, masked=masked)
    means = {id(each): float(each.cell.values(metric, masked=masked).mean()) for each in chosen}
    chosen.sort(key=lambda each: -means[id(each)])
    notes: list[str] = []
    costs = [claim for cost in known_costs(chosen) for claim in _cost_claims(chosen, cost, notes)]
    uncertain = [claim for claim in costs if not _is_exact(claim)]
    corrected = iter(holm([claim.p for claim in uncertain]))
    claims = list(_quality_claims(chosen, pairs, means))
    claims += [each if _is_exact(each) else replace(each, p=next(corrected)) for each in costs]
    balances = tuple(_balance(each, means[id(each)], claims, metric) for each in chosen)
    notes = list(dict.fromkeys(notes))
    return Tradeoffs(place, metric, masked, balances, len(uncertain), tuple(notes))


def _is_exact(claim: Claim) -> bool:
    return claim.cost is not None and claim.cost.exact


def _quality_claims(
    chosen: Sequence[CostedCell], pairs: Sequence[Pair], means: Mapping[int, float]
) -> Iterator[Claim]:
    known = {(id(pair.a), id(pair.b)): pair for pair in pairs}
    for better, other in combinations(chosen, 2):  # the best comes first
        figures = means[id(better)], means[id(other)]
        if pair := known.get((id(better.cell), id(other.cell))):
            low, high, sign = pair.difference.low, pair.difference.high, 1
        elif pair := known.get((id(other.cell), id(better.cell))):
            low, high, sign = -pair.difference.high, -pair.difference.low, -1
        else:
            continue
        mean = sign * pair.difference.mean
        yield Claim(None, better, other, figures, mean, low, high, pair.p, pair.more_seeds)


def _cost_claims(chosen: Sequence[CostedCell], cost: Cost, notes: list[str]) -> Iterator[Claim]:
    for one, other in combinations(chosen, 2):
        ours, theirs = one.spread(cost), other.spread(cost)
        if ours is None or theirs is None:
            continue
        if (ours.mean > theirs.mean) == (cost.better == "lower"):
            one, other, ours, theirs = other, one, theirs, ours
        a, b, figures = one.values(cost), other.values(cost), (ours.mean, theirs.mean)
        worse, good = (b, a) if cost.better == "lower" else (a, b)
        if cost.exact:
            value = max(figures) / min(figures)
            yield Claim(cost, one, other, figures, value, value, value, 0.0)
        elif one.place != other.place or len(one.place) > 1:
            notes.append("Times, memory and rates of runs on different devices aren't compared.")
        elif one.disturbed or other.disturbed:
            notes.append("Times, memory and rates of marked runs aren't compared.")
        elif (seen := ratio(worse, good)) is None:
            notes.append("Times, memory and rates of a cell with one seed aren't compared.")
        else:
            yield Claim(cost, one, other, figures, seen.value, seen.low, seen.high, seen.p)


def _balance(cell: CostedCell, quality: float, claims: Sequence[Claim], metric: Metric) -> Balance:
    pros, cons = [], []
    for cost in dict.fromkeys(claim.cost for claim in claims):
        of_cost = [claim for claim in claims if claim.cost is cost and claim.is_shown]
        if won := tuple(claim for claim in of_cost if claim.winner is cell):
            pros.append(_sentence(won, metric, "winner"))
        if lost := tuple(claim for claim in of_cost if claim.loser is cell):
            cons.append(_sentence(lost, metric, "loser"))
    open_ = [
        Sentence(_open_text(claim, metric, cell), (claim,))
        for claim in claims
        if claim.cost is None and not claim.is_shown and cell in (claim.winner, claim.loser)
    ]
    return Balance(cell, quality, tuple(pros), tuple(cons), tuple(open_))


def _sentence(
    claims: tuple[Claim, ...], metric: Metric, side: Literal["winner", "loser"]
) -> Sentence:
    """Say what claims, all of one figure, mean for the cell on this side of them."""
    own = claims[0].figures[0 if side == "winner" else 1]
    cost = claims[0].cost
    others = (_other(claim, side) for claim in claims)
    if cost is None:
        word = "above" if side == "winner" else "below"
        text = f"{METRIC_NAMES[metric]} of {own:.4f}, {word} " + listed(others)
    else:
        between = ":" if _has_more(cost, side) else ";"
        text = f"{_subject(cost, own)}{between} " + listed(others)
    return Sentence(f"{text}.", claims)


def _other(claim: Claim, side: Literal["winner", "loser"]) -> str:
    """Name the other cell of a claim, and the difference to it."""
    other = claim.loser if side == "winner" else claim.winner
    value = claim.figures[1 if side == "winner" else 0]
    if claim.cost is None:
        sign = 1 if side == "winner" else -1
        low, high = sorted((sign * claim.low, sign * claim.high))
        return (
            f"{other.label} ({value:.4f}: {signed(sign * claim.estimate)} "
            f"[{signed(low)}, {signed(high)}], {p_text(claim.p)})"
        )
    times = times_text(claim.estimate)
    if not claim.cost.exact:
        times += f" [{times_text(claim.low)}, {times_text(claim.high)}]"
    that = "times" if _has_more(claim.cost, side) else "times that with"
    unit = f" {claim.cost.unit}" if claim.cost.unit else ""
    return f"{times} {that} {other.label} ({figure(value, claim.cost.kind)}{unit})"


def _has_more(cost: Cost, side: Literal["winner", "loser"]) -> bool:
    """Whether the cell on this side has the larger figure."""
    return (cost.better == "higher") == (side == "winner")


def _subject(cost: Cost, own: float) -> str:
    shown = figure(own, cost.kind)
    if cost is PARAMETERS:
        return f"{shown} parameters"
    if cost in (EPOCH, TO_BEST):
        return f"{cost.title} takes {shown} s"
    if cost.better == "higher":
        how = "one at a time" if cost is SPEED_1 else "256 at once"
        return f"Recommends for {shown} users a second, {how}"
    return f"{cost.title} is {shown} {cost.unit}"


def _open_text(claim: Claim, metric: Metric, cell: CostedCell) -> str:
    sign = 1 if claim.winner is cell else -1
    other = claim.loser if claim.winner is cell else claim.winner
    low, high = sorted((sign * claim.low, sign * claim.high))
    text = (
        f"{METRIC_NAMES[metric]} against {other.label}: {signed(sign * claim.estimate)} "
        f"[{signed(low)}, {signed(high)}], {p_text(claim.p)}: no difference shown"
    )
    if claim.missing:
        text += f"; about {claim.missing} more seeds each would tell, if it is as large as it looks"
    return f"{text}."


def times_text(value: float) -> str:
    """Write a ratio with two or three significant digits."""
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}" if value >= 2 else f"{value:.2f}"
