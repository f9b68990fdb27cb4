"""Small data sets in the original file layouts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from archives import Site, serving, zipped

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


@pytest.fixture
def site() -> Iterator[Site]:
    """A server of this machine that sends an archive, as badly as the test says."""
    with serving() as site:
        yield site


@pytest.fixture
def served(site: Site, make_dataset: Callable[..., Dataset]) -> Callable[..., Dataset]:
    """Serve an archive and return the data set whose published archive it is."""

    def serve(body: bytes | None = None, md5: str | None = "right", **changes: object) -> Dataset:
        site.body = zipped() if body is None else body
        right = hashlib.md5(site.body).hexdigest()
        archive = {
            "url": site.url,
            "bytes": len(site.body),
            "md5": right if md5 == "right" else md5,
        }
        return make_dataset(archive=archive | changes)

    return serve
