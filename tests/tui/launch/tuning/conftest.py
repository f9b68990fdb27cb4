"""What the tests of the dialog for a study share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Be where no data set but the synthetic one is."""
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
