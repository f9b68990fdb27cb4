from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.datasets.interactions import make_interactions
from engine.datasets.locate import cache_folder
from engine.judge import kept
from engine.judge.judgement import Judgement
from engine.judge.kept import judgement_key, keep, read_kept
from engine.spec import Dataset, SplitRule

DATASET = Dataset.model_validate(
    {
        "name": "one", "title": "One", "size": "small", "reader": "pairs", "users": 9, "items": 5,
        "interactions": 45, "folder": "one", "files": {"one.txt": None},
    }
)  # fmt: skip
OFFSETS = np.arange(0, 46, 5, dtype=np.int64)
ITEMS = np.tile(np.arange(1, 6, dtype=np.int32), 9)
OWN = make_interactions(ITEMS, OFFSETS, 5, np.tile(np.arange(5), 9) * 1_000_000)


def test_other_data_other_splits_and_other_lengths_are_judged_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    later = DATASET.model_copy(
        update={"split": SplitRule(kind="temporal", valid_share=0.2, test_share=0.2)}
    )
    swapped = make_interactions(ITEMS[::-1].copy(), OFFSETS, 5, OWN.times)
    keys = [
        judgement_key(OWN, DATASET, 50),
        judgement_key(OWN, DATASET, 75),
        judgement_key(OWN, later, 50),
        judgement_key(swapped, DATASET, 50),
    ]
    monkeypatch.setattr(kept, "VERSION", kept.VERSION + 1)
    keys.append(judgement_key(OWN, DATASET, 50))
    assert len(set(keys)) == 5


def test_a_name_and_a_folder_change_nothing() -> None:
    other = DATASET.model_copy(update={"name": "two", "title": "Two", "local": "/elsewhere"})
    assert judgement_key(OWN, other, 50) == judgement_key(OWN, DATASET, 50)


def test_it_is_kept_and_a_damaged_file_is_none() -> None:
    assert read_kept("one") is None
    keep("one", Judgement(50, users=1, targets=1, cold=0, tied=None))
    assert read_kept("one") == Judgement(50, users=1, targets=1, cold=0, tied=None)
    file = cache_folder() / "judged" / "one.json"
    file.write_text(file.read_text().replace("users", "people"))
    assert read_kept("one") is None
    file.write_text("{")
    assert read_kept("one") is None


def test_a_cache_that_cannot_be_written_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("SEQBENCH_CACHE", str(file))
    keep("one", Judgement(50, users=1, targets=1, cold=0, tied=None))
    assert read_kept("one") is None
