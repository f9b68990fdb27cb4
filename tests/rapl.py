"""A kernel's folder of energy counters (powercap), as files that a test writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SPAN = 262_143_328_850
"""Microjoules after which the counters of many processors begin again."""


@dataclass(frozen=True)
class Powercap:
    """The counters below ``root``, by the names of their folders."""

    root: Path

    def has(self, folder: str, name: str, microjoules: int, span: int = SPAN) -> None:
        """Make a counter."""
        path = self.root / folder
        path.mkdir(parents=True)
        (path / "name").write_text(f"{name}\n")
        (path / "max_energy_range_uj").write_text(f"{span}\n")
        self.counts(folder, microjoules)

    def counts(self, folder: str, microjoules: int) -> None:
        """Let a counter stand at a value from now on."""
        aside = self.root / folder / "energy_uj.new"
        aside.write_text(f"{microjoules}\n")
        aside.replace(self.root / folder / "energy_uj")

    def hides(self, folder: str) -> None:
        """A counter can't be read any more. (A file that only root may read is no hindrance to a
        test that root runs.)"""
        (self.root / folder / "energy_uj").unlink()
