"""Saved views: files of the user's configuration, and what is said of bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.analysis.columns import DEFAULT
from engine.analysis.views import find_view, load_views, save_view, saved_view, view_yaml
from engine.config import EntryExistsError
from engine.errors import ConfigError, UsageError


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEQBENCH_CONFIG", raising=False)


def test_a_view_is_saved_and_found_again() -> None:
    view = saved_view(
        {
            "name": "paper",
            "filter": "tag:paper ndcg>0.05",
            "sort": "EpochTime:asc",
            "columns": ("NDCG@10/test", "EpochTime"),
            "by_cell": True,
            "imported": True,
            "aggregate": "max",
            "baseline": "sasrec-ml-100k-l50-s42-abcde",
        }
    )
    assert save_view(view) == Path("configs/views/paper.yaml").absolute()
    assert find_view("paper") == view
    with pytest.raises(EntryExistsError, match="there is a view 'paper' already"):
        save_view(view)
    plain = saved_view({"name": "paper"})
    save_view(plain, replace=True)
    assert find_view("paper").columns == DEFAULT, "columns are kept, whatever the default becomes"
    assert "columns:" in view_yaml(plain)
    assert "baseline" not in view_yaml(plain)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: bad\nfilter: ndgc>1", "bad.yaml:2: filter: .*no field 'ndgc': did you mean 'ndcg'"),
        ("name: bad\nsort: ndgc@10/test", "bad.yaml:2: sort: .*did you mean 'NDCG@10/test'"),
        ("name: bad\ncolumns: [qualty]", "bad.yaml:2: columns: .*did you mean 'quality'"),
        ("name: bad\naggregate: beste", "bad.yaml:2: aggregate: "),
        ("name: bad\nby_cel: true", "bad.yaml:2: by_cel.*did you mean 'by_cell'"),
        ("filter: x", "bad.yaml.*every entry needs a name, as text"),
    ],
)
def test_a_bad_file_gives_one_sentence(text: str, says: str) -> None:
    folder = Path("configs/views")
    folder.mkdir(parents=True)
    (folder / "bad.yaml").write_text(text)
    with pytest.raises(ConfigError, match=says) as error:
        load_views()
    assert "\n" not in str(error.value)


def test_names_that_cannot_be_are_told() -> None:
    with pytest.raises(UsageError, match="a view's name is small letters"):
        saved_view({"name": "Not this"})
    save_view(saved_view({"name": "paper"}))
    with pytest.raises(UsageError, match="there is no view 'papr': did you mean 'paper'"):
        find_view("papr")
