"""``seqbench refit``, and the setting ``refit`` of an order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from measured_runs import MeasuredStore
from user_lab import SMALL, Lab

from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.queries import run_spec

Run = Callable[..., Any]


@pytest.fixture
def store(held: StoreLocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MeasuredStore:
    monkeypatch.delenv("SEQBENCH_DATA", raising=False)
    return MeasuredStore(tmp_path)


def test_runs_are_refitted_by_name_or_by_filter(
    store: MeasuredStore, cli: Run, cli_json: Run
) -> None:
    runs = [store.add("sasrec", seed=seed) for seed in (1, 2)]
    other = store.add("xlstm")
    result = cli("refit", runs[0])
    assert result.exit_code == 0, result.output
    (refit,) = result.stdout.split()
    with closing(connect_reader(store.location)) as con:
        spec, first = run_spec(con, refit), run_spec(con, runs[0])
    assert (spec.refits, spec.training.refit, spec.first) == (runs[0], True, first)
    assert f"refits           {runs[0]}" in cli("show", refit).stdout
    (listed,) = [row for row in cli_json("ls", "--json") if row["id"] == refit]
    assert (listed["refits"], listed["state"]) == (runs[0], "queued")

    more = cli("refit", "--filter", "model:sasrec")
    assert "1 queued" in more.stderr
    (second,) = more.stdout.split()
    with closing(connect_reader(store.location)) as con:
        assert run_spec(con, second).refits == runs[1]
    assert "0 queued" in cli("refit", "--filter", "model:sasrec").stderr
    for words, why in (
        ((runs[0],), f"The refit of {runs[0]} exists already: {refit}."),
        ((refit,), f"{refit} is a refit already, of {runs[0]}."),
        ((), "Name runs, or choose them by --filter."),
        ((other, "--filter", "model:xlstm"), "Name runs, or choose them by --filter."),
    ):
        refused = cli("refit", *words)
        assert (refused.exit_code, why in refused.stderr) == (2, True), refused.output


def test_an_order_with_the_setting_queues_what_is_missing(
    store: MeasuredStore, cli: Run, cli_json: Run
) -> None:
    axes = ("run", "--model", "sasrec", "--dataset", "synthetic", "--seed", "1,2")
    first = store.add("sasrec", dataset="synthetic", seed=1)
    order = (*axes, "--set", "refit=true", "--json")
    plan = cli_json(*order, "--dry-run")
    assert [(run["seed"], run["refit"], run["present"]) for run in plan] == [
        *((1, False, first), (2, False, None)),
        *((1, True, None), (2, True, None)),
    ]
    queued = cli_json(*order)["queued"]
    with closing(connect_reader(store.location)) as con:
        specs = [run_spec(con, run) for run in queued]
    assert [spec.refits for spec in specs] == ["", first, queued[0]]
    assert cli_json(*order) == {"queued": [], "present": [first, *queued]}


@pytest.mark.timeout(600)
def test_refits_and_continued_runs_are_waited_for(tmp_path: Path) -> None:
    """The whole way, with a real supervisor and real training on very little data."""
    lab = Lab(tmp_path)
    try:
        order = ("run", "--model", "sasrec", "--dataset", "tiny", "--length", "8", *SMALL)
        (first,) = lab.run(*order, "--set", "epochs=2", "--wait").split()
        refit = lab.done("refit", first, "--wait")
        assert f"{refit.stdout.strip()}  done: test NDCG@10" in refit.stderr
        assert "valid" not in refit.stderr
        for told in lab.run("compare").splitlines():
            assert (" refit " in told) == (refit.stdout.strip() in told)
        further = lab.done("continue", first, "--epochs", "3", "--wait")
        assert f"{further.stdout.strip()}  done: test NDCG@10" in further.stderr
    finally:
        lab.end()
