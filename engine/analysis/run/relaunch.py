"""The command that launches a run again."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from engine.errors import UserError
from engine.store.queries import specs_of

if TYPE_CHECKING:
    from engine.config import Catalogue
    from engine.spec import Suite


@dataclass(frozen=True, slots=True, order=True)
class Launch:
    """What ``seqbench run`` is given for the runs of a cell, except their seeds."""

    dataset: str
    profile: str
    settings: tuple[str, ...]
    """Settings in which it differs from its profile, as ``key=value``."""
    length: int
    model: str
    epochs: int | None = field(default=None, compare=False)
    """The epoch limit that its settings or its profile give; None if that isn't known."""

    @property
    def further(self) -> Launch:
        """The same with the higher epoch limit that is proposed."""
        others = (each for each in self.settings if not each.startswith("epochs="))
        limit = proposed_limit(self.epochs)
        return replace(self, settings=(*others, f"epochs={limit}"), epochs=limit)


def proposed_limit(epochs: int | None) -> int:
    """Return the epoch limit to propose for training on: twice the one that there was."""
    return 2 * (epochs or 1)


def launch_of(spec: Mapping[str, Any], catalogue: Catalogue | None) -> Launch | None:
    """Return how a run is launched; None of an imported one.

    Without a catalogue, or where it doesn't know the model or the data set, no setting is named.
    What was chosen is launched as it differs from the profile ``reference`` if there is no recipe.
    """
    if spec.get("origin"):
        return None
    if spec.get("chosen_by") and catalogue and recipe_of(spec, catalogue) is None:
        spec = {**spec, "profile": "reference"}
    return Launch(
        dataset=str(spec.get("dataset", "")),
        profile=str(spec.get("profile", "")),
        settings=tuple(f"{key}={value}" for key, value in _differences(spec, catalogue).items()),
        length=spec.get("length", 0),
        model=str(spec.get("model", "")),
        epochs=spec.get("training", {}).get("epochs"),
    )


def launches_of(
    con: sqlite3.Connection, runs: Sequence[str], catalogue: Catalogue | None
) -> dict[str, Launch]:
    """Read how runs are launched, by run id; imported ones are left out, and all without a
    catalogue, which knows the settings that differ."""
    if catalogue is None:
        return {}
    found = {run: launch_of(spec, catalogue) for run, spec in specs_of(con, runs).items()}
    return {run: launch for run, launch in found.items() if launch is not None}


def launch_commands(launches: Iterable[Launch], seeds: Sequence[int]) -> list[str]:
    """Write ``seqbench run`` commands for these with the seeds, as few as launch no more.

    Models that share data set, profile, settings and length are one command, and so are lengths of
    the same models.
    """
    models: dict[tuple[str, str, tuple[str, ...], int], list[str]] = {}
    for key, alike in groupby(
        sorted(set(launches)),
        key=lambda each: (each.dataset, each.profile, each.settings, each.length),
    ):
        models[key] = [each.model for each in alike]
    lengths: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], list[int]] = {}
    for (dataset, profile, settings, length), some in models.items():
        lengths.setdefault((dataset, profile, settings, tuple(some)), []).append(length)
    return [
        _command(",".join(some), dataset, ",".join(map(str, of_some)), seeds, profile, settings)
        for (dataset, profile, settings, some), of_some in lengths.items()
    ]


def relaunch_command(
    spec: Mapping[str, Any], catalogue: Catalogue | None, seeds: Sequence[int] = ()
) -> str:
    """Write a ``seqbench run`` command with the settings in which a run differs from its profile
    (`launch_of`), for its own seed or for those that are given; empty for an imported run."""
    launch = launch_of(spec, catalogue)
    if launch is None:
        return ""
    return launch_commands([launch], seeds or [spec.get("seed", "")])[0]


def suite_command(suite: Suite) -> str:
    """Write a ``seqbench run`` command for what is missing of a suite, with its seeds."""
    seeds = ",".join(map(str, suite.seeds))
    return shlex.join(["seqbench", "run", "--suite", suite.name, "--seed", seeds])


def _command(
    models: str,
    dataset: str,
    lengths: str,
    seeds: Sequence[int],
    profile: str,
    settings: Sequence[str],
) -> str:
    words = ["seqbench", "run", "--model", models, "--dataset", dataset, "--length", lengths]
    words += ["--seed", ",".join(map(str, seeds)), "--profile", profile]
    for setting in settings:
        words += ["--set", setting]
    return shlex.join(words)


def recipe_of(spec: Mapping[str, Any], catalogue: Catalogue | None) -> dict[str, Any] | None:
    """Return the configuration (as JSON) that a run's profile gives by itself; None without a
    catalogue, or where it doesn't know the model, the data set or the profile."""
    if catalogue is None:
        return None
    try:
        return catalogue.run_spec(
            spec["model"], spec["dataset"], spec["length"], spec["seed"], spec["profile"]
        ).model_dump(mode="json")
    except (UserError, KeyError):
        return None


def _differences(spec: Mapping[str, Any], catalogue: Catalogue | None) -> dict[str, Any]:
    plain = recipe_of(spec, catalogue)
    if plain is None:
        return {}
    return {
        key: value
        for section in ("architecture", "training")
        for key, value in spec.get(section, {}).items()
        if plain[section].get(key) != value
    }
