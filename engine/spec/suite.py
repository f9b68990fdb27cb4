"""A suite: cells and seeds with a name."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.spec.strict import Name, Strict

Override = str | int | float | bool
"""The value of an override: as text, which is parsed as in YAML, or typed."""

Overrides = dict[str, Override]
"""Settings that replace those of a profile, by name."""

Sweep = Override | Annotated[tuple[Override, ...], Field(min_length=1)]
"""The value of an override, or several, each of which is run."""


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
    overrides: dict[str, Sweep] = Field(default={})
    """Every combination of the values of sweeps is run."""
    variants: dict[Name, Overrides] = Field(default={})
    """Overrides by name of a variant; every cell is run once for each variant."""
    note: str = ""
