"""Published results as tables, and what stands beside them in a comparison with cells."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby

from engine.analysis.columns.text import printable, signed, spread_text
from engine.analysis.comparison import Row
from engine.analysis.export import FOR_PROGRAMS, format_rows
from engine.analysis.literature.differences import Compared, setup_words
from engine.analysis.literature.figures import PublishedFigure, Setup, digits_text
from engine.analysis.literature.stored import PublishedAbout
from engine.spread import Spread

_FIRST = ("dataset", "label", "metric", "published", "L", "loss", "seen")
"""Columns of the list that a narrow terminal shows before the others."""

_WIDTH = 100
"""Columns of text that isn't written to a terminal."""


def named(figure: PublishedFigure) -> str:
    """Name a figure's model and source, such as ``SASRec+, Klenitskiy & Vasilev 2023``."""
    return ", ".join(dict.fromkeys((figure.label, figure.title)))


def format_figures(
    figures: Sequence[PublishedFigure],
    format: str,  # noqa: A002 - as in `format_rows`
    *,
    width: int | None = None,
) -> str:
    """Write a table with a row for each published result.

    Args:
        width: as for `format_rows`.

    Raises:
        UsageError: the format isn't one of `engine.analysis.export.FORMATS`.
    """
    if not figures and format == "table":
        return "No published result matches.\n"
    if format in FOR_PROGRAMS:
        return format_rows([_row(figure) for figure in figures], format)
    return format_rows([_for_people(each) for each in figures], format, first=_FIRST, width=width)


def format_about(
    found: Sequence[PublishedAbout],
    format: str,  # noqa: A002 - as in `format_rows`
    *,
    width: int | None = None,
) -> str:
    """Write what is published about cells: as lines below each cell, or for all formats but
    ``table`` with a row for each figure.

    Args:
        width: columns of the terminal that lines must fit.

    Raises:
        UsageError: the format isn't one of `engine.analysis.export.FORMATS`.
    """
    if format == "table":
        return "".join(f"{line}\n" for line in _lines(found, width or _WIDTH))
    rows = [_about_row(each) for each in found]
    if format in FOR_PROGRAMS:
        return format_rows(
            [about | _row(each.compared.figure) for about, each in zip(rows, found, strict=True)],
            format,
        )
    kept = ("cell", "dataset", "metric", "source", "published", "ours", "ours - published", "it is")
    people = [
        row
        | {
            "source": named(each.compared.figure),
            "published": digits_text(each.compared.figure.value),
            "ours": spread_text(each.ours, "metric", none="–"),
            "ours - published": difference_text(each),
            "it is": each.compared.verdict,
        }
        for row, each in zip(rows, found, strict=True)
    ]
    return format_rows([{name: row[name] for name in kept} for row in people], format)


def difference_text(each: PublishedAbout) -> str:
    """Write ours minus the published value; a dash if they aren't comparable."""
    return "–" if each.difference is None else signed(each.difference)


def lines_about(found: Iterable[tuple[Compared, Spread | None]], width: int) -> Iterator[str]:
    """Write a sentence for each published result and our value, in lines of at most ``width``."""
    for each, ours in found:
        text = f"{named(each.figure)}: {each.figure.name} {each.sentence}."
        if (difference := each.difference(ours)) is not None:
            text += f" Ours: {spread_text(ours, 'metric')}, {signed(difference)}."
        elif each.comparable:
            text += f" {each.figure.name} of ours isn't known."
        yield from textwrap.wrap(printable(text), width, subsequent_indent="  ")


def _lines(found: Sequence[PublishedAbout], width: int) -> Iterator[str]:
    for number, ((dataset, title), some) in enumerate(
        groupby(found, lambda each: (each.row.cell.dataset, each.title))
    ):
        if number:
            yield ""
        yield printable(f"{title} · {dataset}")
        about = ((each.compared, each.ours) for each in some)
        yield from (f"  {line}" for line in lines_about(about, width - 2))


def _row(figure: PublishedFigure) -> Row:
    own = {name: value for name, value in asdict(figure.setup).items() if name != "length"}
    return {
        "table": figure.table,
        "source": figure.title,
        "address": figure.address,
        "year": figure.year,
        "where": figure.where,
        "published_model": figure.model,
        "label": figure.label,
        "published_dataset": figure.dataset,
        "metric": figure.name,
        "k": figure.k,
        "published": float(figure.value),
        "digits": str(figure.value),
        "deviation": None if figure.deviation is None else float(figure.deviation),
        "seeds": figure.seeds,
        "part": figure.part,
        "epoch": figure.epoch,
        "L": figure.setup.length,
        **own,
    }


def _for_people(figure: PublishedFigure) -> Row:
    setup = figure.setup
    rest = {"length": None, "loss": None, "negatives": None, "calibration": None, "seen": None}
    only = {name: getattr(setup, name) for name in ("loss", "negatives", "calibration")}
    return {
        "dataset": figure.dataset,
        "label": figure.label,
        "metric": figure.name,
        "published": digits_text(figure.value),
        "L": "unknown" if setup.length is None else str(setup.length),
        "loss": setup_words(Setup(**only)) or "unknown",
        "seen": setup.seen or "unknown",
        "protocol": setup_words(Setup(**(asdict(setup) | rest))) or "unknown",
        "source": figure.title,
        "address": figure.address,
    }


def _about_row(each: PublishedAbout) -> Row:
    cell = each.row.cell
    return {
        "cell": each.title,
        "model": cell.model,
        "dataset": cell.dataset,
        "length": cell.length,
        "profile": cell.profile,
        "settings": cell.settings,
        "checksum": cell.checksum,
        "metric": each.compared.figure.name,
        "comparable": "yes" if each.compared.comparable else "no",
        "differs": "; ".join(
            f"{other.published} (ours: {other.ours})" for other in each.compared.differences
        ),
        "unknown": ", ".join(each.compared.unknown_words),
        "ours": each.ours.mean if each.ours else None,
        "ours_seeds": each.ours.count if each.ours else None,
        "ours - published": each.difference,
    }
