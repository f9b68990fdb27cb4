"""What a table offers in the dialog of its columns. No widget here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.analysis.columns.offered import preset, stored_columns
from engine.analysis.columns.sections import by_section
from tui.shell import remembered


@dataclass(frozen=True, slots=True)
class Offer:
    """The columns that may be shown or hidden in one table."""

    names: Sequence[str]
    """In the order in which they are offered."""
    default: Sequence[str]
    held: str
    """Says which columns are always shown."""
    topic: str
    """Where `tui.shell.remembered` keeps the chosen columns."""

    @property
    def sections(self) -> dict[str, str]:
        """The section of each column, section by section."""
        return by_section(self.names)

    def preset(self, name: str) -> tuple[str, ...]:
        """Return the columns of a preset that the table can have."""
        return self._possible(preset(name))

    def recall(self) -> tuple[str, ...]:
        """Return the columns that were chosen last; the default if none were."""
        found = stored_columns(remembered.recall(self.topic).get("columns"), self.default)
        return self._possible(found) or tuple(self.default)

    def keep(self, names: Iterable[str]) -> None:
        """Remember the chosen columns. For a thread: it waits for the disk."""
        remembered.keep(self.topic, {"columns": list(names)})

    def _possible(self, names: Iterable[str]) -> tuple[str, ...]:
        offered = set(self.names)
        return tuple(name for name in names if name in offered)
