"""Describes models: reads a question a line from standard input and writes an answer a line.

``python -m engine.models.describe``; `engine.modelinfo.ask` has the questions and the answers. With
``--builtin FILE``, the descriptions of all models that come with seqbench are written there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import select
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from pydantic import BaseModel, ValidationError

import engine.models.builtin
import engine.models.layers
from engine.config.entries import Profile
from engine.config.layers import builtin_configs, read_entries
from engine.config.overrides import combinations, combined, parsed, setting_name
from engine.errors import UserError
from engine.modelinfo.facts import settings_key
from engine.modelinfo.info import ModelInfo, info_json
from engine.models.base import FittedModel, MaskedModel, OwnLossModel, TimedModel
from engine.models.definition import Definition
from engine.models.lasting import is_lasting
from engine.models.load import load_definition, read_file, run_file, sentence_of
from engine.models.names import name_problem
from engine.spec import Suite, Training
from engine.validation import InvalidError, validate, validate_field

IDLE_SECONDS = 60.0
"""How long to wait for another question before ending."""

KINDS = (TimedModel, MaskedModel, OwnLossModel, FittedModel)
"""Classes of which a model can be no more than one: what one of them adds isn't asked of the
others."""

SIZES = ("small", "medium", "large")

MEASURED = ((11, 5), (11, 17), (101, 5), (101, 17))
"""V and L of the modules whose parameters give the formula of the count."""
CONFIRMED = ((1_009, 5), (11, 64), (257, 33))
"""V and L for which the formula must hold too."""


def describe(name: str, definition: Definition, sha256: str, file: Path | None) -> ModelInfo:
    """Return what is to be known of a model's definition."""
    return ModelInfo(
        name=name,
        title=definition.title,
        paper=definition.paper,
        aliases=definition.aliases,
        kind=definition.kind,
        uses_times=issubclass(definition.module, TimedModel),
        needs_times=definition.needs_times,
        schema=definition.settings.model_json_schema(),
        profiles=_profiles(definition),
        grid=definition.grid,
        space=definition.space,
        sha256=sha256,
        origin="builtin" if file is None else "file",
        file=None if file is None else str(file),
    )


def facts(
    definition: Definition, settings: Mapping[str, Any], sizes: Sequence[tuple[int, int]] = ()
) -> dict[str, Any]:
    """Find out whether settings fit together, and how many parameters the model then has.

    Args:
        sizes: pairs of V and L for which to count them.

    Returns:
        ``problem``, a sentence, if the settings don't fit together; else ``formula``, null if there
        is none (`engine.modelinfo.facts.Facts`), or ``counts`` by V and L with a blank between.
    """
    try:
        definition.settings.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{part}: " for part in first["loc"])
        return {"problem": where + first["msg"].removeprefix("Value error, ")}
    try:
        if sizes:
            counted = {
                f"{v} {length}": definition.parameters(settings, v, length) for v, length in sizes
            }
            return {"formula": None, "counts": counted}
        return {"formula": _formula(definition, settings)}
    except Exception as error:  # noqa: BLE001 - whatever a module of the user's raises
        return {"problem": sentence_of(error).removesuffix(".")}


def _formula(definition: Definition, settings: Mapping[str, Any]) -> list[int] | None:
    """Return a, b, c and d of a + b·V + c·L + d·V·L parameters; ``None`` if they don't fit."""
    (v1, l1), (_, l2), (v2, _), _ = MEASURED
    n11, n12, n21, n22 = (definition.parameters(settings, *at) for at in MEASURED)
    d = (n22 - n21 - n12 + n11) // ((v2 - v1) * (l2 - l1))
    c = (n12 - n11) // (l2 - l1) - d * v1
    b = (n21 - n11) // (v2 - v1) - d * l1
    a = n11 - b * v1 - c * l1 - d * v1 * l1
    exact = all(
        definition.parameters(settings, v, length) == a + b * v + c * length + d * v * length
        for v, length in (*MEASURED, *CONFIRMED)
    )
    return [a, b, c, d] if exact else None


def builtin_names() -> list[str]:
    """Return the names of the models that come with seqbench."""
    found = iter_modules(engine.models.builtin.__path__)
    return sorted(each.name.replace("_", "-") for each in found)


def describe_builtin() -> dict[str, Any]:
    """Describe all models that come with seqbench, with the facts of all settings that
    are shipped."""
    described: dict[str, Any] = {}
    for name in builtin_names():
        definition = load_definition(name)
        info = describe(name, definition, _builtin_hash(name), None)
        settings = (
            definition.settings.model_validate(each).model_dump(mode="json")
            for each in _shipped_settings(definition, info)
        )
        wanted = {settings_key(each): each for each in settings}
        found = {key: facts(definition, each) for key, each in wanted.items()}
        described[name] = {"info": info_json(info), "facts": found}
    return described


def _profiles(definition: Definition) -> dict[str, Any]:
    """Return a definition's profiles in full, ``reference`` from its defaults if it has none."""
    given = definition.profiles or {"reference": {"training": definition.training}}
    return {
        name: {
            "architecture": dict(profile.get("architecture", {})),
            "training": dict(profile.get("training", {})),
            "sizes": {size: dict(profile.get("sizes", {}).get(size, {})) for size in SIZES},
            **({"chosen": profile["chosen"]} if "chosen" in profile else {}),
        }
        for name, profile in given.items()
    }


def _shipped_settings(definition: Definition, info: ModelInfo) -> Iterator[dict[str, Any]]:
    """Yield the settings of all profiles and sizes, by themselves and as the suites that come with
    seqbench change them."""
    names = definition.settings.model_fields
    suites = read_entries([builtin_configs()], "suites", Suite).values()
    for (name, profile), size in product(info.profiles.items(), SIZES):
        own = profile["architecture"] | profile["sizes"][size].get("architecture", {})
        yield own
        for suite, _ in suites:
            if suite.profile != name or info.name not in suite.models:
                continue
            for sweep in combined(suite.overrides, suite.variants).values():
                for changes in combinations(sweep):
                    typed = {setting_name(key): parsed(value) for key, value in changes.items()}
                    yield own | {key: typed[key] for key in names if key in typed}


def _problem(definition: Definition, profiles: Mapping[str, Any]) -> str:
    """Say what is wrong with a definition's module, settings or profiles; empty if nothing is."""
    bases = [each.__name__ for each in KINDS if issubclass(definition.module, each)]
    if len(bases) > 1:
        name = definition.module.__name__
        return f"{name} is a {' and a '.join(bases)}: a model can be only one of them."
    if problem := name_problem(definition.settings.model_fields):
        return problem
    for (name, profile), size in product(profiles.items(), SIZES):
        own = profile["sizes"][size]
        kinds: dict[str, type[BaseModel]] = {
            "architecture": definition.settings,
            "training": Training,
        }
        for section, kind in kinds.items():
            try:
                validate(kind, profile[section] | own.get(section, {}))
            except InvalidError as error:
                where = ".".join(map(str, ("profiles", name, section, *error.key_path)))
                return f"{where}: {error.problem}"
    for name, profile in profiles.items():
        try:
            validate_field(Profile, "chosen", profile.get("chosen"))
        except InvalidError as error:
            return f"profiles.{name}.chosen: {error.problem}"
    return ""


def _builtin_hash(name: str) -> str:
    files = [Path(engine.models.builtin.__path__[0], f"{name.replace('-', '_')}.py")]
    files += sorted(Path(engine.models.layers.__path__[0]).glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _answer(question: Mapping[str, Any], loaded: dict[str, Definition]) -> dict[str, Any]:
    model, sha256, file = question["model"], "", None
    try:
        if "name" in model:
            name, file, sha256 = model["name"], None, _builtin_hash(model["name"])
            definition = load_definition(name)
        else:
            file = Path(model["file"])
            name = file.stem.replace("_", "-")
            content = read_file(file)
            sha256 = hashlib.sha256(content).hexdigest()
            if sha256 not in loaded:
                loaded[sha256] = run_file(file, content, model["package"])
            definition = loaded[sha256]
        info = info_json(describe(name, definition, sha256, file))
        if problem := _problem(definition, info["profiles"]):
            return {"problem": f"{file or name}: {problem}", "lasting": True, "sha256": sha256}
        sizes = question["sizes"]
        found = [facts(definition, each, sizes) for each in question["settings"]]
        return {"info": info, "facts": found}
    except UserError as error:
        lasting = file is not None and is_lasting(error, file)
        return {"problem": str(error), "lasting": lasting, "sha256": sha256}


def _serve() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a model's file prints is no answer
    loaded: dict[str, Definition] = {}
    while select.select([sys.stdin], [], [], IDLE_SECONDS)[0] and (line := sys.stdin.readline()):
        answers.write(json.dumps(_answer(json.loads(line), loaded)) + "\n")
        answers.flush()


def main() -> None:
    """Answer questions until there are no more, or describe what comes with seqbench."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--builtin", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.builtin is None:
        _serve()
    else:
        text = json.dumps(describe_builtin(), indent=1)
        options.builtin.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
