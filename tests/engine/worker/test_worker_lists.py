"""What a finished run recommends to its test users, as files and results of a real worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.config import load_catalogue
from engine.journal import read_journal
from engine.metrics import RESULT_OF
from engine.results.lists import list_results
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.specfile import save_spec
from engine.training.ranking.scoring import scores
from engine.worker.results import popularity_of
from engine.worker.trained import open_trained

DEADLINE = 180.0
ITEMS, USERS = 60, 120
ROUNDING = 1e-5
"""By which scores may differ that batches of different sizes give."""


@pytest.fixture
def folder(tmp_path: Path, start: Callable) -> RunFolder:
    """A finished run."""
    found = RunFolder(tmp_path / "run")
    found.path.mkdir()
    spec = load_catalogue().run_spec(
        "sasrec", "synthetic", 20, 7, overrides={"dim": 16, "epochs": 3, "dtype": "float32"}
    )
    source = spec.source.model_dump() | {"users": USERS, "items": ITEMS, "interactions": 3_600}
    save_spec(found, RunSpec.model_validate(spec.model_dump() | {"source": source}), created=1.0)
    assert finished(start(found)), found.log.read_text()
    return found


def finished(process) -> bool:
    process.join(DEADLINE)
    return process.exitcode == 0


def lists_of(folder: RunFolder) -> list[NDArray[np.uint8]]:
    return [np.load(path, allow_pickle=False) for path in (folder.test_top, folder.test_top_masked)]


def results_of(folder: RunFolder, attempt: int = 1) -> dict[str, float]:
    end = read_journal(folder.journal(attempt)).lines[-1]
    assert end.kind == "end"
    return dict(end.fields["results"])


def test_lists_and_results_are_those_of_the_models_scores(folder: RunFolder) -> None:
    lists = lists_of(folder)
    assert [each.dtype for each in lists] == [np.uint8] * 2
    assert [each.shape for each in lists] == [(USERS, ITEMS)] * 2
    opened = open_trained(folder)
    own, test = opened.split.interactions, opened.split.test
    histories = torch.from_numpy(opened.split.histories("test", opened.spec.length)).long()
    with torch.inference_mode():
        table = scores(opened.model, histories).numpy()
    for row, (user, end) in enumerate(zip(test.users, test.ends, strict=True)):
        seen = set(own.items[own.offsets[user] : end].tolist()) - {int(own.items[end])}
        for given, hidden in zip(lists, (set(), seen), strict=True):
            listed = given[row][given[row] > 0]
            assert sorted(listed.tolist()) == sorted(set(range(1, ITEMS + 1)) - hidden)
            assert (np.diff(table[row, listed]) <= ROUNDING).all()

    found, popularity = results_of(folder), popularity_of(opened.split)
    assert found.keys() == RESULT_OF.keys()
    for given, masked in zip(lists, (False, True), strict=True):
        expected = list_results(given, popularity, masked=masked)
        assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("written", [1, 3])
def test_results_are_repeated_by_an_attempt_after_a_crash_before_the_end(
    folder: RunFolder, start: Callable, written: int
) -> None:
    """A crash after some of the files were written, and before the journal's last line."""
    paths = [folder.test_ranks, folder.test_top, folder.test_top_masked]
    whole, found = [path.read_bytes() for path in paths], results_of(folder)
    *before, _ = folder.journal(1).read_bytes().splitlines(keepends=True)
    folder.journal(1).write_bytes(b"".join(before))
    for path in [*paths[written:], folder.best_model]:
        path.unlink()
    assert finished(start(folder, attempt=2)), folder.log.read_text()
    lines = read_journal(folder.journal(2)).lines
    (start,) = (line for line in lines if line.kind == "start")  # a heartbeat may come first
    assert start.fields["resumed_epoch"] == 3
    assert [path.read_bytes() for path in paths] == whole
    assert results_of(folder, 2) == found
