"""Two cells' paired test in words: what may be said, how sure it is, and what would tell more."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from engine.analysis.comparison import METRIC_NAMES, signed
from engine.analysis.pairs.cells import Pair, across_metrics, ranked_cell
from engine.analysis.pairs.significance import LEVEL, Metric
from engine.store.location import StoreLocation

_EFFECTS = ((0.8, "large"), (0.5, "medium"), (0.2, "small"))
"""Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988, sec. 2.2.3."""


def words_for(
    con: sqlite3.Connection,
    location: StoreLocation,
    first: Sequence[str],
    second: Sequence[str],
    name: str,
) -> list[str]:
    """Test the runs of one cell, called ``name``, against those of another.

    Returns:
        Sentences on each metric and their caveats, or the reason why there is no test.
    """
    ours, missing = ranked_cell(con, location, first)
    theirs, missing_too = ranked_cell(con, location, second)
    if ours is None or theirs is None:
        return [*missing, *missing_too][:1] or ["No run has ranks of its test users."]
    found = across_metrics(ours, theirs)
    if not found:
        return ["They can't be tested: their data, protocol or test users differ."]
    said = [pair_sentence(pair, metric, name) for metric, pair in found.items()]
    return [*said, *pair_caveats(found), *missing, *missing_too]


def pair_sentence(pair: Pair, metric: Metric, first: str) -> str:
    """Say in one sentence how the ``first`` cell of the pair compares in a metric."""
    name = "HitRate@10, Recall@10" if metric == "hit" else METRIC_NAMES[metric]
    found = pair.difference
    verdict = "no difference shown" if pair.p >= LEVEL else f"{first} is {pair.verdict}"
    interval = f"95 %: {signed(found.low)} to {signed(found.high)}"
    effect = f"effect {signed(found.effect, 2)} ({effect_word(found.effect)})"
    sentence = f"{name}: {verdict}, {signed(found.mean)} ({interval}), {p_text(pair.p)}, {effect}"
    return f"{sentence}.{_more_seeds(pair)}"


def p_text(p: float) -> str:
    """Write a p-value with three digits: ``p = .012``, ``p < .001``."""
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".", 1)


def effect_word(effect: float) -> str:
    """Name the size of an effect as Cohen (1988) does."""
    size = abs(effect)
    return next((word for least, word in _EFFECTS if size >= least), "less than small")


def pair_caveats(found: Mapping[Metric, Pair]) -> list[str]:
    """List what a reader must know of the sentences together."""
    if not found:
        return []
    pair = next(iter(found.values()))
    a, b = pair.difference.seeds
    sentences = [
        f"Over {pair.difference.users:,} test users, paired, and {a} against {b} "
        f"{'seed' if a == b == 1 else 'seeds'}, not paired. p is corrected (Holm) for the "
        f"{len(found)} metrics of these two, which is right if they were chosen beforehand; "
        "intervals are not. `seqbench compare --pairs` and the report ask of every two cells in "
        "one metric, and correct for all of these: of two that were picked for how they look, "
        "theirs is the p that counts."
    ]
    if not pair.difference.over_seeds:
        sentences.append(
            "With one seed only users are taken into account: another seed may turn it round."
        )
    return sentences


def _more_seeds(pair: Pair) -> str:
    if pair.p < LEVEL or not pair.difference.over_seeds:
        return ""
    if pair.more_seeds is None:
        return " No number of seeds would tell them apart if it stayed so."
    seeds = "seed" if pair.more_seeds == 1 else "seeds"
    return (
        f" It needs about {pair.more_seeds} more {seeds} a cell to tell them apart, if it stays so."
    )
