"""Makes a report from the store, and writes it to a file."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine.config import Catalogue
from engine.files.named import named_folder, write_named
from engine.report.blocks import Report
from engine.report.formats import format_of
from engine.report.gather import Material, Wanted, gather
from engine.report.html import html
from engine.report.markdown import markdown, plot_files
from engine.report.plots import colours
from engine.report.sections.beyond import beyond_ten
from engine.report.sections.costs import capacity, memory, trade_offs
from engine.report.sections.duel import duels
from engine.report.sections.origin import environment, reproduction
from engine.report.sections.protocols import winners
from engine.report.sections.results import beside_published, curves, inflated, results
from engine.report.sections.scope import in_short, scope
from engine.report.sections.statistics import significance
from engine.report.sections.tuning import tuning
from engine.report.svg import standalone
from engine.report.wording import counted
from engine.store.location import StoreLocation


@dataclass(frozen=True)
class Written:
    """The files that were written."""

    path: Path
    plots: Path | None
    """The folder of the plots, if they are files of their own."""


def make_report(
    con: sqlite3.Connection, location: StoreLocation, catalogue: Catalogue | None, wanted: Wanted
) -> Report:
    """Make a report on the store's present content. The same runs give the same report.

    Raises:
        UsageError: see `gather`.
    """
    return compose(gather(con, location, catalogue, wanted), catalogue)


def compose(material: Material, catalogue: Catalogue | None) -> Report:
    """Make a report on gathered material."""
    tuned = {each.model.model for study in material.studies for each in study.models}
    looks = colours(sorted({str(row["model"]) for row in material.done} | tuned))
    sections = (
        in_short(material),
        scope(material),
        results(material, looks),
        beyond_ten(material),
        winners(material),
        beside_published(material),
        capacity(material),
        memory(material),
        trade_offs(material, looks),
        tuning(material, looks),
        curves(material, looks),
        significance(material),
        duels(material),
        inflated(material),
        environment(material),
        reproduction(material, catalogue),
    )
    return Report(
        title=_title(material),
        about=tuple(_about(material)),
        sections=tuple(section for section in sections if section.blocks),
    )


def write_report(report: Report, path: Path) -> Written:
    """Write a report in the format of the path's ending. The plots of Markdown go into a folder
    beside it.

    Raises:
        UsageError: the ending is that of no format.
        UserError: a file can't be written.
    """
    if format_of(path) == "html":
        write_named(path, html(report))
        return Written(path, None)
    folder = path.with_name(f"{path.stem}-plots")
    pictures = plot_files(report)
    if pictures:
        named_folder(folder, parents=False)
    for name, svg in pictures.items():
        write_named(folder / name, standalone(svg))
    write_named(path, markdown(report, PurePosixPath(folder.name)))
    return Written(path, folder if pictures else None)


def _title(material: Material) -> str:
    suite = material.wanted.suite
    return (
        suite.title or suite.name if suite is not None else "Benchmark of sequential recommenders"
    )


def _about(material: Material) -> list[str]:
    done = material.done
    facts = (
        counted(done, "run"),
        counted({row["model"] for row in done}, "model"),
        counted({row["dataset"] for row in done}, "data set"),
        counted({row["length"] for row in done}, "length"),
        counted({row["seed"] for row in done}, "seed"),
    )
    wanted = material.wanted
    meant = [f"suite {wanted.suite.name}"] if wanted.suite is not None else []
    meant += [f"filter {wanted.filter}"] if wanted.filter else []
    name = wanted.column
    return [
        " · ".join((*meant, *facts)),
        f"Quality is {name} at the epoch chosen on validation, ranked over all items"
        + (" that the user hadn't seen." if wanted.masked else "."),
    ]
