"""What a check of ``seqbench doctor`` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from tui.cli.session import Session

Level = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    topic: str
    level: Level
    text: str
    cure: str = ""
    """One sentence, where something can be done."""


Check = Callable[[Session], Iterator[Finding]]
