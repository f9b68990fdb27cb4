"""``seqbench continue``, and the mark and the command where results are shown."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from measured_runs import MeasuredStore

from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.queries import get_run, run_spec

Run = Callable[..., Any]
MARK = "still-improving"


@pytest.fixture
def store(held: StoreLocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MeasuredStore:
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    return MeasuredStore(tmp_path)


def state(store: MeasuredStore, run: str) -> Any:
    with closing(connect_reader(store.location)) as con:
        found = get_run(con, run)
    assert found is not None
    return found


def test_it_is_said_wherever_the_run_is_shown(
    store: MeasuredStore, cli: Run, cli_json: Run
) -> None:
    run = store.add("xlstm", epochs=6, improving=True)
    command = f"seqbench continue {run} --epochs 12"
    shown = cli("show", run).stdout
    assert (
        f"marked           {MARK}: its best epoch is the last one that its epoch limit "
        f"allowed" in shown
    )
    assert f"what to try      {command}" in shown
    assert cli_json("show", run, "--json")["further"] == command
    assert f"marked {MARK}" in cli("compare").stderr
    (row,) = cli_json("compare", "--filter", f"marks:{MARK}", "--format", "json")
    assert row["marks"] == MARK
    assert MARK in cli("compare", "--format", "csv").stdout
    assert f"! {MARK}" in cli("compare", "--pivot", "--reference").stdout
    other = store.add("sasrec", epochs=6)
    assert cli_json("show", other, "--json")["further"] is None
    assert "what to try" not in cli("show", other).stdout


def test_the_whole_cell_is_trained_further(store: MeasuredStore, cli: Run, cli_json: Run) -> None:
    runs = [store.add("xlstm", epochs=6, seed=seed, improving=True) for seed in (1, 2)]
    store.add("xlstm", epochs=8, seed=3, improving=True)
    command = f"seqbench continue {' '.join(runs)} --epochs 12"
    for run in runs:
        assert f"what to try      {command}\n" in cli("show", run).stdout
    store.set(store.add("xlstm", epochs=6, seed=4, improving=True), marks=None)  # stopped early
    for run in runs:
        further = cli_json("show", run, "--json")["further"]
        assert further.startswith("seqbench run --model xlstm --dataset ")
        assert " --seed 1,2,4 " in further
        assert further.endswith(" --set epochs=12")


def test_runs_go_on_as_new_ones_with_a_higher_limit(store: MeasuredStore, cli: Run) -> None:
    runs = [store.add("xlstm", epochs=6, seed=seed, improving=True) for seed in (1, 2)]
    store.set(runs[0], note="mine", tags='["paper"]')
    result = cli("continue", *runs, "--epochs", "9")
    assert result.exit_code == 0, result.output
    assert "2 queued, up to epoch 9" in result.stderr
    for old, new in zip(runs, result.stdout.split(), strict=True):
        found = state(store, new)
        assert (found.state, found.epoch, found.epochs, found.attempt) == ("queued", 6, 9, 2)
        assert (found.note, found.marks) == ("", None)
        assert state(store, old).state == "done"
        folder = store.location.folder(new)
        assert folder.checkpoint(1).exists()
        assert folder.journal(1).read_bytes() == store.location.folder(old).journal(1).read_bytes()
        with closing(connect_reader(store.location)) as con:
            spec = run_spec(con, new)
        assert (spec.continues, spec.training.epochs) == (old, 9)
        assert spec.fingerprint() == found.fingerprint
        assert f"continues        {old}" in cli("show", new).stdout
    # A launch of the same settings finds it.
    started = cli("run", "--model", "xlstm", "--dataset", "ml-100k", "--seed", "1,2",
                  "--set", "epochs=9", "--dry-run")  # fmt: skip
    assert "queue" not in started.stdout
    assert cli("continue", runs[0], "--epochs", "9").exit_code == 2


def refused(cli: Run, *words: str) -> str:
    result = cli("continue", *words)
    assert result.exit_code in (1, 2)
    assert result.stdout == ""
    return str(result.stderr)


def test_what_cannot_go_on_is_refused_in_a_sentence(store: MeasuredStore, cli: Run) -> None:
    good = store.add("xlstm", epochs=6, improving=True)
    early = store.add("sasrec", epochs=6)
    store.set(early, best_epoch=3)
    failed = store.add("sasrec", seed=2, epochs=0, end="failed")
    queued = store.add("sasrec", seed=3, epochs=0)
    spent = store.add("sasrec", seed=4, epochs=6, improving=True, patience=2)
    store.set(spent, best_epoch=4)
    falling = store.add("sasrec", seed=5, epochs=6, improving=True, lr_decay="cosine")
    bare = store.add("sasrec", seed=6, epochs=6, improving=True)
    store.location.folder(bare).checkpoint(1).unlink()
    again = store.add("xlstm", epochs=6, improving=True)
    for run, sentence in (
        (early, "stopped early at epoch 6, after 3 epochs without improvement"),
        (failed, "is failed: only a run that is done can be trained"),
        (queued, "is queued: only a run that is done can be trained"),
        (spent, "stopped early at epoch 6, after 2 epochs without improvement"),
        (
            falling,
            "decays over all of its epochs: train again with the higher limit, `seqbench run",
        ),
        (
            bare,
            "has no checkpoint to resume from: train again with the higher limit, `seqbench run",
        ),
        ("nonsense", "There is no run 'nonsense'"),
    ):
        assert sentence in refused(cli, good, run, "--epochs", "9"), run
    assert "already trained to epoch 6: give a higher limit" in refused(cli, good, "--epochs", "6")
    assert "less than or equal to 100000" in refused(cli, good, "--epochs", "100001")
    assert "are the same run twice" in refused(cli, good, again, "--epochs", "9")
    store.set(early, origin="imported-csv")
    assert "was imported" in refused(cli, early, "--epochs", "9")
    assert "--epochs" in refused(cli, good)
    assert cli("continue", good, "--epochs", "9").exit_code == 0
    assert "with 9 epochs exists already: xlstm-" in refused(cli, again, "--epochs", "9")
    # Nothing was queued but what was said.
    with closing(connect_reader(store.location)) as con:
        (count,) = con.rows("SELECT count(*) FROM runs WHERE state = 'queued'")[0]
    assert count == 2
