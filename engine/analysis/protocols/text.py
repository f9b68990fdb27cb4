"""Rankings under several rules as tables, in sentences, and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from engine.analysis.columns.text import signed
from engine.analysis.comparison import Row
from engine.analysis.export import FORMATS, format_rows, listed
from engine.analysis.protocols.rankings import FEWEST_CELLS, Agreement, Placed, Protocols, Ranking
from engine.errors import UsageError, did_you_mean

NOTE = (
    "(evaluated): the models of runs that were trained and chosen under their own rule, ranked "
    "under another one."
)
OF_TAU = (
    "Kendall's τ-b is of the cells that two rules have in common: 1 if both order them alike, −1 "
    f"if the other way round; of fewer than {FEWEST_CELLS} cells there is none."
)
_MOST = 3
"""Cells that a text names; more are counted."""


def sentences(found: Protocols) -> Iterator[str]:
    """Say which cell is first under which rule, of those that were ranked under all, and where it
    is shown to be above every other one that was ranked there; rules under which a single cell was
    ranked are left out."""
    common, ordering = found.common, found.ordering
    if len(common) < 2:
        yield "Fewer than two cells were ranked under every rule."
        return
    firsts: dict[str, list[str]] = {}
    for ranking in ordering:
        best = next(each for each in ranking.placed if each.key in common)
        firsts.setdefault(found.labels[best.key], []).append(ranking.title)
    some = any(len(each.placed) > len(common) for each in ordering)
    of = f"Of the {len(common)} cells that were ranked under each rule, " if some else ""
    if len(firsts) == 1:
        (label,) = firsts
        which = "both" if len(ordering) == 2 else f"all {len(ordering)}"
        yield f"{of}{label} is first under {which} rules."
    else:
        told = "; ".join(f"{label} under {_rules(rules)}" for label, rules in firsts.items())
        yield f"{of}{'the' if of else 'The'} first depends on the rule: {told}."
    shown = [each.title for each in ordering if each.is_shown and each.first.key in common]
    if shown:
        yield f"The first is shown to be above every other cell under {_rules(shown)}."
    else:
        yield "Under none of the rules is the first shown to be above every other cell."
    if alone := [each.title for each in found.rankings if each not in ordering]:
        yield f"Left out, as a single cell was ranked: {_rules(alone)}."
    turned = list(_reversals(found))
    yield from turned[:_MOST]
    if len(turned) > _MOST:
        yield f"{len(turned) - _MOST} more pairs of cells are shown to change places like this."
    elif not turned:
        yield "No two cells are shown to change places between two rules."


def _reversals(found: Protocols) -> Iterator[str]:
    for each in found.agreements:
        for above, below in each.reversed:
            a, b = found.labels[above], found.labels[below]
            yield (
                f"{a} is shown to be above {b} under {_rules([each.a.title])}, and below it under "
                f"{_rules([each.b.title])}."
            )


def _rules(titles: Sequence[str]) -> str:
    return listed(f"“{title}”" for title in titles)


def standing_text(found: Protocols, ranking: Ranking) -> str:
    """Say whether a ranking's first is shown to be above all others."""
    if len(ranking.placed) == 1:
        return "alone"
    if ranking.is_shown:
        return "above all others"
    parts = (
        ("not shown to be above", ranking.not_below),
        ("no conclusion about", ranking.undecided),
    )
    return "; ".join(f"{words} {_names(found, some)}" for words, some in parts if some)


def _names(found: Protocols, some: Sequence[Placed]) -> str:
    if len(some) > _MOST:
        return f"{len(some)} others"
    return listed(found.labels[each.key] for each in some)


def reasons(found: Iterable[Protocols]) -> list[str]:
    """Say why nothing can be claimed about some cells, once for each reason."""
    every = (ranking.reason for some in found for ranking in some.rankings)
    return [f"{reason}: no conclusion." for reason in dict.fromkeys(every) if reason]


def tau_text(found: Agreement) -> str:
    """Write Kendall's τ with two digits, or say why there is none."""
    if found.tau is not None:
        return signed(found.tau, 2).removeprefix("+")
    return (
        f"fewer than {FEWEST_CELLS} cells"
        if len(found.keys) < FEWEST_CELLS
        else "a rule orders none"
    )


def placed_text(ranking: Ranking, key: str) -> str:
    """Write a cell's metric under a rule with its place, such as ``0.1234 (2)``; empty if it wasn't
    ranked."""
    each = next((each for each in ranking.placed if each.key == key), None)
    return "" if each is None else f"{each.value:.4f} ({each.place})"


def format_protocols(
    found: Sequence[Protocols],
    name: str,
    format: str,  # noqa: A002 - as in `format_rows`
    *,
    width: int | None = None,
) -> str:
    """Write rankings: a row a cell and rule and, but in CSV, how far every two rules agree.

    Args:
        name: the metric's column.
        width: as for `format_rows`.

    Raises:
        UsageError: the format isn't one of `engine.analysis.export.FORMATS`.
    """
    if format not in FORMATS:
        raise UsageError(f"there is no format {format!r}: {did_you_mean(format, FORMATS)}")
    if format == "json":
        content = [_content(some, name) for some in found]
        return json.dumps(content, indent=2, allow_nan=False) + "\n"
    if format == "csv":
        rows = [row for some in found for row in _rows(some, name)]
        return format_rows(rows, format)
    tables = [[_shown(row, name) for some in found for row in _rows(some, name)]]
    tables += [[row for some in found for row in _agreements(some)]]
    return "\n".join(format_rows(rows, format, width=width) for rows in tables if rows)


def _rows(found: Protocols, name: str) -> Iterator[Row]:
    for ranking in found.rankings:
        for each in ranking.placed:
            of_cell = _of_cell(found, each, name)
            yield {"rule": ranking.title, "dataset": ranking.dataset, **of_cell}


def _of_cell(found: Protocols, each: Placed, name: str) -> Row:
    cell = each.cell
    return {
        "place": each.place,
        "cell": found.labels[each.key],
        name: each.value,
        "seeds": len(cell.ranks),
        "targets": cell.targets,
        "test_users": cell.users,
    }


def _shown(row: Row, name: str) -> Row:
    return row | {
        "place": str(row["place"]),
        name: f"{row[name]:.4f}",
        "targets": f"{row['targets']:,}",
    }


def _agreements(found: Protocols) -> Iterator[Row]:
    for each in found.agreements:
        yield {
            "rule": each.a.title,
            "other rule": each.b.title,
            "cells": str(len(each.keys)),
            "Kendall's τ": tau_text(each),
            "first": found.labels[each.first(each.a).key],
            "first of the other": found.labels[each.first(each.b).key],
        }


def _content(found: Protocols, name: str) -> dict[str, Any]:
    return {
        "datasets": list(found.datasets),
        "rankings": [
            {
                "rule": ranking.title,
                "dataset": ranking.dataset,
                "evaluated": ranking.evaluated,
                "targets": ranking.targets,
                "test_users": ranking.users,
                "first": found.labels[ranking.first.key],
                "first_is_shown": ranking.is_shown,
                "not_shown_above": [found.labels[each.key] for each in ranking.not_below],
                "no_conclusion_about": [found.labels[each.key] for each in ranking.undecided],
                "why_not": ranking.reason or None,
                "cells": [_of_cell(found, each, name) for each in ranking.placed],
            }
            for ranking in found.rankings
        ],
        "agreements": [
            {
                "rule": each.a.title,
                "other_rule": each.b.title,
                "cells": len(each.keys),
                "kendall_tau_b": each.tau,
                "shown_to_change_places": [
                    [found.labels[key] for key in pair] for pair in each.reversed
                ],
                "first": found.labels[each.first(each.a).key],
                "first_of_the_other": found.labels[each.first(each.b).key],
            }
            for each in found.agreements
        ],
    }
