"""What the maximum over epochs inflates, as a table and in a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.analysis.comparison import STD, Row, with_deviation
from engine.analysis.export import format_rows
from engine.analysis.inflation import INFLATED, CellInflation, Inflated

_APART = ("profile", "settings", "checksum")


def format_inflation(cells: Sequence[CellInflation], format: str) -> str:  # noqa: A002
    """Write a table with a row for each cell; every digit for programs, four for people.

    Raises:
        UsageError: the format isn't one of `engine.analysis.export.FORMATS`.
    """
    if format in ("csv", "json"):
        return format_rows([_row(cell) for cell in cells], format)
    alike = all(len(set(places)) == 1 for places in _settings(cells).values())
    return format_rows([_for_people(cell, alike) for cell in cells], format)


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
    """Format an inflation as a share of the chosen epoch's figure: ``5.1 %``; ``–`` for None."""
    return "–" if metric.share is None else f"{100 * metric.share:.1f} %"


def _settings(cells: Sequence[CellInflation]) -> dict[tuple[str, str, int], list[tuple[str, ...]]]:
    found: dict[tuple[str, str, int], list[tuple[str, ...]]] = {}
    for cell in cells:
        key = cell.row.cell.place
        found.setdefault(key, []).append(tuple(getattr(cell.row.cell, name) for name in _APART))
    return found


def _place(cell: CellInflation) -> Row:
    return dict(zip(("model", "dataset", "length"), cell.row.cell.place, strict=True))


def _row(cell: CellInflation) -> Row:
    row = _place(cell) | {name: getattr(cell.row.cell, name) for name in _APART}
    row["seeds"] = cell.row.seeds
    for name in INFLATED:
        metric = cell.metrics.get(name)
        row[name] = metric.chosen.mean if metric else None
        row[f"{name} (max)"] = metric.maximum.mean if metric else None
        row[f"{name} (inflation)"] = metric.inflation.mean if metric else None
        row[f"{name} (inflation){STD}"] = metric.inflation.deviation if metric else None
        row[f"{name} (share)"] = metric.share if metric else None
    return row


def _for_people(cell: CellInflation, alike: bool) -> Row:
    row = _place(cell)
    if not alike:
        row |= {name: getattr(cell.row.cell, name)[:12] for name in _APART}
    row["seeds"] = cell.row.seeds
    for name in INFLATED:
        metric = cell.metrics.get(name)
        row[name] = metric.chosen.mean if metric else None
        row[f"{name} (inflation)"] = inflation_text(metric) if metric else "–"
        row[f"{name} (share)"] = share_text(metric) if metric else "–"
    return row
