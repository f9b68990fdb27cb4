"""The section on duels: two models with the same budget, and seeds added until a test decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.analysis.columns.text import figure, signed
from engine.analysis.duels.stored import Duel
from engine.analysis.duels.words import note, verdict
from engine.report.blocks import Block, Paragraph, Section, Subheading, table
from engine.report.gather import Material
from engine.report.wording import ABSENT


def duels(material: Material) -> Section:
    """Make the section; empty if no run's settings were chosen in a duel."""
    blocks: list[Block] = []
    for duel in material.duels:
        blocks += _of_duel(duel, material)
    return Section("Duels", tuple(blocks))


def _of_duel(duel: Duel, material: Material) -> Iterator[Block]:
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
    yield table(
        ["model", "trials", "their training (s)", "most seeds"],
        [_budget(model, duel, material) for model in duel.models],
        figures=(1, 2, 3),
        caption="Budgets",
    )
    yield Paragraph(note(duel), quiet=True)


def _budget(model: str, duel: Duel, material: Material) -> list[str]:
    chosen = (
        _chosen_by(material, str(row["run"])) for row in material.done if row["model"] == model
    )
    own = next((each for each in chosen if each.get("study") == duel.study.name), {})
    trials, seconds = own.get("trials"), own.get("seconds")
    spent = ABSENT if seconds is None else figure(float(seconds), "seconds")
    return [model, ABSENT if trials is None else str(trials), spent, str(duel.most)]


def _chosen_by(material: Material, run: str) -> Mapping[str, Any]:
    return material.specs[run].get("chosen_by") or {}
