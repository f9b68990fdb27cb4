from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.config import load_catalogue
from engine.datasets.load import verify
from engine.datasets.locate import Located, cache_folder, is_ready, locate
from engine.spec import Dataset

MakeDataset = Callable[..., Dataset]
FIVE = b"9\t70\t3\t20\n4\t8\t3\t50\n9\t5\t3\t10\n4\t70\t3\t50\n9\t8\t3\t20\n"


def put(folder: Path, content: bytes = FIVE) -> Path:
    folder.mkdir(parents=True)
    (folder / "u.data").write_bytes(content)
    return folder


def test_the_users_folder_goes_before_the_cache(
    tmp_path: Path, cache: Path, make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset()
    assert locate(dataset) is None
    assert not is_ready(dataset)

    cached = put(cache / "tiny-folder")
    assert locate(dataset) == Located(cached, "cache")
    own = put(tmp_path / "data" / "tiny-folder")
    monkeypatch.setenv("SEQBENCH_DATA", str(tmp_path / "data"))
    assert locate(dataset) == Located(own, "SEQBENCH_DATA")
    monkeypatch.setenv("SEQBENCH_DATA", str(own))
    assert locate(dataset) == Located(own, "SEQBENCH_DATA")
    assert is_ready(dataset)
    (own / "u.data").unlink()
    assert locate(dataset) == Located(cached, "cache")


def test_a_configured_folder_goes_between(
    tmp_path: Path, cache: Path, make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(local=str(tmp_path / "elsewhere"))
    put(cache / "tiny-folder")
    assert locate(dataset) == Located(cache / "tiny-folder", "cache")
    mine = put(tmp_path / "elsewhere")
    assert locate(dataset) == Located(mine, "configuration")
    monkeypatch.setenv("SEQBENCH_DATA", str(tmp_path / "data"))
    own = put(tmp_path / "data" / "tiny-folder")
    assert locate(dataset) == Located(own, "SEQBENCH_DATA")


def test_another_data_sets_folder_is_not_taken_for_this_one(
    tmp_path: Path, make_dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQBENCH_DATA", str(put(tmp_path / "ml-1m")))
    assert locate(make_dataset()) is None


def test_verify_says_what_is_wrong(cache: Path, make_dataset: MakeDataset) -> None:
    published = hashlib.md5(FIVE).hexdigest()
    dataset = make_dataset(files={"u.data": published})
    assert "is not on this machine" in verify(dataset)[0]
    folder = put(cache / "tiny-folder")
    assert verify(dataset) == []
    (folder / "u.data").write_bytes(FIVE[:-1] + b"1\n")
    assert f"not {published}" in verify(dataset)[0]

    unpublished = make_dataset()
    (folder / "u.data").write_bytes(FIVE + b"9\t8\t3\n")
    assert "line 6" in verify(unpublished)[0]
    (folder / "u.data").write_bytes(FIVE + b"9\t8\t3\t1\n")
    assert verify(unpublished) == ["Tiny holds 6 interactions (not 5) here."]


def test_a_folder_in_place_of_the_file_is_not_the_data_set(
    cache: Path, make_dataset: MakeDataset
) -> None:
    (cache / "tiny-folder" / "u.data").mkdir(parents=True)
    assert locate(make_dataset()) is None


def test_the_built_in_synthetic_set_is_ready_and_sound() -> None:
    synthetic = load_catalogue().dataset("synthetic")
    assert is_ready(synthetic)
    assert verify(synthetic) == []


def test_the_cache_is_the_users_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEQBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/seqbench/data")


def test_finding_data_imports_nothing_heavy() -> None:
    script = (
        "import sys, engine.datasets, engine.datasets.locate\n"
        "heavy = {'numpy', 'pandas', 'torch', 'httpx', 'sqlite_utils'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
