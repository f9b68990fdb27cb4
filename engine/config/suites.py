"""Making suites of chosen cells, and saving them as YAML in the user's configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.config.catalogue import Catalogue
from engine.config.layers import invalid_name, save_entry
from engine.config.overrides import parsed, sweep_values
from engine.errors import UsageError
from engine.spec import CellKey, Override, Overrides, Suite, Sweep
from engine.validation import InvalidError, validate
from engine.yamlfile import to_yaml


def suite_of_cells(
    name: str,
    title: str,
    cells: Sequence[CellKey],
    seeds: Sequence[int],
    profile: str,
    overrides: Mapping[str, Sweep],
    variants: Mapping[str, Overrides],
) -> Suite:
    """Make a suite of these cells; ``Suite.cells`` lists them unless they are all combinations of
    its models, data sets and lengths.

    Args:
        title: for people; characters that can't be printed are left out.
        overrides: settings by name, as typed or as values.
        variants: overrides by name of a variant.

    Raises:
        UsageError: ``name`` is no valid name, or there is no cell.
    """
    models, datasets, lengths = (
        tuple(dict.fromkeys(axis)) for axis in (zip(*cells, strict=True) if cells else ((), (), ()))
    )
    every = len(models) * len(datasets) * len(lengths) == len(set(cells))
    content: dict[str, Any] = {
        "name": name,
        "title": "".join(letter for letter in title if letter.isprintable()),
        "models": models,
        "datasets": datasets,
        "lengths": tuple(sorted(lengths)),
        "cells": () if every else tuple(cells),
        "seeds": tuple(seeds),
        "profile": profile,
        "overrides": _typed(overrides),
        "variants": {variant: _typed(changes) for variant, changes in variants.items()},
    }
    try:
        return validate(Suite, content)
    except InvalidError as error:
        if error.key_path == ("name",):
            raise invalid_name("suite", name) from None
        raise UsageError(error.sentence) from None


def suite_yaml(suite: Suite) -> str:
    """Write the suite as YAML, which reads back as an equal suite."""
    content = suite.model_dump()
    needless = [key for key in ("cells", "overrides", "variants", "note") if not content[key]]
    return to_yaml({key: value for key, value in content.items() if key not in needless})


def save_suite(
    catalogue: Catalogue, suite: Suite, extra: Path | None = None, replace: bool = False
) -> Path:
    """Write a suite to the user's configuration, and return its file.

    Args:
        extra: the value of ``--config-dir``.
        replace: overwrite the user's suite of the same name.

    Raises:
        EntryExistsError: there is one, without ``replace``.
        UsageError: the suite is invalid, or another layer has a suite of its name.
        UserError: the file can't be written.
    """
    catalogue.expand(suite)
    return save_entry(extra, "suites", "suite", suite.name, suite_yaml(suite), replace)


def _typed(overrides: Mapping[str, Sweep]) -> dict[str, Sweep]:
    """Parse the values that are text, as YAML would: ``"1e-3"`` to 0.001."""
    typed: dict[str, Sweep] = {}
    for key, sweep in overrides.items():
        values = tuple(map(_one_typed, sweep_values(sweep)))
        typed[key] = values if len(values) > 1 else values[0]
    return typed


def _one_typed(written: Override) -> Override:
    value = parsed(written)
    return written if value is None else value
