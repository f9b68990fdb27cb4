"""A suite: cells and seeds with a name."""

from __future__ import annotations

from pydantic import Field

from engine.spec.strict import Name, Strict

Overrides = dict[str, str | int | float | bool]
"""Settings that replace those of a profile, by name."""


CellKey = tuple[str, str, int]
"""Model, data set, length."""


class Suite(Strict):
    """A named set of cells and seeds."""

    name: Name
    title: str
    models: tuple[str, ...] = Field(min_length=1)
    datasets: tuple[str, ...] = Field(min_length=1)
    lengths: tuple[int, ...] = Field(min_length=1)
    cells: tuple[CellKey, ...] = ()
    """The cells, if not all combinations of models, data sets and lengths."""
    seeds: tuple[int, ...] = Field(min_length=1)
    profile: str = "reference"
    overrides: Overrides = Field(default={})
    variants: dict[Name, Overrides] = Field(default={})
    """Overrides by name of a variant; every cell is run once for each variant."""
    note: str = ""
