"""Writing a profile of a model into the user's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.config.catalogue import Catalogue
from engine.config.layers import save_entry, user_entry
from engine.errors import UsageError, shown
from engine.spec import RunSpec, Training
from engine.yamlfile import read_yaml, to_yaml


def profile_of(spec: RunSpec) -> dict[str, Any]:
    """Return the profile that a run's settings are, for the size of its data set alone, with the
    budget that they were chosen with."""
    defaults = {name: field.default for name, field in Training.model_fields.items()}
    training = {
        name: value
        for name, value in spec.training.model_dump().items()
        if name != "objective" and value != defaults[name]
    }
    architecture = {"model": spec.architecture.model, **spec.architecture.settings}
    sizes: dict[str, Any] = {spec.source.size: {}}
    chosen = spec.model_dump(mode="json").get("chosen_by")
    own = {"architecture": architecture, "training": training, "sizes": sizes}
    return own if chosen is None else {"chosen": chosen, **own}


def save_profile(
    catalogue: Catalogue,
    model: str,
    name: str,
    profile: Mapping[str, Any],
    extra: Path | None = None,
    replace: bool = False,
) -> Path:
    """Write a profile of a model to the user's configuration, beside what is there of the model;
    return the file.

    Args:
        extra: the value of ``--config-dir``.
        replace: rewrite the user's file of the model, whose comments are lost.

    Raises:
        EntryExistsError: there is one, without ``replace``.
        UsageError: another layer has an entry of the model, or the model has this profile.
        UserError: the file can't be written.
    """
    path, exists = user_entry(extra, "models", "model", model)
    content: dict[str, Any] = read_yaml(path).value if exists else {"name": model}
    if not replace and name in catalogue.model(model).profiles:
        raise UsageError(
            f"{model} has a profile {shown(name)} already: give --replace to write it anew."
        )
    whole = {**content, "profiles": {**content.get("profiles", {}), name: dict(profile)}}
    return save_entry(extra, "models", "model", model, to_yaml(whole), replace)
