"""What the maximum over epochs inflates, as a table and in a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.analysis.columns.definitions import SORT, STD
from engine.analysis.columns.text import with_deviation
from engine.analysis.comparison import Row
from engine.analysis.export import FOR_PROGRAMS, format_rows
from engine.analysis.inflation.measured import INFLATED, CellInflation, Inflated

_APART = ("profile", "settings", "checksum")
_FIRST = (
    *("model", "dataset", "length", "label", "seeds"),
    *(SORT, f"{SORT} (inflation)", f"{SORT} (share)"),
)
"""Columns that a narrow terminal shows before the others."""


def format_inflation(
    cells: Sequence[CellInflation],
    format: str,  # noqa: A002 - as in `format_rows`
    *,
    width: int | None = None,
) -> str:
    """Write a table with a row for each cell; every digit for programs, four for people.

    Args:
        width: as for `format_rows`.

    Raises:
        UsageError: the format isn't one of `engine.analysis.export.FORMATS`.
    """
    if format in FOR_PROGRAMS:
        return format_rows([_row(cell) for cell in cells], format)
    labelled = any(cell.label for cell in cells)
    rows = [_for_people(cell, labelled) for cell in cells]
    return format_rows(rows, format, first=_FIRST, width=width)


def inflation_sentences(cells: Sequence[CellInflation]) -> list[str]:
    """Say in a sentence for each metric how large its inflation is on average over the cells."""
    sentences = []
    for name in INFLATED:
        known = [cell.metrics[name] for cell in cells if name in cell.metrics]
        shares = [each.share for each in known if each.share is not None]
        if not shares:
            continue
        mean = math.fsum(each.inflation.mean for each in known) / len(known)
        share = math.fsum(shares) / len(shares)
        over = "in the one cell" if len(known) == 1 else f"on average over {len(known)} cells"
        sentences.append(
            f"Choosing the epoch by {name} itself adds {mean:.4f} ({100 * share:.1f} %) {over}."
        )
    return sentences


def inflation_text(metric: Inflated) -> str:
    """Format an inflation as ``+0.0031 ± 0.0004``; of a single seed without the deviation."""
    text = f"+{metric.inflation.mean:.4f}"
    return with_deviation(text, metric.inflation.deviation, "metric")


def share_text(metric: Inflated) -> str:
    """Format an inflation as a share of the chosen epoch's value: ``5.1 %``; ``–`` for None."""
    return "–" if metric.share is None else f"{100 * metric.share:.1f} %"


def _place(cell: CellInflation) -> Row:
    return dict(zip(("model", "dataset", "length"), cell.row.cell.place, strict=True))


def _row(cell: CellInflation) -> Row:
    row = _place(cell) | {"label": cell.label}
    row |= {name: getattr(cell.row.cell, name) for name in _APART}
    row["seeds"] = cell.row.seeds
    for name in INFLATED:
        metric = cell.metrics.get(name)
        row[name] = metric.chosen.mean if metric else None
        row[f"{name} (max)"] = metric.maximum.mean if metric else None
        row[f"{name} (inflation)"] = metric.inflation.mean if metric else None
        row[f"{name} (inflation){STD}"] = metric.inflation.deviation if metric else None
        row[f"{name} (share)"] = metric.share if metric else None
    return row


def _for_people(cell: CellInflation, labelled: bool) -> Row:
    row = _place(cell)
    if labelled:
        row["label"] = cell.label
    row["seeds"] = cell.row.seeds
    for name in INFLATED:
        metric = cell.metrics.get(name)
        row[name] = metric.chosen.mean if metric else None
        row[f"{name} (inflation)"] = inflation_text(metric) if metric else "–"
        row[f"{name} (share)"] = share_text(metric) if metric else "–"
    return row
