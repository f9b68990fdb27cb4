"""A duel's verdict and its looks, as commands print them."""

from __future__ import annotations

from typing import Any

from engine.analysis.columns.text import signed
from engine.analysis.duels.stored import Duel
from engine.analysis.duels.words import as_json, verdict
from tui.cli.session import say, say_table


def say_verdict(duel: Duel | None) -> None:
    """Print the looks of a duel, and what it has come to; nothing of other studies."""
    if duel is None:
        return
    if duel.looks:
        one, other = (model.upper() for model in duel.models)
        rows = [
            [
                look.seeds,
                f"{look.means[0]:.4f}",
                f"{look.means[1]:.4f}",
                signed(look.difference),
                f"[{signed(look.low)}, {signed(look.high)}]",
                f"{look.level:.4f}",
                "yes" if look.decided else "no",
            ]
            for look in duel.looks
        ]
        head = ["SEEDS", one, other, "DIFFERENCE", "INTERVAL", "LEVEL", "DECIDES"]
        say_table(head, rows, right=f"SEEDS {one} {other} DIFFERENCE INTERVAL LEVEL")
    say(verdict(duel))


def with_verdict(content: dict[str, Any], duel: Duel | None) -> dict[str, Any]:
    """Return a study for programs, with its duel if it is one."""
    return content if duel is None else content | {"duel": as_json(duel)}
