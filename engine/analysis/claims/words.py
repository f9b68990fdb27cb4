"""All sentences about compared cells, made here from claims and shown by all front ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from engine.analysis.claims.claim import NONE_SHOWN, USERS_ALONE, USERS_AND_SEEDS, Claim, Family
from engine.analysis.claims.rule import Side, untold
from engine.analysis.columns.text import signed
from engine.analysis.export import listed
from engine.evaluated import with_targets

_EFFECTS = ((0.8, "large"), (0.5, "medium"), (0.2, "small"))
"""Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988, sec. 2.2.3."""
_FAMILIES = {
    "cells": "comparison of two cells listed here",
    "models": "comparison of two models on this data set",
    "metrics": "metric of these two",
    "costs": "comparison of costs in this table",
    "floor": "cell compared with the floor",
}
OTHER_FAMILY = (
    "In short and Trade-offs correct only for the models of a data set, each at its length: "
    "these are fewer comparisons, so a difference may be shown there but not here."
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A model's metric among those it is compared with."""

    side: Side
    mean: float
    low: float
    high: float
    """The interval at 95 %, over users."""

    @property
    def text(self) -> str:
        return f"{self.mean:.4f} {within(self.low, self.high)}"


def within(low: float, high: float) -> str:
    """Format the interval of a metric: ``[0.1581, 0.1643]``."""
    return f"[{low:.4f}, {high:.4f}]"


def p_text(p: float) -> str:
    """Write a p-value with three digits: ``p = .012``, ``p < .001``."""
    digits = p_digits(p)
    return f"p {digits}" if p < 0.001 else f"p = {digits}"


def p_digits(p: float) -> str:
    """Write a p-value alone: ``.012``, ``< .001``."""
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def effect_word(effect: float) -> str:
    """Name the size of an effect as Cohen (1988) does."""
    size = abs(effect)
    return next((word for least, word in _EFFECTS if size >= least), "less than small")


def times_text(value: float) -> str:
    """Write a ratio with two or three significant digits."""
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}" if value >= 2 else f"{value:.2f}"


def family_text(family: Family) -> str:
    """Name what a p-value is corrected for: ``the 3 metrics of these two``."""
    noun, _, rest = _FAMILIES[family.of].partition(" ")
    number = family.comparisons
    return f"the one {noun} {rest}" if number == 1 else f"the {number:,} {noun}s {rest}"


def difference_text(claim: Claim, *, turned: bool = False) -> str:
    """Write a difference with its interval and p-value, of the other side where ``turned``."""
    sign = -1 if turned else 1
    low, high = sorted((sign * claim.low, sign * claim.high))
    text = f"{signed(sign * claim.estimate)} [{signed(low)}, {signed(high)}]"
    return text if claim.p is None else f"{text}, {p_text(claim.p)}"


def headline(
    title: str, figure: str, users: int, ranked: Sequence[Standing], claims: Iterable[Claim]
) -> str:
    """Say which model of a data set is shown to be best, or that none is, or that there is no
    conclusion.

    Args:
        ranked: the models, the largest metric first.
        claims: those about every pair of them.
    """
    if len(ranked) == 1:
        one = ranked[0]
        return (
            f"{title}: {one.side.label} alone, with {figure} {one.text}: there is nothing to "
            "compare it with."
        )
    why = untold(*(each.side for each in ranked))
    told = [claim for claim in claims if claim.untold is None]
    if not told:
        reason = why.sentence if why else "fewer than two test users: no conclusion"
        return f"{title}, {figure}: {reason}. Over users alone: {_figures(ranked, users)}."
    won = _won(told)
    best = next((label for label, some in won.items() if len(some) == len(ranked) - 1), None)
    if best is not None:
        figures = next(each.text for each in ranked if each.side.label == best)
        return f"{title}: {best} is shown to be best in {figure}, {figures}: {_above(won[best])}."
    text = f"{title}: no model is shown to be best in {figure}: {_figures(ranked, users)}."
    if won:
        shown = "; ".join(f"{label} is shown to be {_above(some)}" for label, some in won.items())
        text += f" {shown}; no other difference is shown."
    else:
        text += " No difference is shown."
    return f"{text} {why.sentence}." if why else text


def _won(claims: Iterable[Claim]) -> dict[str, list[tuple[str, Claim, bool]]]:
    """Find the models that are shown to be above others: these, and whether the claim is theirs."""
    found: dict[str, list[tuple[str, Claim, bool]]] = {}
    for claim in claims:
        if claim.verdict == "better":
            found.setdefault(claim.of, []).append((claim.against, claim, False))
        elif claim.verdict == "worse":
            found.setdefault(claim.against, []).append((claim.of, claim, True))
    return found


def _above(beaten: Iterable[tuple[str, Claim, bool]]) -> str:
    return "above " + listed(
        f"{label} ({difference_text(claim, turned=turned)})" for label, claim, turned in beaten
    )


def _figures(ranked: Sequence[Standing], users: int) -> str:
    """List metrics, with models of equal ones together."""
    parts = []
    for (mean, _), alike in groupby(ranked, key=lambda each: (round(each.mean, 12), each.text)):
        some = list(alike)
        names = listed(each.side.label for each in some)
        if mean == 0:
            have = "has" if len(some) == 1 else "have"
            hits = within(some[0].low, some[0].high)
            parts.append(f"{names} {have} no hit among {users:,} users {hits}")
        else:
            each = " each" if len(some) > 1 else ""
            parts.append(f"{names} {some[0].text}{each}")
    return listed(parts)


def standing_note(families: Sequence[tuple[str, Family]]) -> str:
    """Explain the models in a report's headlines, and what p-values were corrected for.

    Args:
        families: data sets, each with what its models' comparisons were corrected for.
    """
    text = (
        "Each model is shown at the length and the settings that validation prefers, once for each "
        "recipe; test metrics are not used for selection. Brackets hold 95 % intervals: of a "
        "metric over users"
    )
    tested = [(title, family) for title, family in families if family.comparisons]
    if not tested:
        return f"{text} alone."
    numbers = listed(f"{family.comparisons:,} on {title}" for title, family in tested)
    return (
        f"{text}, of a difference over users and seeds. p is corrected (Holm) for the tests of "
        f"two models on a data set: {numbers}."
    )


def costs_note(quality: Family, costs: Family, least: float) -> str:
    """Explain a table of pros and cons, and what its p-values are corrected for.

    Args:
        least: the smallest ratio of costs that is reported.
    """
    told = f"Ratios below {least:g} aren't reported."
    both = ("of quality over users and seeds", quality), ("of costs over seeds", costs)
    tested = [(over, family) for over, family in both if family.comparisons]
    if not tested:
        return told
    intervals = listed(over for over, _ in tested)
    corrected = listed(family_text(family) for _, family in tested)
    return (
        f"Brackets hold 95 % intervals: {intervals}. p is corrected (Holm) for {corrected}. {told}"
    )


def interval_note(claims: Iterable[Claim]) -> str:
    """Say what the intervals of differences are over."""
    over = {claim.over for claim in claims}
    if over == {USERS_AND_SEEDS}:
        return "The intervals (95 %) are over users (paired) and seeds."
    if over == {USERS_ALONE}:
        return "The intervals (95 %) are over users (paired) alone."
    return (
        "The intervals (95 %) are over users (paired), and over the seeds of each cell that has "
        "more than one."
    )


def pairs_notes(claims: Sequence[Claim], sides: Iterable[Side]) -> list[str]:
    """List what a reader must know to understand a table of compared cells.

    Args:
        claims: the table's, in one metric.
        sides: its cells.
    """
    if not claims:
        return []
    every = list(dict.fromkeys(sides))
    sentences = [interval_note(claims)]
    if any(side.fitted and side.seeds == 1 for side in every):
        sentences.append("A fitted model is the same for every seed, so that one run is enough.")
    families = dict.fromkeys(each.family for each in claims)
    if told := [family_text(each) for each in families if each and each.comparisons]:
        sentences.append(
            f"p is corrected (Holm) for {' and, apart from these, '.join(told)}, in this one "
            "metric; the intervals are not corrected."
        )
    if why := untold(*every):
        sentences.append(f"{why.sentence}.")
    return sentences


def pair_sentence(claim: Claim, effect: float, more_seeds: int | None) -> str:
    """Say in one sentence how a claim's cell compares in a metric, or only by how much it differs
    if no verdict is possible.

    Args:
        effect: the difference over its standard deviation over users.
        more_seeds: as in `engine.analysis.pairs.cells.Pair`.
    """
    name = claim.figure.removesuffix("/test")
    name = "HitRate@10, Recall@10" if name == "HitRate@10" else name
    interval = f"{signed(claim.low)} to {signed(claim.high)}"
    if claim.verdict is None or claim.p is None:
        return f"{name}: {signed(claim.estimate)} (95 %, over {claim.over}: {interval})."
    is_shown = claim.verdict != NONE_SHOWN
    verdict = f"{claim.of} is {claim.verdict}" if is_shown else claim.verdict
    sentence = (
        f"{name}: {verdict}, {signed(claim.estimate)} (95 %: {interval}), {p_text(claim.p)}, "
        f"effect {signed(effect, 2)} ({effect_word(effect)})."
    )
    if is_shown:
        return sentence
    if more_seeds is None:
        return (
            f"{sentence} If this difference is the true one, no number of seeds would tell them "
            "apart."
        )
    seeds = "seed" if more_seeds == 1 else "seeds"
    return (
        f"{sentence} If this difference is the true one, about {more_seeds} more {seeds} per cell "
        "would tell them apart."
    )


def pair_note(claim: Claim, users: int, targets: int, seeds: tuple[int, int]) -> str:
    """Say what a reader must know about the sentences on two cells.

    Args:
        targets: what is ranked, one or several items a user.
    """
    assert claim.family is not None
    whom = with_targets(targets, users, "test users")
    return (
        f"Over {whom}, paired, and {seeds[0]} against {seeds[1]} seeds, not paired. "
        f"p is corrected (Holm) for {family_text(claim.family)}, which is right if you chose them "
        "beforehand; intervals are not corrected. `seqbench compare --pairs` and the report "
        "compare every pair of cells in one metric, and correct for all of them: if you picked "
        "the pair after seeing results, use their p."
    )
