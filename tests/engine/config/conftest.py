"""A layer of configuration of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[[str, str], Path]


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    return tmp_path / "mine"


@pytest.fixture
def write(layer: Path) -> Write:
    def write(name: str, text: str) -> Path:
        path = layer / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write
