"""Sections on costs: parameters, memory, and quality against cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from engine.analysis.claims.words import costs_note
from engine.analysis.columns.text import spread_text
from engine.analysis.comparison import Row
from engine.analysis.costs import (
    ENERGY,
    GPU_MEMORY,
    HOST_MEMORY,
    PARAMETERS,
    Cost,
    CostedCell,
    known_costs,
)
from engine.analysis.export import listed
from engine.analysis.refits import without_refits
from engine.analysis.tradeoffs import WORTH_TELLING
from engine.report.blocks import Block, Cell, Paragraph, Plot, Section, Subheading, Table, table
from engine.report.gather import DataGroup, Material
from engine.report.plots import MOST_LABELLED, Colours, pareto_alt, pareto_plot
from engine.report.remarks import note_below, signed_label
from engine.report.wording import ABSENT, slug
from engine.spread import Spread, spread
from engine.store.costs.runs import NEVER


def capacity(material: Material) -> Section:
    """Make the section with exact numbers of parameters."""
    counts: dict[tuple[str, str, str], dict[int, set[int]]] = {}
    for row in material.rows:
        key = (str(row["dataset"]), str(row["model"]), str(row["profile"]))
        number = row["Model/TotalParams"]
        if isinstance(number, int | float):
            counts.setdefault(key, {}).setdefault(int(row["length"] or 0), set()).add(int(number))
    lengths = sorted({length for of_row in counts.values() for length in of_row})
    rows = [
        [dataset, model, profile]
        + [
            " / ".join(f"{n:,}" for n in sorted(of_row.get(length, ()))) or "–"
            for length in lengths
        ]
        for (dataset, model, profile), of_row in counts.items()
    ]
    head = ["data set", "model", "profile", *(f"L = {length}" for length in lengths)]
    return Section(
        "Model capacity",
        (
            Paragraph(
                "Trainable weights. If their number grows with the length, positions are learned."
            ),
            table(head, rows, figures=range(3, len(head))),
        ),
    )


def memory(material: Material) -> Section:
    """Make the section on the memory that training took."""
    blocks: list[Block] = [
        Paragraph(
            "Peak memory of a run, mean ± standard deviation over seeds. GPU memory is according "
            "to the driver; the process's memory is resident and includes the libraries."
        )
    ]
    for group in material.groups:
        rows = [
            [_label(each), *(_spread(each, cost) for cost in (GPU_MEMORY, HOST_MEMORY))]
            for each in group.cells
        ]
        head = ["cell", f"{GPU_MEMORY.title}, MiB", f"{HOST_MEMORY.title}, MiB"]
        blocks.append(table(head, rows, figures=(1, 2), caption=group.title))
        blocks += note_below(_runs(group))
    return Section("Memory", tuple(blocks))


def trade_offs(material: Material, looks: Colours) -> Section:
    """Make the section with costs, Pareto fronts, pros and cons."""
    blocks: list[Block] = []
    for group in material.groups:
        blocks += _of_dataset(group, material, looks)
    return Section("Trade-offs", tuple(blocks))


def _of_dataset(group: DataGroup, material: Material, looks: Colours) -> Iterator[Block]:
    wanted, costs = material.wanted, known_costs(group.cells)
    name = wanted.column
    yield Subheading(group.title)
    yield _cost_table(group, costs, name)
    yield from note_below(_runs(group))
    if group.pass_level is not None:
        yield Paragraph(
            f"Time to quality: seconds of training until {wanted.quality.title} is reached, here "
            f"{group.pass_level:.4f}; {ABSENT} where a seed never reaches it.{_energy_note(group)} "
            "Rates: from "
            "histories in memory to the top ten of all items, at the end of the run, on its "
            "device.",
            quiet=True,
        )
    plotted = [cost for cost in costs if cost is not PARAMETERS or len(_sizes(group)) > 1]
    if plotted:
        picture = f"pareto-{slug(group.title)}"
        shown = without_refits(group.qualities, lambda each: each.cell.is_refit)
        left_out = "; refits, which were trained on validation, too, are left out"
        labelled = " of a cell on a line" if len(shown) > MOST_LABELLED else ""
        yield Plot(
            name=picture,
            draw=partial(pareto_plot, picture, shown, plotted, name, looks),
            alt=pareto_alt(shown, plotted, name, group.title),
            caption=f"{name} over its cost; the number is the length{labelled}. Filled, on "
            "the dashed line: no other cell has as large a mean at the same cost or less, which "
            "doesn't show a difference (bars are 95 % over users); a cell whose times are "
            f"marked is on no line{left_out if len(shown) < len(group.qualities) else ''}",
        )
    yield from _pros_and_cons(group)


def _label(each: CostedCell) -> str:
    return signed_label(each.label, each.cell.runs)


def _runs(group: DataGroup) -> list[Row]:
    return [run for each in group.cells for run in each.cell.runs]


def _sizes(group: DataGroup) -> set[Spread | None]:
    return {each.spread(PARAMETERS) for each in group.cells}


def _cost_table(group: DataGroup, costs: Sequence[Cost], name: str) -> Table:
    rows = []
    energy = ENERGY in costs
    for quality in group.qualities:
        each = quality.cell
        ids = [str(run["run"]) for run in each.cell.runs]
        found = [group.to_pass.get(run, NEVER) for run in ids]
        reached = [_mean(each.seconds for each in found)]
        if energy:
            reached.append(_mean(each.joules for each in found))
        texts = [_spread(each, cost) for cost in costs]
        rows.append([_label(each), f"{quality.mean:.4f}", *texts, *reached])
    heads = [cost.heading for cost in costs]
    to_quality = ["Time to quality, s", *(["Energy to quality, J"] if energy else [])]
    head = ["cell", name, *heads, *to_quality]
    return table(head, rows, figures=range(1, len(head)))


def _energy_note(group: DataGroup) -> str:
    """Say of what the energy is, and of which cells; empty if none is known."""
    of: dict[str, list[str]] = {}
    for each in group.cells:
        for part in sorted(filter(None, each.energy_of)):
            of.setdefault(part, []).append(each.label)
    if not of:
        return ""
    whole = f" Energy: joules of training, {ABSENT} where it isn't known of an epoch; of "
    if len(of) == 1:
        return f"{whole}{next(iter(of))}."
    return whole + "; of ".join(f"{part} in {listed(labels)}" for part, labels in of.items()) + "."


def _mean(values: Iterable[float | None]) -> str:
    """Write the mean of what seeds took; `ABSENT` if one of them never got there."""
    known = list(values)
    found = spread(known)
    return f"{found.mean:,.2f}" if found and found.count == len(known) else ABSENT


def _pros_and_cons(group: DataGroup) -> Iterator[Block]:
    found = group.tradeoffs
    if len(found.balances) < 2:
        yield Paragraph("A single model has no pros and cons.", quiet=True)
        return
    is_open = any(each.open for each in found.balances)
    rows = [
        [
            Cell((each.cell.label,), strong=True),
            Cell(tuple(sentence.text for sentence in each.pros) or ("–",)),
            Cell(tuple(sentence.text for sentence in each.cons) or ("–",)),
            *([Cell(each.open or ("–",))] if is_open else []),
        ]
        for each in found.balances
    ]
    head = ["model", "pros", "cons", *(["open"] if is_open else [])]
    yield table(head, rows, caption="Pros and cons")
    note = costs_note(found.family, found.cost_family, WORTH_TELLING)
    yield Paragraph(" ".join((note, *found.notes)), quiet=True)


def _spread(each: CostedCell, cost: Cost) -> str:
    return spread_text(each.spread(cost), cost.kind, none=ABSENT)
