"""The section on whether the order of models depends on the rule of targets."""

from __future__ import annotations

from collections.abc import Iterator

from engine.analysis.protocols.rankings import Protocols
from engine.analysis.protocols.text import (
    NOTE,
    OF_TAU,
    placed_text,
    reasons,
    sentences,
    standing_text,
    tau_text,
)
from engine.report.blocks import Block, Paragraph, Section, Subheading, table
from engine.report.gather import Material
from engine.report.wording import ABSENT

_TESTED = (
    "Whether the first is above the others is tested as in Which differences are shown; p is "
    "corrected (Holm) for every two cells under a rule."
)


def winners(material: Material) -> Section:
    """Make the section; empty if no data were measured under two rules."""
    blocks: list[Block] = []
    for found in material.protocols:
        blocks += _of_interactions(found, material.wanted.column)
    if blocks:
        rankings = [each for found in material.protocols for each in found.rankings]
        if any(each.evaluated for each in rankings):
            blocks.append(Paragraph(NOTE, quiet=True))
        blocks += [
            Paragraph(text, quiet=True) for text in (OF_TAU, _TESTED, *reasons(material.protocols))
        ]
    return Section("Does the winner change with the protocol?", tuple(blocks))


def _of_interactions(found: Protocols, name: str) -> Iterator[Block]:
    yield Subheading(found.title)
    yield Paragraph(" ".join(sentences(found)))
    yield table(
        ["rule", "data set", "targets", "test users", "cells", "first", name, "is it shown?"],
        [
            [
                each.title,
                each.dataset,
                f"{each.targets:,}",
                f"{each.users:,}",
                str(len(each.placed)),
                found.labels[each.first.key],
                f"{each.first.value:.4f}",
                standing_text(found, each),
            ]
            for each in found.rankings
        ],
        figures=(2, 3, 4, 6),
    )
    yield table(
        ["cell", *(each.title for each in found.rankings)],
        [
            [
                found.labels[key],
                *(placed_text(each, key) or ABSENT for each in found.rankings),
            ]
            for key in found.keys
        ],
        figures=range(1, len(found.rankings) + 1),
        caption=f"{name} under each rule, and the place",
    )
    if found.agreements:
        yield table(
            ["rule", "and rule", "cells", "Kendall's τ", "first", "first under the other"],
            [
                [
                    each.a.title,
                    each.b.title,
                    str(len(each.keys)),
                    tau_text(each),
                    found.labels[each.first(each.a).key],
                    found.labels[each.first(each.b).key],
                ]
                for each in found.agreements
            ],
            figures=(2, 3),
            caption="How far two rules agree, on the cells that both ranked",
        )
