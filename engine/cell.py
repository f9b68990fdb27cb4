"""Cells: runs that differ in their seed only, whose results are averaged.

`FIELDS` tell one cell from another. The settings are a digest of all that a result depends on
except the seed (`engine.spec.identity`), protocol and split included; the checksum is of the
interactions that a run really read. Of a seed that ran more than once, the newest run that is done
counts (`engine.store.compare.grouping.counted`).
"""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass, fields


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """What the runs of a cell have in common; cells sort by these fields."""

    model: str
    dataset: str
    length: int
    profile: str
    settings: str
    checksum: str
    """Empty if unknown."""

    @property
    def name(self) -> str:
        """All fields as one text, for tables with one key a row."""
        return json.dumps(astuple(self))

    @classmethod
    def named(cls, name: str) -> Cell:
        """Make a cell from its `name`."""
        return cls(*json.loads(name))

    @property
    def place(self) -> tuple[str, str, int]:
        """Model, data set and length, which cells of several settings may share."""
        return self.model, self.dataset, self.length


FIELDS = tuple(field.name for field in fields(Cell))


def is_cell_name(text: str) -> bool:
    """Whether a text is the `name` of a cell, which no run's id is."""
    try:
        found = json.loads(text) if text.startswith("[") else None
    except (ValueError, RecursionError):
        return False
    return isinstance(found, list) and list(map(type, found)) == [str, str, int, str, str, str]
