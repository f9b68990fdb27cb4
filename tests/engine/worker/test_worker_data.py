"""A checkpoint is gone on from with the data that it was trained on, and with no other."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_worker import ENDLESS, OFTEN, exit_status, kill_halted, lines, small_spec

from engine.analysis.pairs.significance import per_user
from engine.datasets.load import load_interactions
from engine.datasets.splitting.splits import data_checksum, split_data
from engine.datasets.splitting.statistics import split_counts
from engine.errors import DataError
from engine.runfolder import RunFolder
from engine.spec import RunSpec
from engine.specfile import load_spec, save_spec
from engine.training.checkpoint import Best, Checkpoint, load_checkpoint, save_checkpoint
from engine.worker.resume import resumption

Row = tuple[int, int, int]
"""User, item, time."""

ROWS: list[Row] = [(1 + n % 7, 10 + (n * n) % 13, 5 * n) for n in range(60)]
TEMPORAL = {"kind": "temporal", "valid_from": 150, "test_from": 225}


def source(folder: Path, rows: list[Row], **other: Any) -> dict[str, Any]:
    """An entry of a file with times, without a known MD5."""
    return {
        "name": "mine", "title": "Mine", "size": "small", "reader": "table",
        "columns": {"user": "user", "item": "item", "time": "at"},
        "users": len({user for user, _, _ in rows}), "items": len({item for _, item, _ in rows}),
        "interactions": len(rows), "folder": "mine", "local": str(folder),
        "files": {"r.csv.gz": None},
    } | other  # fmt: skip


def write(folder: Path, rows: list[Row], end: str = "\n", level: int = 9) -> None:
    text = end.join(["user,item,at", *(",".join(map(str, row)) for row in rows), ""])
    (folder / "r.csv.gz").write_bytes(gzip.compress(text.encode(), level, mtime=level))


def said(rows: list[Row], split: dict[str, Any] | None) -> list[Any]:
    """What a run sees of rows: every history, and what is held out of it. Worked out apart."""
    items = {item: n for n, item in enumerate(sorted({item for _, item, _ in rows}))}
    histories: dict[int, list[Row]] = {user: [] for user, _, _ in rows}
    for row in rows:
        histories[row[0]].append(row)
    found: list[Any] = []
    for history in histories.values():
        history.sort(key=lambda row: row[2])
        found.append([items[item] for _, item, _ in history])
        if split is not None:
            periods = [
                sum(row[2] < moment for row in history) for moment in (TEMPORAL["valid_from"],
                TEMPORAL["test_from"])
            ]  # fmt: skip
            ranked = (
                range(max(1, periods[0]), periods[1]),
                range(max(1, periods[1]), len(history)),
            )
            found.append((periods[0], *map(list, ranked)))
    return found


def checkpoint_of(spec: RunSpec, checksum: str | None) -> Checkpoint:
    weights = {"w": torch.zeros(1)}
    best = Best(1, 0.1, {}, weights)
    return Checkpoint(spec.fingerprint(), 4, 8, weights, None, {}, best, checksum)


def changed(rows: list[Row], change: tuple[str, int, int]) -> list[Row]:
    kind, a, b = change
    a, b = a % len(rows), b % len(rows)
    user, item, at = rows[a]
    match kind:
        case "swap":
            rows[a], rows[b] = rows[b], rows[a]
        case "item":
            rows[a] = (user, rows[b][1], at)
        case "user":
            rows[a] = (rows[b][0], item, at)
        case "time":
            rows[a] = (user, item, rows[b][2] + 1)
        case "drop":
            del rows[a]
        case "again":
            rows.insert(b, rows[a])
    return rows


CHANGES = st.tuples(
    st.sampled_from(["swap", "item", "user", "time", "drop", "again"]),
    st.integers(0, 999),
    st.integers(0, 999),
)


@given(
    changes=st.lists(CHANGES, max_size=3),
    end=st.sampled_from(["\n", "\r\n"]),
    level=st.sampled_from([1, 9]),
    split=st.sampled_from([None, TEMPORAL]),
    kept=st.booleans(),
)
def test_it_goes_on_if_and_only_if_the_interactions_are_equal(
    changes: list[tuple[str, int, int]],
    end: str,
    level: int,
    split: dict[str, Any] | None,
    kept: bool,
) -> None:
    rows = list(ROWS)
    with tempfile.TemporaryDirectory() as name:
        data, folder = Path(name) / "data", RunFolder(Path(name) / "run")
        data.mkdir()
        folder.path.mkdir()
        write(data, rows)
        spec = small_spec(source=source(data, rows, **({"split": split} if split else {})))
        checksum = data_checksum(load_interactions(spec.source), spec.source)
        # A version before this one kept it in the journal only, and that of the interactions.
        early = load_interactions(spec.source).checksum
        begin = {"seq": 0, "t": 1.0, "kind": "start", "checksum": early}
        folder.journal(1).write_text(json.dumps(begin) + "\n")
        made = checkpoint_of(spec, checksum if kept else None)
        save_checkpoint(folder.checkpoint(1), made)
        for change in changes:
            rows = changed(rows, change)
        write(data, rows, end, level)
        alike = said(rows, split if kept else None) == said(list(ROWS), split if kept else None)
        interactions = load_interactions(spec.source)
        if alike:
            found = resumption(folder, spec, interactions)
            assert found.checksum == (checksum if kept else early)
            assert found.checkpoint is not None
        else:
            words = (
                r"r\.csv\.gz holds other data than the checkpoint of epoch 4 was trained on .*: "
            )
            with pytest.raises(DataError, match=f"{words}put the old file back, or start a new"):
                resumption(folder, spec, interactions)


@pytest.fixture
def mine(tmp_path: Path) -> RunFolder:
    """A run on a file of one's own whose MD5 isn't known."""
    data = tmp_path / "data"
    data.mkdir()
    write(data, ROWS)
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    spec = small_spec(source=source(data, ROWS), **ENDLESS)
    save_spec(folder, spec, created=1.0)
    return folder


Start = Callable[..., Any]


def test_a_worker_refuses_other_data_and_goes_on_with_the_old_ones(
    mine: RunFolder, start: Start, tmp_path: Path
) -> None:
    kill_halted(start(mine, halt=("checkpoint", 2), constants=OFTEN))
    trained = lines(mine, "start")[0].fields["checksum"]
    assert load_checkpoint(mine.checkpoint(1), load_spec(mine).fingerprint()).checksum == trained
    old = (tmp_path / "data" / "r.csv.gz").read_bytes()
    write(tmp_path / "data", [*ROWS[:-1], (*ROWS[-1][:2], 1)])

    assert exit_status(start(mine, attempt=2)) == 1
    assert not lines(mine, "start", 2), "it isn't told to have trained on these"
    end = lines(mine, "end", 2)[0].fields
    assert (end["status"], end["cause"]) == ("failed", "data")
    assert "r.csv.gz holds other data than the checkpoint of epoch 2" in end["message"]
    assert f"not {trained[:12]}" in end["message"]
    assert "Traceback" not in mine.log.read_text()

    (tmp_path / "data" / "r.csv.gz").write_bytes(old)
    kill_halted(start(mine, attempt=3, halt=("epoch", 1)))
    begun = lines(mine, "start", 3)[0].fields
    assert (begun["resumed_epoch"], begun["checksum"]) == (2, trained)


def test_several_targets_a_user_are_ranked_recorded_and_gone_on_with(
    mine: RunFolder, start: Start, tmp_path: Path
) -> None:
    spec = small_spec(source=source(tmp_path / "data", ROWS, split=TEMPORAL), epochs=3)
    mine.spec.unlink()
    save_spec(mine, spec, created=1.0)
    kill_halted(start(mine, halt=("checkpoint", 2), constants=OFTEN))
    assert exit_status(start(mine, attempt=2)) == 0
    split = split_data(load_interactions(spec.source), spec.source)
    ranks, users = (
        np.load(file, allow_pickle=False) for file in (mine.test_ranks, mine.test_users)
    )
    assert (ranks.shape, users.dtype) == ((2, 15), np.int32)
    assert users.tolist() == split.users("test").tolist()
    facts = lines(mine, "start", 2)[0].fields
    counted = ("test_users", "test_targets", "test_cold_users", "test_without_history")
    assert [facts[name] for name in counted] == [7, 15, 0, 0]
    assert facts["test_ceiling"] == split_counts(split).test_ceiling
    epochs = [*lines(mine, "epoch"), *lines(mine, "epoch", 2)]
    best = next(each for each in epochs if each.fields["epoch"] == facts_of_end(mine)["best_epoch"])
    for name in ("hit", "mrr", "ndcg"):
        found = per_user(ranks[0], name, users).mean()
        assert best.fields[f"test_{name}"] == pytest.approx(found)


def facts_of_end(folder: RunFolder) -> dict[str, Any]:
    return dict(lines(folder, "end", 2)[0].fields)


def test_without_a_checkpoint_it_trains_on_what_is_here_and_says_so(
    mine: RunFolder, start: Start, tmp_path: Path
) -> None:
    kill_halted(start(mine, halt=("epoch", 1)))
    write(tmp_path / "data", [*ROWS[:-1], (*ROWS[-1][:2], 1)])
    kill_halted(start(mine, attempt=2, halt=("epoch", 1)))
    first, second = (lines(mine, "start", attempt)[0].fields for attempt in (1, 2))
    assert first["checksum"] != second["checksum"]
    assert second["resumed_epoch"] == 0
    (warning,) = lines(mine, "warning", 2)
    assert warning.fields["message"].startswith("The data have changed since the last attempt")


def test_a_checkpoint_that_nothing_tells_the_data_of_is_taken(mine: RunFolder) -> None:
    spec = load_spec(mine)
    save_checkpoint(mine.checkpoint(1), checkpoint_of(spec, None))
    found = resumption(mine, spec, load_interactions(spec.source))
    assert found.problems == ("checkpoint-1.pt doesn't tell its data: they are taken to be these.",)
    assert found.checkpoint is not None
    assert found.checkpoint.checksum == found.checksum


def test_what_is_generated_otherwise_is_other_data(tmp_path: Path) -> None:
    folder, spec = RunFolder(tmp_path / "run"), small_spec()
    folder.path.mkdir()
    save_checkpoint(folder.checkpoint(1), checkpoint_of(spec, "0" * 64))
    with pytest.raises(DataError, match=r"generated here holds other data .*: start a new run\."):
        resumption(folder, spec, load_interactions(spec.source))


def test_a_run_on_another_copy_says_so_of_itself(
    mine: RunFolder, start: Start, tmp_path: Path
) -> None:
    spec = load_spec(mine)
    archive = {"url": "https://example.org/x.zip", "bytes": 9}
    changed_source = source(tmp_path / "data", ROWS, archive=archive, files={"r.csv.gz": "0" * 32})
    other = RunSpec.model_validate(spec.model_dump() | {"source": changed_source})
    mine.spec.unlink()
    save_spec(mine, other, created=1.0)
    kill_halted(start(mine, halt=("epoch", 1)))
    assert lines(mine, "start")[0].fields["confirmed"] is False
    assert "is not the published file" in lines(mine, "warning")[0].fields["message"]


def test_a_file_that_is_not_the_imported_one_is_not_trained_on(
    mine: RunFolder, start: Start, tmp_path: Path
) -> None:
    spec = load_spec(mine)
    known = source(
        tmp_path / "data", ROWS, files={"r.csv.gz": "0" * 32}, interactions_sha256="0" * 64
    )
    mine.spec.unlink()
    save_spec(mine, RunSpec.model_validate(spec.model_dump() | {"source": known}), created=1.0)
    assert exit_status(start(mine)) == 1
    end = lines(mine, "end")[0].fields
    assert (end["status"], end["cause"]) == ("failed", "data")
    assert "has changed since mine was imported" in end["message"]
