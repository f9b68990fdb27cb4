"""The command that launches a run again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.errors import UserError

if TYPE_CHECKING:
    from engine.config import Catalogue
    from engine.spec import Suite


def relaunch_command(
    spec: Mapping[str, Any], catalogue: Catalogue | None, seeds: Sequence[int] = ()
) -> str:
    """Write a ``seqbench run`` command with the settings in which a run differs from its profile.

    Where ``seeds`` are given, it launches those. An imported run has none. Without a catalogue, or
    where it doesn't know the model or the data set, no setting is named.
    """
    if spec.get("origin"):
        return ""
    words = ["seqbench", "run"]
    for name in ("model", "dataset", "length", "seed", "profile"):
        several = name == "seed" and seeds
        words += [f"--{name}", ",".join(map(str, seeds)) if several else str(spec.get(name, ""))]
    for key, value in _differences(spec, catalogue).items():
        words += ["--set", f"{key}={value}"]
    return shlex.join(words)


def suite_command(suite: Suite) -> str:
    """Write a ``seqbench run`` command for what is missing of a suite, with its seeds."""
    seeds = ",".join(map(str, suite.seeds))
    return shlex.join(["seqbench", "run", "--suite", suite.name, "--seed", seeds])


def _differences(spec: Mapping[str, Any], catalogue: Catalogue | None) -> dict[str, Any]:
    if catalogue is None:
        return {}
    try:
        plain = catalogue.run_spec(
            spec["model"], spec["dataset"], spec["length"], spec["seed"], spec["profile"]
        ).model_dump(mode="json")
    except (UserError, KeyError):
        return {}
    return {
        key: value
        for section in ("architecture", "training")
        for key, value in spec.get(section, {}).items()
        if plain[section].get(key) != value
    }
