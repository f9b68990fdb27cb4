"""A stamp of configuration holds while nothing that it depends on has changed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tui.shell import stamps
from tui.shell.stamps import is_current, take_stamp

LONG_AGO = 1_600_000_000


@pytest.fixture
def layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "layer"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "a.yaml").write_text("name: a\n")
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (LONG_AGO, LONG_AGO))
    return folder


def kept(layer: Path) -> object:
    """A stamp as it comes back from a file."""
    return json.loads(json.dumps(take_stamp([layer], layer)))


def test_it_holds_while_nothing_changes(layer: Path) -> None:
    stamp = kept(layer)
    assert is_current(stamp, layer)
    assert is_current(stamp, layer)


@pytest.mark.parametrize(
    "change",
    [
        lambda layer: (layer / "models" / "a.yaml").write_text("name: b\n"),
        lambda layer: os.utime(layer / "models" / "a.yaml", (LONG_AGO, LONG_AGO + 1)),
        lambda layer: (layer / "models" / "a.yaml").unlink(),
        lambda layer: (layer / "models" / "b.yaml").touch(),
        lambda layer: (layer / "suites").mkdir(),
        lambda layer: (layer / "models").rename(layer / "gone"),
        lambda layer: (layer.parent / "configs").mkdir(),
        lambda layer: os.environ.__setitem__("SEQBENCH_CONFIG", "elsewhere"),
        lambda layer: os.chdir(layer),
    ],
)
def test_it_holds_no_more_after_a_change(
    layer: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]
) -> None:
    monkeypatch.setenv("SEQBENCH_CONFIG", "")
    stamp = kept(layer)
    change(layer)
    assert not is_current(stamp, layer)


def test_it_is_of_one_folder_and_one_version(layer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stamp = kept(layer)
    assert not is_current(stamp, None)
    monkeypatch.setattr(stamps, "__version__", "another")
    assert not is_current(stamp, layer)


def test_what_has_only_just_changed_has_none(layer: Path) -> None:
    (layer / "models" / "a.yaml").write_text("name: b\n")
    assert take_stamp([layer], None) is None


def test_a_folder_of_very_many_files_has_none(layer: Path) -> None:
    for number in range(stamps.MOST_PATHS):
        (layer / str(number)).touch()
    for path in (*layer.rglob("*"), layer):
        os.utime(path, (LONG_AGO, LONG_AGO))
    assert take_stamp([layer], None) is None


@pytest.mark.parametrize("stamp", [None, [], {}, {"of": 1}, {"files": {}}])
def test_what_is_no_stamp_does_not_hold(stamp: object) -> None:
    assert not is_current(stamp, None)
