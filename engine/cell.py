"""What a cell is: the runs that differ in their seed only, whose figures are averaged.

`FIELDS` tell one cell from another. The settings are a digest of all that a result depends on but
the seed (`engine.spec.identity`), which the protocol and the split are part of, so that neither is
a field of its own; the checksum is of the interactions that a run really read. Of a seed that ran
more than once, the newest run that is done counts (`engine.store.compare.grouping.counted`).
"""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass, fields


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """Names a cell; cells are in the order of their names."""

    model: str
    dataset: str
    length: int
    profile: str
    settings: str
    checksum: str
    """Empty where it isn't known."""

    @property
    def name(self) -> str:
        """All of it as one text, for tables that have a key a row."""
        return json.dumps(astuple(self))

    @classmethod
    def named(cls, name: str) -> Cell:
        """The cell of that `name`."""
        return cls(*json.loads(name))

    @property
    def place(self) -> tuple[str, str, int]:
        """Model, data set and length, which cells of several settings may share."""
        return self.model, self.dataset, self.length


FIELDS = tuple(field.name for field in fields(Cell))
