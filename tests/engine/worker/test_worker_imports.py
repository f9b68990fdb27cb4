"""What a worker doesn't load."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.config import load_catalogue
from engine.journal import read_journal
from engine.runfolder import RunFolder
from engine.specfile import save_spec


@pytest.mark.parametrize("model", ["sasrec", "xlstm"])
def test_a_run_is_trained_without_the_compiler(tmp_path: Path, model: str) -> None:
    """It takes longer to load than a short run to train, and nothing here needs it."""
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    settings = {"dim": 16, "epochs": 1}
    save_spec(folder, load_catalogue().run_spec(model, "synthetic", 10, 7, overrides=settings))
    command = [sys.executable, "-m", "engine.worker", str(folder.path), "--attempt", "1"]
    done = subprocess.run(
        [*command, "--threads", "1"],
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert read_journal(folder.journal(1)).lines[-1].fields["status"] == "done"
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "torch" in loaded
    assert not loaded & {"torch._dynamo", "torch._inductor", "sympy"}
