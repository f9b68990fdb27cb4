"""The section on which differences between cells are significant."""

from __future__ import annotations

from engine.analysis.claims.words import OTHER_FAMILY
from engine.analysis.pairs.text import caveats, people_rows
from engine.report.blocks import Block, Paragraph, Section, table
from engine.report.gather import Material

_SHOWN = ("a", "b", "mean a", "mean b", "a - b", "low", "high", "p", "effect", "a is", "more seeds")


def significance(material: Material) -> Section:
    """Make the section that compares every two cells of a data set."""
    wanted = material.wanted
    name = wanted.column
    every = [pair for group in material.groups for pair in group.pairs]
    blocks: list[Block] = [
        Paragraph(
            f"Every pair of cells of a data set in {name}: the difference of their means with its "
            "95 % interval; the effect is the difference divided by its standard deviation over "
            "users; “more seeds” is about how many more each would need to be told apart if means "
            "and variances stayed as they are."
        )
    ]
    for group in material.groups:
        rows = people_rows(group.pairs, wanted.metric, masked=wanted.masked, k=wanted.k)
        if rows:
            shown = [[str(row[column]) for column in _SHOWN] for row in rows]
            blocks.append(
                table(_SHOWN, shown, figures=(2, 3, 4, 5, 6, 7, 8, 10), caption=group.title)
            )
    if not every:
        blocks = [Paragraph("There are no two cells of the same data set to compare.")]
    blocks += [Paragraph(sentence, quiet=True) for sentence in caveats(every)]
    if any(group.tradeoffs.family.comparisons for group in material.groups):
        blocks.append(Paragraph(OTHER_FAMILY, quiet=True))
    return Section("Which differences are shown", tuple(blocks))
