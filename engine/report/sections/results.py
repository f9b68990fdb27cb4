"""Sections on the results: pivot, quality, published results, inflation, learning curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from engine.analysis.claims.words import within
from engine.analysis.columns.definitions import BUDGET, epochs_words, kind_of
from engine.analysis.columns.text import signed, spread_text
from engine.analysis.comparison import runs_by_cell
from engine.analysis.export import listed
from engine.analysis.floor import LEGEND, SIGN, floor_text, with_sign
from engine.analysis.inflation.measured import INFLATED
from engine.analysis.inflation.text import inflation_sentences, inflation_text, share_text
from engine.analysis.labels.words import cell_title
from engine.analysis.literature.figures import digits_text
from engine.analysis.literature.stored import PublishedAbout
from engine.analysis.literature.text import difference_text, named
from engine.analysis.pivot.arranged import COLUMNS, apart_sentences, places_shown
from engine.analysis.pivot.text import INDENT, pivot_texts
from engine.analysis.published import Against, caveats
from engine.report.blocks import Block, Cell, Paragraph, Plot, Section, Subheading, table
from engine.report.gather import DataGroup, Material
from engine.report.plots import Colours, curves_alt, curves_plot, quality_alt, quality_plot
from engine.report.remarks import SIGN as REMARK
from engine.report.remarks import note_below, signed_label
from engine.report.wording import ABSENT, slug
from engine.spread import spread

MOST_ELSEWHERE = 20
"""Most published results of other sources in the report."""


_BUDGET = {"Trials": "trials", "TuningTime": "tuning, s"}
"""Columns of the budget that settings were chosen with, and how a table names them."""


def results(material: Material, looks: Colours) -> Section:
    """Make the section with the pivot and the quality of each data set's cells."""
    blocks: list[Block] = [
        Paragraph(
            f"Every metric of a run is that {epochs_words('best')}. A cell's is the mean ± "
            "standard deviation over its seeds. Subtotals are maxima over the cells below them, as "
            "in the reference table."
        ),
        *_pivot(material),
    ]
    blocks += [
        Paragraph(
            f"{listed(found.datasets)} hold the same interactions under different rules: a maximum "
            "over them compares nothing.",
            quiet=True,
        )
        for found in material.protocols
        if len(found.datasets) > 1
    ]
    for group in material.groups:
        blocks += _quality(group, material, looks)
    return Section("Results", tuple(blocks))


def _pivot(material: Material) -> Iterator[Block]:
    rows = material.pivot
    counted = runs_by_cell(material.done, material.counted)
    runs = {cell.name: of_cell for cell, of_cell in counted.items()}
    labels = [
        row.label if row.marks else signed_label(row.label, runs.get(row.cell, ())) for row in rows
    ]
    standings = {
        cell.name: where for group in material.groups for cell, where in group.standings.items()
    }
    labels = [
        with_sign(label, standings.get(row.cell)) for label, row in zip(labels, rows, strict=True)
    ]
    places = places_shown(rows)
    texts = [pivot_texts(row) for row in rows]
    yield table(
        ["", *(COLUMNS[place] for place in places)],
        [
            [Cell((label,), indent=INDENT[row.level] // 2), *(figures[place] for place in places)]
            for label, row, figures in zip(labels, rows, texts, strict=True)
        ],
        figures=range(1, len(places) + 1),
        caption="Model › data set › length",
        strong=[number for number, row in enumerate(rows) if not row.is_cell],
    )
    yield from note_below(material.done)
    if any(SIGN[where] for where in standings.values()):
        yield Paragraph(LEGEND, quiet=True)
    for sentence in apart_sentences(rows):
        yield Paragraph(sentence, quiet=True)


def beside_published(material: Material) -> Section:
    """Make the section that compares our results with published ones."""
    blocks: list[Block] = []
    for title in dict.fromkeys(each.reference.title for _, each in material.published):
        some = [each for each in material.published if each[1].reference.title == title]
        names = [n for n in INFLATED if any(n in each.figures for _, each in some)]
        for name in names:
            rows = [
                [
                    cell_title(row.cell, material.labels.get(row.cell, ""))
                    + (REMARK if each.marks else ""),
                    row.cell.dataset,
                    *_against(each.figures[name], name),
                ]
                for row, each in some
                if name in each.figures
            ]
            head = [
                "cell",
                "data set",
                "published",
                "ours, measured the same way",
                "ours − published",
                "ours is",
            ]
            blocks.append(
                table(head, rows, figures=(2, 3, 4), caption=f"{name.partition('/')[0]}: {title}")
            )
    if material.elsewhere:
        blocks += _elsewhere(material.elsewhere)
    notes = caveats([each for _, each in material.published])
    blocks += [Paragraph(sentence, quiet=True) for sentence in notes]
    return Section("Compared with published results", tuple(blocks))


def _elsewhere(found: Sequence[PublishedAbout]) -> Iterator[Block]:
    shown = found[:MOST_ELSEWHERE]
    rows = [
        [
            named(each.compared.figure),
            each.row.cell.dataset,
            digits_text(each.compared.figure.value),
            each.title,
            spread_text(each.ours, "metric", none=ABSENT),
            difference_text(each),
            each.compared.verdict,
        ]
        for each in shown
    ]
    head = ["source", "data set", "published", "nearest cell", "ours", "ours − published", "it is"]
    caption = "NDCG@10 of other sources, and the cell that each is most comparable with"
    yield table(head, rows, figures=(2, 4, 5), caption=caption)
    if len(found) > len(shown):
        left = len(found) - len(shown)
        yield Paragraph(f"{left} more: `seqbench compare --published`.", quiet=True)


def _against(found: Against, name: str) -> list[str]:
    kind = kind_of(name)
    ours, difference = found.alike, found.difference
    told = ABSENT if difference is None else signed(difference)
    if difference is not None and found.margin is not None:
        told += f" ± {found.margin:.4f}"
    return [
        digits_text(found.published),
        spread_text(ours, kind, none=ABSENT),
        told,
        found.verdict or (f"no conclusion: {found.untold.reason}" if found.untold else ""),
    ]


def inflated(material: Material) -> Section:
    """Make the section on how much choosing the epoch by the test metric adds."""
    cells = [cell for cell in material.inflation if cell.metrics]
    if not cells:
        return Section("What the maximum over epochs inflates", ())
    rows = []
    for cell in cells:
        texts = []
        for name in INFLATED:
            metric = cell.metrics.get(name)
            added = f"{inflation_text(metric)} ({share_text(metric)})" if metric else ABSENT
            texts += [added]
        place = cell.row.cell
        rows.append([cell_title(place, cell.label), place.dataset, place.profile, *texts])
    head = ["cell", "data set", "profile", *INFLATED]
    return Section(
        "What the maximum over epochs inflates",
        (
            Paragraph(
                "The reference table takes the maximum over epochs of what it logs as test, which "
                "uses the test set for model selection. Run by run, this is how much more that "
                "gives than the epoch chosen on validation:"
            ),
            table(head, rows, figures=range(3, len(head))),
            Paragraph(" ".join(inflation_sentences(cells)), quiet=True),
        ),
    )


def _quality(group: DataGroup, material: Material, looks: Colours) -> list[Block]:
    wanted = material.wanted
    name = wanted.column
    valid = wanted.valid_column
    runs_of_all = [run for quality in group.qualities for run in quality.cell.cell.runs]
    chosen = {
        column: head
        for column, head in _BUDGET.items()
        if any(run[column] is not None for run in runs_of_all)
    }
    rows = []
    for quality in group.qualities:
        runs = quality.cell.cell.runs
        rows.append(
            [
                with_sign(quality.cell.label, group.standings.get(quality.cell.cell.cell)),
                str(len(runs)),
                spread_text(spread(quality.seeds), "metric"),
                within(quality.low, quality.high),
                _mean([run[valid] for run in runs]),
                _mean([run["BestEpoch"] for run in runs], digits=0),
                *(
                    spread_text(spread(run[column] for run in runs), BUDGET[column], none="")
                    for column in chosen
                ),
            ]
        )
    return [
        Subheading(group.title),
        *([Paragraph(f"Floor: {floor_text(group.floor)}.")] if group.floor else []),
        table(
            ["cell", "seeds", name, "95 % over users", valid, "chosen epoch", *chosen.values()],
            rows,
            figures=range(1, 6 + len(chosen)),
        ),
        *([Paragraph(group.few_users)] if group.few_users else []),
        Plot(
            name=f"quality-{slug(group.title)}",
            draw=partial(
                quality_plot, f"quality-{slug(group.title)}", group.qualities, name, looks
            ),
            alt=quality_alt(group.qualities, name, group.title),
            caption=f"{name} on {group.title}: mean over seeds (mark), 95 % interval over users "
            "(line), single seeds (ticks)",
        ),
    ]


def curves(material: Material, looks: Colours) -> Section:
    """Make the section with learning curves."""
    wanted = material.wanted
    valid = wanted.valid_column
    blocks: list[Block] = []
    for group in material.groups:
        shown = [curve for curve in group.curves if curve.epochs]
        if shown:
            name = f"curves-{slug(group.title)}"
            several = any(curve.label for curve in shown)
            dashed = ", dashed by what its settings differ in" if several else ""
            blocks.append(
                Plot(
                    name=name,
                    draw=partial(curves_plot, name, shown, valid, looks),
                    alt=curves_alt(shown, valid, group.title),
                    caption=f"{group.title}: one line per run{dashed}; the mark is the chosen "
                    "epoch. Losses of different objectives aren't comparable",
                )
            )
    return Section("Learning curves", tuple(blocks))


def _mean(values: list[object], digits: int = 4) -> str:
    found = spread(values)
    return f"{found.mean:,.{digits}f}" if found else ABSENT
