"""Finished runs on a small data set that is split by time, trained in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.config import load_catalogue
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.specfile import save_spec
from engine.worker.attempt import run_attempt

USERS, ITEMS, EACH = 40, 25, 14


def timed_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Write ratings whose users begin and end at various times, and be found by data sets."""
    monkeypatch.setenv("SEQBENCH_DATA", str(tmp_path / "data"))
    chance = np.random.default_rng(5)
    lines = ["who,what,when"]
    for user in range(USERS):
        began, item = int(chance.integers(0, 60)), int(chance.integers(1, ITEMS + 1))
        for step in range(EACH):
            lines.append(f"u{user},{item},{began + 5 * step}")
            item = 1 + (item + int(chance.integers(1, 4))) % ITEMS
    path = tmp_path / "data" / "mine" / "r.csv"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def timed_spec(
    model: str, split: dict[str, Any], *, seed: int = 7, name: str = "mine", **settings: Any
) -> RunSpec:
    """A run on that data."""
    given = {"dim": 16, **settings} if model in ("sasrec", "hstu") else settings
    spec = load_catalogue().run_spec(model, "synthetic", 6, seed, overrides=given)
    source = {
        "name": name, "title": name.title(), "size": "small", "reader": "table", "folder": "mine",
        "columns": {"user": "who", "item": "what", "time": "when"}, "files": {"r.csv": None},
        "users": USERS, "items": ITEMS, "interactions": USERS * EACH, "split": split,
    }  # fmt: skip
    return RunSpec.model_validate(spec.model_dump() | {"source": source, "dataset": name})


def timed_run(
    runs: Path, run: str, model: str, split: dict[str, Any], **settings: Any
) -> RunFolder:
    """Train a run on that data to its end."""
    return trained_folder(runs / run, timed_spec(model, split, **settings))


def trained_folder(path: Path, spec: RunSpec) -> RunFolder:
    """Train a run to its end."""
    folder = RunFolder(path)
    folder.path.mkdir(parents=True)
    save_spec(folder, spec, created=1.0)
    folder.log.touch()
    assert run_attempt(folder, 1, "cpu", 1, lambda: False) == 0, folder.journal(1).read_text()
    return folder


def as_earlier(folder: RunFolder) -> dict[str, float]:
    """Make of a run one of an earlier version, whose journal has no results and which has no lists;
    return the results that its end told."""
    lines = [json.loads(line) for line in folder.journal(1).read_text().splitlines()]
    told = lines[-1].pop("results")
    folder.journal(1).write_text("".join(json.dumps(line) + "\n" for line in lines))
    folder.test_top.unlink()
    folder.test_top_masked.unlink()
    assert isinstance(told, dict)
    return told
