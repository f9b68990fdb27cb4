"""The section on what metrics at 10 don't show: other cut-offs, parts of the targets, and what is
recommended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.analysis.columns.definitions import result_column
from engine.analysis.columns.text import spread_text
from engine.metrics import CUTOFF_METRICS, CUTOFFS, LIST_MEASURES, SCOPE_METRICS, SCOPES, Result
from engine.report.blocks import Block, Paragraph, Section, Subheading, Table, table
from engine.report.gather import DataGroup, Material
from engine.report.wording import ABSENT
from engine.spread import spread

_ABOUT = (
    "Head, mid and tail are the targets among the most popular 10 % of all items, the next 40 %, "
    "and the last 50 %, counted in training; warm ones are those whose item and user occur in "
    "training. Coverage is the share of all items that anyone is recommended, ARP the mean number "
    "of training interactions of what is recommended, novelty its mean self-information in bits, "
    "and Gini 0 if all items are recommended equally often."
)


def beyond_ten(material: Material) -> Section:
    """Make the section; empty if no run has such results."""
    blocks: list[Block] = []
    for group in material.groups:
        tables = list(_tables(group, masked=material.wanted.masked))
        if tables:
            blocks += [Subheading(group.title), *tables]
    if blocks:
        blocks.insert(0, Paragraph(_ABOUT, quiet=True))
    return Section("Other cut-offs, parts of the targets, and what is recommended", tuple(blocks))


def _tables(group: DataGroup, *, masked: bool) -> Iterator[Table]:
    for metric in CUTOFF_METRICS:
        cut_offs = (Result(metric, k, masked) for k in CUTOFFS if k != 10)
        yield from _table(group, cut_offs)
    parts = (Result(metric, 10, masked, scope) for metric in SCOPE_METRICS for scope in SCOPES)
    yield from _table(group, parts)
    for measure in LIST_MEASURES:
        yield from _table(group, (Result(measure, k, masked) for k in CUTOFFS))


def _table(group: DataGroup, results: Iterable[Result]) -> Iterator[Table]:
    """Yield a table of the group's cells, with the columns that any of them has a value in."""
    columns = [result_column(result) for result in results]
    cells = [quality.cell for quality in group.qualities]
    values = {
        column: [spread(run[column.name] for run in cell.cell.runs) for cell in cells]
        for column in columns
    }
    known = [column for column in columns if any(values[column])]
    if known:
        rows = [
            [
                cell.label,
                *(spread_text(values[each][place], each.kind, none=ABSENT) for each in known),
            ]
            for place, cell in enumerate(cells)
        ]
        head = ["cell", *(column.name.replace("/test", "") for column in known)]
        yield table(head, rows, figures=range(1, len(head)))
