"""A run's folder: ids can't leave it, and listings take only what belongs to it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import RunError
from engine.runfolder import RunFolder, run_folder


@pytest.mark.parametrize("run_id", ["a", "sasrec-ml-100k-50-42-ab12", "0", "a" * 120, "a.b_c-d"])
def test_an_id_names_a_folder_among_the_runs(run_id: str) -> None:
    folder = run_folder(Path("/runs"), run_id)
    assert folder.path == Path("/runs") / run_id
    assert folder.run_id == run_id


@pytest.mark.parametrize(
    "run_id",
    [
        "",
        ".",
        "..",
        "a..b",
        "../x",
        "a/b",
        "/etc",
        "-x",
        ".hidden",
        "A",
        "a b",
        "a\n",
        "é",
        "a" * 121,
    ],
)
def test_an_id_that_could_do_harm_is_refused(run_id: str) -> None:
    with pytest.raises(RunError, match=r"isn't a run's id: .* `seqbench db rebuild`"):
        run_folder(Path("/runs"), run_id)


@given(st.text(max_size=20))
def test_whatever_is_taken_stays_directly_under_the_runs(run_id: str) -> None:
    try:
        folder = run_folder(Path("/runs"), run_id)
    except RunError:
        return
    assert folder.path.resolve().parent == Path("/runs")


def test_every_path_is_in_the_folder_and_has_its_own_name() -> None:
    folder = RunFolder(Path("/runs/r"))
    paths = [
        folder.spec,
        folder.meta,
        folder.log,
        folder.cancel,
        folder.reserve,
        folder.lock,
        folder.best_model,
        folder.test_ranks,
        folder.test_top,
        folder.test_top_masked,
        folder.journal(1),
        folder.journal(2),
        folder.checkpoint(1),
        folder.checkpoint(2),
        folder.checkpoint_before(2),
    ]
    assert len(set(paths)) == len(paths)
    assert {path.parent for path in paths} == {folder.path}


def test_listings_are_in_order_of_attempts_and_pass_over_the_rest(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for attempt in (10, 2, 0, 1):
        folder.journal(attempt).touch()
        folder.checkpoint(attempt).touch()
    folder.checkpoint_before(2).touch()
    strangers = (
        "journal-1.jsonl.bak",
        "journal-.jsonl",
        "journal-x.jsonl",
        "journal-01.jsonl",
        "journal-٣.jsonl",
        f"journal-{'9' * 200}.jsonl",
        ".checkpoint-1.pt.abc.tmp",
        ".meta.json.abc.tmp",
        "checkpoint--1.pt",
        "log.txt",
    )
    for name in strangers:
        (tmp_path / name).touch()
    assert folder.journals() == [(n, folder.journal(n)) for n in (0, 1, 2, 10)]
    assert folder.checkpoints() == [
        (0, folder.checkpoint(0)),
        (1, folder.checkpoint(1)),
        (2, folder.checkpoint_before(2)),
        (2, folder.checkpoint(2)),
        (10, folder.checkpoint(10)),
    ]
    # That of `meta.json` is the supervisor's, which may be writing it.
    assert folder.half_written() == [tmp_path / ".checkpoint-1.pt.abc.tmp"]


def test_a_folder_that_is_gone_has_nothing(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "gone")
    assert folder.journals() == []
    folder.path.mkdir()
    folder.journal(1).touch()
    shutil.rmtree(folder.path)
    assert folder.checkpoints() == []
    folder.path.write_text("a file in its place")
    assert folder.journals() == []
