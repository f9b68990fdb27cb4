"""Tests between cells as tables, with their caveats."""

from __future__ import annotations

from collections.abc import Sequence

from engine.analysis.comparison import Row, column, signed
from engine.analysis.export import format_rows
from engine.analysis.pairs.cells import Pair
from engine.analysis.pairs.significance import Metric
from engine.errors import UsageError

_SOURCES: dict[str, tuple[Metric, bool]] = {
    f"test_{metric}{suffix}_best": (metric, bool(suffix))
    for metric in ("hit", "recall", "mrr", "ndcg")
    for suffix in ("", "_masked")
}
"""The columns that ranks of test users give, by the store's name."""


def ranked_metric(name: str) -> tuple[Metric, bool]:
    """Find the metric that a column's name stands for, and whether seen items are masked.

    Raises:
        UsageError: there is no such column, or it isn't one of the test set.
    """
    found = column(name)
    if found.source not in _SOURCES:
        raise UsageError(
            f"{found.name} is no figure of single test users: compare pairs in HitRate@10/test, "
            "Recall@10/test, MRR@10/test or NDCG@10/test, or the same (seen masked)."
        )
    return _SOURCES[found.source]


def format_pairs(
    pairs: Sequence[Pair],
    metric: Metric,
    format: str,  # noqa: A002 - as in `format_rows`
    *,
    masked: bool,
) -> str:
    """Format one row a pair; all digits for programs, four for people."""
    if format in ("csv", "json"):
        return format_rows([_row(pair, metric, masked=masked) for pair in pairs], format)
    return format_rows(people_rows(pairs, metric, masked=masked), format)


def people_rows(pairs: Sequence[Pair], metric: Metric, *, masked: bool) -> list[Row]:
    """Make one row a pair, of texts for people."""
    return [_for_people(_row(pair, metric, masked=masked)) for pair in pairs]


def caveats(pairs: Sequence[Pair]) -> list[str]:
    """List what a reader must know to read the table right."""
    sentences = []
    if pairs:
        sentences.append(
            f"p is corrected (Holm) for all {len(pairs):,} comparisons of two cells listed here, "
            "in this one metric; the intervals (95 %, over users and seeds) are not."
        )
    if any(not pair.difference.over_seeds for pair in pairs):
        sentences.append(
            "Where a cell has one seed, users alone are taken into account: another seed may turn "
            "the result round."
        )
    return sentences


def _row(pair: Pair, metric: Metric, *, masked: bool) -> Row:
    found = pair.difference
    means = [float(cell.values(metric, masked=masked).mean()) for cell in (pair.a, pair.b)]
    return {
        "dataset": pair.a.cell.dataset,
        "a": pair.a.label,
        "b": pair.b.label,
        "mean a": means[0],
        "mean b": means[1],
        "a - b": found.mean,
        "low": found.low,
        "high": found.high,
        "p": pair.p,
        "effect": found.effect,
        "a is": pair.verdict,
        "more seeds": pair.more_seeds,
        "seeds a": found.seeds[0],
        "seeds b": found.seeds[1],
        "users": found.users,
    }


def _for_people(row: Row) -> Row:
    shown = dict(row)
    for name in ("mean a", "mean b"):
        shown[name] = f"{row[name]:.4f}"
    for name in ("a - b", "low", "high"):
        shown[name] = signed(float(row[name] or 0))
    p, effect = float(row["p"] or 0), float(row["effect"] or 0)
    shown["p"] = "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")
    shown["effect"] = signed(effect, 2)
    missing = row["more seeds"]
    shown["more seeds"] = "–" if missing == 0 else "no number" if missing is None else str(missing)
    if missing is None and min(int(row["seeds a"] or 0), int(row["seeds b"] or 0)) < 2:
        shown["more seeds"] = "?"
    return {name: str(value) for name, value in shown.items()}
