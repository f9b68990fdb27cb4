"""seqbench in a folder of its own, whose processes end with the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from user_lab import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    yield (lab := Lab(tmp_path))
    lab.end()
