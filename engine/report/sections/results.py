"""The pivot, and how sure its figures are."""

from __future__ import annotations

from statistics import stdev

from engine.analysis.comparison import AGGREGATE_MEANING
from engine.analysis.pivot import COLUMNS, LEVELS, pivot
from engine.analysis.pivot_text import figure_texts
from engine.report.blocks import Block, Cell, Paragraph, Plot, Section, Subheading, Table, table
from engine.report.gather import DataGroup, Material
from engine.report.plots import Colours, curves_plot, quality_plot
from engine.report.wording import interval_text, metric_name, slug, valid_name


def results(material: Material, looks: Colours) -> Section:
    """The reference table's form, then each data set's quality."""
    blocks: list[Block] = [
        Paragraph(
            f"Every figure of a run is that {AGGREGATE_MEANING['best']}; a cell's is the mean ± "
            "standard deviation over its seeds. Subtotals are maxima over the cells beneath them, "
            "as in the reference table."
        ),
        _pivot(material),
    ]
    for group in material.groups:
        blocks += _quality(group, material, looks)
    return Section("Results", tuple(blocks))


def _pivot(material: Material) -> Table:
    rows = pivot(material.done)
    indents = {level: place for place, level in enumerate(LEVELS)} | {"total": 0}
    return table(
        ["", *COLUMNS],
        [[Cell((row.label,), indent=indents[row.level]), *figure_texts(row)] for row in rows],
        figures=range(1, len(COLUMNS) + 1),
        caption="Model › data set › length",
        strong=[number for number, row in enumerate(rows) if not row.is_cell],
    )


def _quality(group: DataGroup, material: Material, looks: Colours) -> list[Block]:
    wanted = material.wanted
    name = metric_name(wanted.metric, masked=wanted.masked)
    valid = valid_name(wanted.metric, masked=wanted.masked)
    rows = []
    for level in group.levels:
        runs = level.cell.cell.runs
        rows.append(
            [
                level.cell.label,
                str(len(runs)),
                f"{level.mean:.4f}" + _deviation(level.seeds),
                interval_text(level.low, level.high),
                _mean([run[valid] for run in runs]),
                _mean([run["BestEpoch"] for run in runs], digits=0),
            ]
        )
    best = max(group.levels, key=lambda level: level.mean)
    return [
        Subheading(group.title),
        table(
            ["cell", "seeds", name, "95 % over users", valid, "chosen epoch"],
            rows,
            figures=(1, 2, 3, 4, 5),
        ),
        Plot(
            name=f"quality-{slug(group.title)}",
            svg=quality_plot(f"quality-{slug(group.title)}", group.levels, name, looks),
            alt=f"{name} of each cell on {group.title} with its interval over users: from "
            f"{min(level.mean for level in group.levels):.4f} to {best.mean:.4f} "
            f"({best.cell.label}).",
            caption=f"{name} on {group.title}: mean over seeds (mark), 95 % interval over users "
            "(line), single seeds (ticks)",
        ),
    ]


def curves(material: Material, looks: Colours) -> Section:
    """How training went."""
    wanted = material.wanted
    valid = valid_name(wanted.metric, masked=wanted.masked)
    blocks: list[Block] = []
    for group in material.groups:
        shown = [curve for curve in group.curves if curve.epochs]
        if shown:
            name = f"curves-{slug(group.title)}"
            blocks.append(
                Plot(
                    name=name,
                    svg=curves_plot(name, shown, valid, looks),
                    alt=f"Validation {valid} over seconds of training, and training loss over "
                    f"epochs, of {len(shown)} runs on {group.title}.",
                    caption=f"{group.title}: a line a run; the mark is the chosen epoch. Losses of "
                    "different objectives aren't comparable",
                )
            )
    return Section("Learning curves", tuple(blocks))


def _mean(values: list[object], digits: int = 4) -> str:
    known = [float(value) for value in values if isinstance(value, int | float)]
    return f"{sum(known) / len(known):,.{digits}f}" if known else "n/a"


def _deviation(seeds: tuple[float, ...]) -> str:
    return f" ± {stdev(seeds):.4f}" if len(seeds) > 1 else ""
