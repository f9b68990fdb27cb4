"""The sections into which a long list of columns is divided."""

from __future__ import annotations

from collections.abc import Iterable

from engine.analysis.columns.definitions import COSTS, OF_TEST, Column
from engine.analysis.columns.offered import every_column
from engine.metrics import LIST_MEASURES, RESULT_OF

SECTIONS = (
    "Metrics",
    "Costs",
    "Training",
    "Other cut-offs",
    "By popularity of the target",
    "Recommended items",
    "Settings",
    "The run",
)
"""In the order in which they are listed."""

_OF_COSTS = frozenset({"joules_of", "parameters"})
"""Sources of columns beside `COSTS` that tell what a run cost."""


def by_section(names: Iterable[str]) -> dict[str, str]:
    """Return the section of each of some columns, those of the first section first."""
    every = every_column("best")
    found = {name: _section(every[name]) for name in names}
    return dict(sorted(found.items(), key=lambda entry: SECTIONS.index(entry[1])))


def _section(column: Column) -> str:
    if column.setting:
        return "Settings"
    if (result := RESULT_OF.get(column.source)) is not None:
        if result.scope:
            return "By popularity of the target"
        return "Recommended items" if result.metric in LIST_MEASURES else "Other cut-offs"
    if column.kind == "metric" or column in OF_TEST:
        return "Metrics"
    if column.name in COSTS or column.source in _OF_COSTS:
        return "Costs"
    return "The run" if column.kind == "text" else "Training"
