"""The section on which differences between cells are significant."""

from __future__ import annotations

from collections.abc import Sequence

from engine.analysis.claims.claim import NONE_SHOWN
from engine.analysis.claims.words import OTHER_FAMILY
from engine.analysis.pairs.cells import Pair
from engine.analysis.pairs.text import caveats, people_rows
from engine.report.blocks import Block, Paragraph, Section, table
from engine.report.gather import Material

MOST_PAIRS = 1_000
"""Most pairs of a data set in the report: their number grows with the square of the cells'."""

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
        listed = most_certain(group.pairs)
        rows = people_rows(listed, wanted.metric, masked=wanted.masked, k=wanted.k)
        if rows:
            shown = [[str(row[column]) for column in _SHOWN] for row in rows]
            blocks.append(
                table(_SHOWN, shown, figures=(2, 3, 4, 5, 6, 7, 8, 10), caption=group.title)
            )
        if len(listed) < len(group.pairs):
            apart = sum(pair.verdict not in (None, NONE_SHOWN) for pair in group.pairs)
            blocks.append(
                Paragraph(
                    f"{apart:,} of {len(group.pairs):,} pairs show a difference. The "
                    f"{len(listed):,} with the smallest p are listed; `seqbench compare --pairs` "
                    "lists all."
                )
            )
    if not every:
        blocks = [Paragraph("There are no two cells of the same data set to compare.")]
    blocks += [Paragraph(sentence, quiet=True) for sentence in caveats(every)]
    if any(group.tradeoffs.family.comparisons for group in material.groups):
        blocks.append(Paragraph(OTHER_FAMILY, quiet=True))
    return Section("Which differences are shown", tuple(blocks))


def most_certain(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the `MOST_PAIRS` pairs with the smallest p, in their order; those of which nothing can
    be claimed go last."""
    by_p = sorted(
        range(len(pairs)), key=lambda place: (pairs[place].p is None, pairs[place].difference.p)
    )
    return [pairs[place] for place in sorted(by_p[:MOST_PAIRS])]
