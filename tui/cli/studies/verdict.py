"""A duel's looks and its verdict, as commands print them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.analysis.columns.text import signed
from engine.store.location import StoreLocation
from engine.tuning.found import StudyFound
from tui.cli.session import say, say_table

if TYPE_CHECKING:
    from engine.analysis.duels.stored import Duel


@dataclass(frozen=True)
class Verdict:
    """What a duel has come to; empty of other studies."""

    sentence: str = ""
    duel: Duel | None = None
    content: dict[str, Any] = field(default_factory=dict)
    """For programs: ``duel``."""

    @property
    def shows(self) -> bool:
        """Whether one of its models is shown to be better."""
        return self.duel is not None and self.duel.winner is not None

    def say(self) -> None:
        """Print the looks and the verdict, after an empty line."""
        if self.duel is None:
            return
        say()
        if self.duel.looks:
            _say_looks(self.duel)
        say(self.sentence)


def verdict_of(con: sqlite3.Connection, location: StoreLocation, found: StudyFound) -> Verdict:
    """Read what a study has come to, if it is a duel."""
    if not found.is_duel:
        return Verdict()
    # numpy, which other studies don't need
    from engine.analysis.duels.stored import duel_of
    from engine.analysis.duels.words import as_json, verdict

    duel = duel_of(con, location, found.name)
    return Verdict(verdict(duel), duel, {"duel": as_json(duel)}) if duel else Verdict()


def _say_looks(duel: Duel) -> None:
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
