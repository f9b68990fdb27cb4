"""Tests between cells as tables, with their caveats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.analysis.claims.words import p_digits, pairs_notes
from engine.analysis.columns.offered import column_named
from engine.analysis.columns.text import signed
from engine.analysis.comparison import Row
from engine.analysis.export import FOR_PROGRAMS, format_rows
from engine.analysis.floor import COLUMN_STANDING, with_sign
from engine.analysis.pairs.cells import Pair
from engine.analysis.pairs.floored import THE_FLOOR, Mark
from engine.analysis.pairs.significance import Metric
from engine.cell import Cell
from engine.errors import UsageError
from engine.metrics import RANK_RESULTS, RANKINGS
from engine.spec import TOP_K


@dataclass(frozen=True, slots=True)
class RankedMetric:
    """A metric that ranks of test users give."""

    metric: Metric
    k: int = TOP_K
    masked: bool = False


_METRICS: tuple[Metric, ...] = ("hit", "recall", "mrr", "ndcg")
_AT_TEN = {
    f"test_{metric}{ranking}_best": RankedMetric(metric, masked=bool(ranking))
    for metric in _METRICS
    for ranking in RANKINGS
}
_ELSEWHERE = {
    name: RankedMetric(metric, result.k, result.masked)
    for name, result in RANK_RESULTS.items()
    for metric in _METRICS
    if result.metric == metric and not result.scope
}
_SOURCES = _AT_TEN | _ELSEWHERE
"""The columns that ranks of test users give, by the store's name."""

_FIRST = ("a", "b", "a is", "a - b", "p", "dataset")
"""Columns that a narrow terminal shows before the others."""


def ranked_metric(name: str) -> RankedMetric:
    """Find the metric that a column's name stands for.

    Raises:
        UsageError: there is no such column, or it isn't one of the test set.
    """
    found = column_named(name)
    if found.source not in _SOURCES:
        raise UsageError(
            f"{found.name} isn't a metric of single test users: compare pairs in HitRate@10/test, "
            "Recall@10/test, MRR@10/test or NDCG@10/test, the same at another cut-off (ndcg@20), "
            "or (seen masked)."
        )
    return _SOURCES[found.source]


def format_pairs(
    pairs: Sequence[Pair],
    metric: Metric,
    format: str,  # noqa: A002 - as in `format_rows`
    *,
    masked: bool,
    k: int = TOP_K,
    marks: Mapping[Cell, Mark] | None = None,
    width: int | None = None,
) -> str:
    """Format one row a pair; all digits for programs, four for people.

    Args:
        marks: what cells are to their floors (`engine.analysis.pairs.floored`).
        width: as for `format_rows`.
    """
    known = marks or {}
    if format in FOR_PROGRAMS:
        exact = [_row(pair, metric, known, masked=masked, k=k) for pair in pairs]
        return format_rows(exact, format)
    rows = people_rows(pairs, metric, masked=masked, k=k, marks=known)
    return format_rows(rows, format, first=_FIRST, width=width)


def people_rows(
    pairs: Sequence[Pair],
    metric: Metric,
    *,
    masked: bool,
    k: int = TOP_K,
    marks: Mapping[Cell, Mark] | None = None,
) -> list[Row]:
    """Make one row a pair, of texts for people."""
    known = marks or {}
    return [
        _for_people(pair, _row(pair, metric, known, masked=masked, k=k), known) for pair in pairs
    ]


def caveats(pairs: Sequence[Pair]) -> list[str]:
    """List what a reader must know to read the table right."""
    sides = [cell.side for pair in pairs for cell in (pair.a, pair.b)]
    return pairs_notes([pair.claim for pair in pairs], sides)


def _row(pair: Pair, metric: Metric, marks: Mapping[Cell, Mark], *, masked: bool, k: int) -> Row:
    found = pair.difference
    means = [float(cell.values(metric, masked=masked, k=k).mean()) for cell in (pair.a, pair.b)]
    return {
        "dataset": pair.a.cell.dataset,
        "a": pair.a.label,
        "b": pair.b.label,
        "settings a": pair.a.cell.settings,
        "settings b": pair.b.cell.settings,
        "mean a": means[0],
        "mean b": means[1],
        "a - b": found.mean,
        "low": found.low,
        "high": found.high,
        "over": pair.claim.over,
        "p": pair.p,
        "effect": found.effect,
        "a is": pair.verdict,
        "why_not": pair.why_untold,
        "more seeds": pair.more_seeds,
        "seeds a": found.seeds[0],
        "seeds b": found.seeds[1],
        "users": found.users,
        f"a {COLUMN_STANDING}": marks.get(pair.a.cell),
        f"b {COLUMN_STANDING}": marks.get(pair.b.cell),
    }


def _for_people(pair: Pair, row: Row, marks: Mapping[Cell, Mark]) -> Row:
    shown = dict(row)
    for name, cell in (("a", pair.a), ("b", pair.b)):
        mark = marks.get(cell.cell)
        shown[name] = f"{cell.label} (floor)" if mark == THE_FLOOR else with_sign(cell.label, mark)
        del shown[f"{name} {COLUMN_STANDING}"]
    # Told by the labels, and below the table.
    for name in ("settings a", "settings b", "why_not", "over"):
        del shown[name]
    for name in ("mean a", "mean b"):
        shown[name] = f"{row[name]:.4f}"
    for name in ("a - b", "low", "high"):
        shown[name] = signed(float(row[name] or 0))
    shown["p"] = "–" if pair.p is None else p_digits(pair.p)
    shown["effect"] = signed(pair.difference.effect, 2)
    if why := pair.claim.untold:
        shown["a is"], shown["more seeds"] = f"no conclusion: {why.reason}", "–"
    elif pair.more_seeds is None:
        shown["more seeds"] = "no number"
    elif pair.more_seeds == 0:
        shown["more seeds"] = "–"
    return {name: str(value) for name, value in shown.items()}
