"""Fitted models: the epochs of a run are fits, each with a combination of settings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any


def is_fitted(spec: Mapping[str, Any]) -> bool:
    """Whether a run, whose `engine.spec.RunSpec` is given as JSON, is of a fitted model."""
    training = spec.get("training")
    return isinstance(training, Mapping) and training.get("objective") == "fitted"


def settings_to_try(
    settings: Mapping[str, Any], grid: Mapping[str, Sequence[Any]]
) -> list[dict[str, Any]]:
    """Return the combinations that a fitted model tries on validation, one an epoch: the product of
    the grid over the settings that are null, the last varying fastest.

    Without any such setting there is one combination, which is empty.

    Args:
        settings: the architecture's.
        grid: `engine.models.Definition.grid`.
    """
    tried = {name: values for name, values in grid.items() if settings.get(name) is None}
    return [dict(zip(tried, values, strict=True)) for values in product(*tried.values())]


def chosen_settings(
    epochs: Iterable[Mapping[str, Any]], best_epoch: int | None
) -> Mapping[str, Any]:
    """Return the settings that validation chose among those tried; empty if none was tried.

    Args:
        epochs: rows of the table ``epochs``, as `engine.store.series.epochs` reads them.
    """
    return next((row["settings"] or {} for row in epochs if row["epoch"] == best_epoch), {})


def combination_text(settings: Mapping[str, Any]) -> str:
    """Write a combination of settings as it is typed: ``window=10 weights=1/distance``."""
    return " ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in settings.items()
    )
