"""The section on duels: two models with the same budget, and seeds added until a test decides."""

from __future__ import annotations

from collections.abc import Iterator

from engine.analysis.columns.text import signed
from engine.analysis.duels.stored import Duel
from engine.analysis.duels.words import note, verdict
from engine.report.blocks import Block, Paragraph, Section, Subheading, table
from engine.report.gather import Material


def duels(material: Material) -> Section:
    """Make the section; empty if no run's settings were chosen in a duel."""
    blocks: list[Block] = []
    for duel in material.duels:
        blocks += _of_duel(duel)
    return Section("Duels", tuple(blocks))


def _of_duel(duel: Duel) -> Iterator[Block]:
    one, other = duel.models
    yield Subheading(f"{one} against {other}: {duel.study.name}")
    yield Paragraph(verdict(duel))
    if duel.looks:
        yield table(
            ["seeds each", one, other, "difference", "low", "high", "level", "decides"],
            [
                [
                    str(look.seeds),
                    f"{look.means[0]:.4f}",
                    f"{look.means[1]:.4f}",
                    signed(look.difference),
                    signed(look.low),
                    signed(look.high),
                    f"{look.level:.4f}",
                    "yes" if look.decided else "no",
                ]
                for look in duel.looks
            ],
            figures=range(7),
            caption="The looks, in NDCG@10/test",
        )
    yield Paragraph(note(duel), quiet=True)
