"""Small data sets in the original file layouts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.spec import Dataset


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of this folder say themselves where data is, and talk to their own server only."""
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """The cache folder that the environment names."""
    return tmp_path / "cache"


@pytest.fixture
def make_dataset() -> Callable[..., Dataset]:
    """Build a catalogue entry for a small file; anything can be overridden."""

    def make(**changes: Any) -> Dataset:
        entry: dict[str, Any] = {
            "name": "tiny",
            "title": "Tiny",
            "size": "small",
            "reader": "movielens-tab",
            "users": 2,
            "items": 3,
            "interactions": 5,
            "folder": "tiny-folder",
            "files": {"u.data": None},
        }
        return Dataset.model_validate(entry | changes)

    return make


@pytest.fixture
def make_synthetic() -> Callable[..., Dataset]:
    """Build a synthetic catalogue entry."""

    def make(users: int, items: int, interactions: int, **settings: Any) -> Dataset:
        return Dataset.model_validate(
            {
                "name": "synthetic",
                "title": "Synthetic",
                "size": "small",
                "reader": "synthetic",
                "users": users,
                "items": items,
                "interactions": interactions,
                "synthetic": settings,
            }
        )

    return make
