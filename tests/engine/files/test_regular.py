"""Nothing waits for a pipe that was put where a file belongs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import StoreError
from engine.files.regular import open_regular, read_regular
from engine.journal import read_journal
from engine.runfolder import RunFolder
from engine.specfile import load_spec_file
from engine.store.intake.folders import load_meta
from engine.training.checkpoint import CheckpointError, load_checkpoint

DESCRIPTORS = Path("/proc/self/fd")
pytestmark = pytest.mark.timeout(10)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    assert read_regular(path) == b"abc"
    with open_regular(path) as file:
        assert not os.get_inheritable(file.fileno())


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_nothing_else_is(tmp_path: Path, make) -> None:
    path = tmp_path / "other"
    make(path)
    before = len(list(DESCRIPTORS.iterdir()))
    with pytest.raises(OSError, match="not a file"):
        open_regular(path)
    assert len(list(DESCRIPTORS.iterdir())) == before


def test_every_reader_of_a_run_folder_says_so(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for path in (folder.journal(1), folder.spec, folder.meta, folder.checkpoint(1)):
        os.mkfifo(path)
    with pytest.raises(OSError, match="not a file"):
        read_journal(folder.journal(1))
    with pytest.raises(StoreError, match="not a file"):
        load_spec_file(folder)
    with pytest.raises(StoreError, match="not a file"):
        load_meta(folder)
    with pytest.raises(CheckpointError, match="not a file"):
        load_checkpoint(folder.checkpoint(1), "")
