"""Any configuration is read, or refused in a sentence of bounded length."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from fuzzing import JUNK, attempted, fuzz, mostly, short_and_long, spoilt, torn
from hypothesis import strategies as st

from engine.config import Catalogue, builtin_configs, layers, load_catalogue, override_keys
from engine.errors import ConfigError, UsageError
from engine.modelinfo import builtin_infos
from engine.spec import RunSpec

FOLDERS = ("datasets", "suites", "reference")

Entry = tuple[str, bytes]


@cache
def entries() -> list[tuple[str, dict[str, Any]]]:
    """The shipped entries with the folder of each, shortened where they are long."""
    found: list[tuple[str, dict[str, Any]]] = []
    for info in builtin_infos().values():
        profiles = {
            name: {**profile, "architecture": {**profile["architecture"], "model": info.name}}
            for name, profile in info.profiles.items()
        }
        found.append(("models", {"name": info.name, "title": info.title, "profiles": profiles}))
    for folder in FOLDERS:
        for path in sorted((builtin_configs() / folder).glob("*.yaml")):
            content = yaml.safe_load(path.read_text())
            if "cells" in content:
                content["cells"] = content["cells"][:2]
            found.append((folder, content))
    return found


def dumped(value: Any) -> bytes:
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False).encode("utf-8", "replace")


@st.composite
def documents(draw: st.DrawFn) -> Entry:
    folder, content = draw(st.sampled_from(entries()))
    if draw(st.booleans()):
        return folder, dumped(draw(spoilt([content])))
    return folder, draw(torn([dumped(content)]))


@short_and_long
def test_any_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: int) -> None:
    # What is shipped, but for the reference tables: reading those takes most of the time.
    base, layer = tmp_path / "base", tmp_path / "layer"
    for folder in FOLDERS[:2]:
        shutil.copytree(builtin_configs() / folder, base / folder)
    for path in (base / "suites").iterdir():
        if path.name not in ("smoke.yaml", "ablation-100k.yaml"):
            path.unlink()
    whole = load_catalogue()
    monkeypatch.setattr(layers, "builtin_configs", lambda: base)
    monkeypatch.chdir(tmp_path)
    read = 0

    def check(entry: Entry) -> None:
        nonlocal read
        folder, data = entry
        path = layer / folder / "entry.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        found = attempted(lambda: load_catalogue(layer), ConfigError)
        shutil.rmtree(layer)
        if isinstance(found, Catalogue):
            read += 1
            assert whole.models.keys() <= found.models.keys()

    sound = [(folder, dumped(content)) for folder, content in entries()[:3]]
    fuzz(inputs, documents(), check, sound)
    assert read


@short_and_long
def test_any_override(inputs: int) -> None:
    catalogue = load_catalogue()
    known = sorted({key for entry in catalogue.models.values()
                    for key in override_keys(entry, "reference")})  # fmt: skip
    keys = st.sampled_from([*known, *(f"training.{key}" for key in known)]) | st.text(max_size=20)
    numbers = st.floats().map(repr) | st.integers().map(str)
    values = numbers | JUNK.map(str) | st.sampled_from(["", "null", "true", "masked", "1e-3", "64"])
    cells = st.tuples(
        mostly(st.sampled_from(sorted(catalogue.models)), st.text(max_size=8)),
        mostly(st.sampled_from(sorted(catalogue.datasets)), st.text(max_size=8)),
        mostly(st.integers(2, 200), st.integers()),
        mostly(st.integers(0, 200), st.integers()),
        mostly(st.sampled_from(["reference", "tuned"]), st.text(max_size=8)),
        st.dictionaries(keys, values, max_size=3),
    )
    made = 0

    def check(cell: tuple[Any, ...]) -> None:
        nonlocal made
        *where, overrides = cell
        spec = attempted(lambda: catalogue.run_spec(*where, overrides=overrides), UsageError)
        if isinstance(spec, RunSpec):
            made += 1
            again = RunSpec.model_validate_json(spec.model_dump_json())
            assert again.fingerprint() == spec.fingerprint()

    fuzz(inputs, cells, check, [("sasrec", "ml-100k", 50, 42, "reference", {})])
    assert made
