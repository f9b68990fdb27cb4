"""`seqbench run` queues what is missing and nothing that can only fail, and waits to the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.exceptions import Exit
from click.testing import Result
from live_runs import LiveStore
from terminals import DEADLINE

from engine.store.connect import connect_reader, connect_writer
from engine.store.database import write
from engine.store.location import StoreLocation
from engine.store.queries import list_runs, run_spec
from engine.store.transitions import delete_run
from engine.supervisor.start import supervisor_running
from tui.cli.runs.following import exit_with, follow, wait_for
from tui.cli.session import Session

Run = Callable[..., Result]
RunJson = Callable[..., Any]

TINY = """name: tiny
title: Tiny
size: small
reader: synthetic
users: 40
items: 30
interactions: 600
synthetic: {seed: 1, order: 1, min_length: 10, max_length: 20}
"""


def test_every_combination_is_queued_once_with_its_settings(
    held: StoreLocation, cli_json: RunJson
) -> None:
    arguments = ("--model", "sasrec,SAS4Rec", "--model", "xlstm", "--dataset", "synthetic")
    found = cli_json(
        "run", *arguments, "--length", "50,75", "--seed", "1,2", "--set", "lr=1e-4", "--json"
    )
    assert found["present"] == []
    with closing(connect_reader(held)) as connection:
        runs = list_runs(connection)
        assert [run.id for run in runs[::-1]] == found["queued"]
        assert len({(run.model, run.length, run.seed) for run in runs}) == len(runs) == 8
        assert {run_spec(connection, run.id).training.lr for run in runs} == {1e-4}


def test_what_is_there_is_not_queued_again_unless_asked(
    held: StoreLocation, cli: Run, cli_json: RunJson
) -> None:
    arguments = ("run", "--model", "sasrec", "--dataset", "synthetic")
    (first,) = cli_json(*arguments, "--json")["queued"]
    assert cli_json(*arguments, "--json") == {"queued": [], "present": [first]}
    again = cli(*arguments)
    assert again.stdout == ""
    assert "1 of 1 already there (--again queues those too)." in again.stderr
    (second,) = cli_json(*arguments, "--again", "--json")["queued"]
    assert second != first
    (third,) = cli_json(*arguments, "--seed", "7", "--json")["queued"]
    assert cli_json(*arguments, "--seed", "42,7", "--json")["present"] == [second, third]


def test_a_failed_run_counts_as_missing(
    held: StoreLocation, busy_store: LiveStore, cli_json: RunJson
) -> None:
    arguments = ("run", "--model", "bert4rec", "--dataset", "synthetic", "--length", "50,75")
    found = cli_json(*arguments, "--seed", "1", "--set", "epochs=60", "--json")
    assert (len(found["queued"]), len(found["present"])) == (1, 1)


def test_ids_go_to_stdout_and_the_rest_to_stderr(held: StoreLocation, cli: Run) -> None:
    result = cli("run", "--model", "sasrec", "--dataset", "synthetic", "--seed", "1,2")
    ids = result.stdout.splitlines()
    assert len(ids) == 2
    assert all(run_id.startswith("sasrec-synthetic-") for run_id in ids)
    assert "2 queued" in result.stderr


LONE = "With one seed, differences can't be judged. `--seed 42,43,44` makes it 3 "
FLOOR = (
    "No floor of synthetic yet: `seqbench run --model ease,item-knn,markov,popularity "
    "--dataset synthetic --length 50` fits one."
)


def test_one_seed_is_said_in_one_line_with_what_more_would_take(
    held: StoreLocation, cli: Run, cli_json: RunJson
) -> None:
    chosen = ("run", "--model", "sasrec,xlstm", "--dataset", "synthetic")
    assert cli(*chosen, "--dry-run").stderr.splitlines() == [f"{LONE}(4 more runs).", FLOOR]
    assert cli(*chosen, "--dry-run", "--json").stderr == ""
    assert "one seed" not in cli(*chosen, "--seed", "1,2", "--dry-run").stderr
    assert "one seed" not in cli(*chosen[:2], "xlstm", *chosen[3:], "--json").stderr
    said = cli(*chosen).stderr.splitlines()
    assert said[-2:] == [f"{LONE}(4 more runs).", FLOOR]
    assert "one seed" not in cli(*chosen).stderr  # nothing is queued
    assert "one seed" not in cli(*chosen, "--seed", "9").stderr
    assert cli(*chosen, "--length", "75", "--again").stderr.splitlines()[-2].startswith(LONE)


def test_a_floor_is_offered_until_there_is_one_and_fitted_once_for_all_seeds(
    held: StoreLocation, cli: Run, cli_json: RunJson
) -> None:
    network = ("run", "--model", "sasrec", "--dataset", "synthetic", "--seed", "1,2", "--dry-run")
    assert cli(*network).stderr.splitlines() == [FLOOR]
    fitted = ("run", "--model", "markov", "--dataset", "synthetic", "--seed", "1,2,3")
    planned = cli(*fitted, "--dry-run")
    assert planned.stdout.count("markov") == 1
    assert planned.stderr.splitlines() == [
        "markov is fitted, the same for every seed: one run for all."
    ]
    (run,) = cli_json(*fitted, "--json")["queued"]
    assert cli(*network).stderr == ""
    assert cli_json(*fitted[:-1], "7", "--json") == {"queued": [], "present": [run]}


def test_a_dry_run_says_what_it_would_do_and_makes_nothing(
    cli: Run, cli_json: RunJson, tmp_path: Path
) -> None:
    arguments = ("run", "--suite", "smoke", "--dry-run")
    plan = cli_json(*arguments, "--json")
    assert [(cell["model"], cell["dataset"], cell["present"]) for cell in plan] == [
        ("sasrec", "synthetic", None),
        ("bert4rec", "synthetic", None),
        ("xlstm", "synthetic", None),
    ]
    assert all(cell["parameters"] > 0 for cell in plan)
    assert cli(*arguments).stdout.count(" queue") == 3
    assert not list(tmp_path.glob("runs*"))


def test_a_suite_is_narrowed_and_changed_by_options(held: StoreLocation, cli_json: RunJson) -> None:
    arguments = ("--suite", "smoke", "--model", "xlstm", "--seed", "3,4", "--set", "lr=0.01")
    ids = cli_json("run", *arguments, "--json")["queued"]
    with closing(connect_reader(held)) as connection:
        runs = list_runs(connection)
        specs = [run_spec(connection, run_id) for run_id in ids]
    assert {(run.model, run.suite) for run in runs} == {("xlstm", None)}
    assert [spec.seed for spec in specs] == [3, 4]
    assert {(spec.training.epochs, spec.training.lr) for spec in specs} == {(5, 0.01)}


def test_a_suite_in_variants_is_queued_in_all_of_them(
    held: StoreLocation, cli_json: RunJson, tmp_path: Path
) -> None:
    folder = tmp_path / "mine" / "suites"
    folder.mkdir(parents=True)
    (folder / "v.yaml").write_text(
        "name: v\ntitle: V\nmodels: [sasrec]\ndatasets: [synthetic]\nlengths: [50]\nseeds: [1]\n"
        "variants: {whole: {}, slow: {lr: 0.0001}, small: {dim: 8}}\n"
    )
    mine = ("--config-dir", str(tmp_path / "mine"))
    chosen = ("--suite", "v", "--set", "training.lr=0.01")
    plan = cli_json(*mine, "run", *chosen, "--dry-run", "--json")
    # What is asked for by hand goes before a variant's own, so two of them are the same.
    assert [cell["profile"] for cell in plan] == ["reference/whole", "reference/small"]
    cli_json(*mine, "run", "--suite", "v", "--json")
    with closing(connect_reader(held)) as connection:
        runs = list_runs(connection)
    assert {run.profile for run in runs} == {f"reference/{v}" for v in ("whole", "slow", "small")}
    shown = cli_json(*mine, "suite", "show", "v", "--json")
    assert shown["variants"]["slow"] == {"lr": 0.0001}


def test_several_values_of_settings_multiply_the_runs(
    held: StoreLocation, cli: Run, cli_json: RunJson
) -> None:
    sweep = ("--set", "lr=0.01,0.001", "--set", "tied=true,false")
    chosen = ("--model", "sasrec", "--dataset", "synthetic", "--seed", "1,2", *sweep)
    told = cli("run", *chosen, "--dry-run")
    assert "1 cell × 2 values of lr × 2 values of tied × 2 seeds = 8 runs." in told.stderr
    heading, first, *rows = map(str.split, told.stdout.splitlines())
    assert heading[5:7] == ["lr", "tied"]
    assert (first[5:7], len(rows)) == (["0.01", "true"], 7)
    plan = cli_json("run", *chosen, "--dry-run", "--json")
    assert [run["swept"] for run in plan[::2]] == [
        {"lr": lr, "tied": tied} for lr in (0.01, 0.001) for tied in (True, False)
    ]
    assert len(cli_json("run", *chosen, "--json")["queued"]) == 8
    with closing(connect_reader(held)) as connection:
        specs = [run_spec(connection, run.id) for run in list_runs(connection)]
    found = {(one.training.lr, one.architecture.tied, one.seed) for one in specs}
    assert found == set(product((0.01, 0.001), (True, False), (1, 2)))
    cli("suite", "save", "mine", *chosen)
    shown = cli("suite", "show", "mine")
    assert "lr=0.01,0.001" in shown.stdout
    assert "8 runs." in shown.stderr
    assert len(cli_json("run", "--suite", "mine", "--json")["present"]) == 8


def test_data_that_is_not_here_is_said_with_size_and_command_before_anything_is_queued(
    no_data: None, cli: Run, tmp_path: Path
) -> None:
    result = cli("run", "--model", "sasrec", "--dataset", "synthetic,ml-1m,ml-100k")
    assert result.exit_code == 1
    assert result.stderr == (
        "seqbench: MovieLens 100K and MovieLens 1M are not on this machine: "
        "`seqbench data fetch ml-100k ml-1m` downloads 10.8 MB, or set SEQBENCH_DATA to the folder "
        "that has the data; nothing was queued.\n"
    )
    assert not list(tmp_path.glob("runs*"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--dataset", "synthetic"], "--model is needed (or --suite): choose from bert4rec,"),
        (["--model", "sasrec"], "--dataset is needed (or --suite): choose from ml-100k,"),
        (["--suite", "smok"], "There is no suite 'smok': did you mean 'smoke'?"),
        (["--suite", "smoke", "--model", "sasrek"], "did you mean 'sasrec'?"),
        (["--suite", "smoke", "--profile", "x"], "sasrec has no profile 'x'"),
        (["--suite", "smoke", "--model", "sasrec,"], "has an empty item"),
        (["--suite", "smoke", "--length", "50,x"], "from 2 to 65,536, not 'x'."),
        (["--suite", "smoke", "--length", "1"], "from 2 to 65,536, not '1'."),
        (["--suite", "smoke", "--seed", "-1"], "such as 42 or 1-5, not '-1'."),
        (["--suite", "smoke", "--seed", "1-2000"], "At most 1,000 seeds at a time."),
        (["--suite", "smoke", "--set", "epochs"], "KEY=VALUE, such as epochs=20, not 'epochs'."),
        (["--suite", "smoke", "--set", "epochs", "--set", "=3"], "not 'epochs'."),
        (["--suite", "smoke", "--set", "=3"], "KEY=VALUE, such as epochs=20, not '=3'."),
        (
            ["--suite", "smoke", "--set", "lr=1", "--set", "lr=2"],
            "'lr' is set twice: lr=1,2 would run both.",
        ),
        (["--suite", "smoke", "--set", "lr=1,x"], "lr: expected a number, not 'x'."),
        (["--suite", "smoke", "--set", "epoch=3"], "did you mean 'epochs'?"),
        (["--suite", "smoke", "--set", "epochs=x"], "epochs: expected a whole number, not 'x'."),
        (["--suite", "smoke", "--set", "heads=5"], "must be a multiple of heads (5)."),
    ],
)
def test_a_wrong_request_is_one_sentence_and_queues_nothing(
    cli: Run, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    result = cli("run", *arguments)
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert (result.exit_code, result.stdout) == (2, "")
    assert not list(tmp_path.glob("runs*"))


# Waiting


class Watching:
    """`follow` in a thread, and the lines that it said."""

    def __init__(self, location: StoreLocation, run_ids: list[str] | None) -> None:
        self.lines: list[str] = []
        self.states: dict[str, str] = {}
        self._thread = threading.Thread(target=self._follow, args=(location, run_ids), daemon=True)
        self._thread.start()

    def _follow(self, location: StoreLocation, run_ids: list[str] | None) -> None:
        runs = follow(Session(db=location.db), run_ids, self.lines.append)
        self.states = {run.id: run.state for run in runs}

    def sees(self, text: str) -> None:
        """Wait until a line has this text."""
        _until(lambda: any(text in line for line in self.lines), f"{text!r} in {self.lines}")

    def ends(self) -> dict[str, str]:
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), self.lines
        return self.states


def _until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_each_event_is_one_line_until_all_have_ended(
    held: StoreLocation, empty_store: LiveStore
) -> None:
    good, bad = empty_store.launch("sasrec"), empty_store.launch("xlstm")
    watching = Watching(held, [good, bad])
    watching.sees(f"{good}  queued")
    empty_store.train(good, 2)
    watching.sees(f"{good}  running on cpu, 2 threads")
    watching.sees(f"{good}  epoch 2/60  loss ")
    empty_store.journal(good, [{"t": 1, "kind": "warning", "message": "\x1b[31mhot"}])
    watching.sees("warning: ")
    empty_store.train(good, 1, first=3, end="done")
    watching.sees(f"{good}  done: test NDCG@10 ")
    empty_store.train(bad, 1, end="failed")
    assert watching.ends() == {good: "done", bad: "failed"}
    epochs = [line for line in watching.lines if good in line and "  epoch " in line]
    assert ["epoch 1/" in epochs[0], "epoch 2/" in epochs[1], "epoch 3/" in epochs[2]] == [True] * 3
    assert len(epochs) == 3
    assert "valid NDCG@10 0." in epochs[0]


def test_what_went_before_is_not_said_again(held: StoreLocation, busy_store: LiveStore) -> None:
    with closing(connect_reader(held)) as connection:
        running = [run.id for run in list_runs(connection, ["running"])]
    watching = Watching(held, running)
    watching.sees("running: epoch 9/60")
    busy_store.train(running[0], 1, first=10, end="cancelled")
    assert watching.ends() == {running[0]: "cancelled"}
    assert len(watching.lines) == 3


def test_a_rebuilt_store_is_followed_on(held: StoreLocation, empty_store: LiveStore) -> None:
    from engine.store.intake.rebuild import rebuild

    run = empty_store.launch("sasrec")
    watching = Watching(held, [run])
    watching.sees("queued")
    rebuild(held)
    empty_store.train(run, 1, end="done")
    assert watching.ends() == {run: "done"}


def test_a_run_that_is_deleted_meanwhile_is_not_done(
    held: StoreLocation, empty_store: LiveStore
) -> None:
    done, gone = empty_store.launch("sasrec"), empty_store.launch("xlstm")
    empty_store.train(done, 1, end="done")
    with closing(connect_writer(held)) as connection, write(connection):
        delete_run(connection, gone)
    with pytest.raises(Exit) as exited:
        exit_with(wait_for(Session(db=held.db), [done, gone]), [done, gone])
    assert exited.value.exit_code == 1


def test_the_exit_status_tells_how_it_went(
    held: StoreLocation, busy_store: LiveStore, cli: Run
) -> None:
    arguments = ("run", "--model", "sasrec", "--dataset", "synthetic", "--set", "epochs=60")
    result = cli(*arguments, "--seed", "1,2", "--wait", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["queued"] == []
    assert [run["state"] for run in found["runs"]] == ["done", "done"]
    assert [run["id"] for run in found["runs"]] == found["present"]


@pytest.mark.timeout(8 * DEADLINE)
def test_a_run_is_waited_for_again_and_a_cancelled_one_is_a_failure(
    tmp_path: Path,
) -> None:
    """The whole way, with a real supervisor and real training on very little data."""
    datasets = tmp_path / "mine/datasets"
    datasets.mkdir(parents=True)
    (datasets / "tiny.yaml").write_text(TINY)
    (tmp_path / "mine/settings.yaml").write_text("idle_seconds: 1\nslots: {cpu: 1}\nniceness: 0\n")
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[4]),
        "SEQBENCH_CONFIG": str(tmp_path / "mine"),
    }

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tui.cli", *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    cell = ("run", "--model", "sasrec", "--dataset", "tiny", "--length", "8", "--wait")
    endless = start(*cell, "--set", "epochs=100000", "--set", "patience=100000")
    assert endless.stderr is not None
    for line in endless.stderr:
        if "  epoch " in line:
            break
    endless.send_signal(signal.SIGINT)
    out, errors = endless.communicate(timeout=DEADLINE)
    assert endless.returncode == 130
    assert "The runs continue in the background" in errors

    again = start(*cell, "--set", "epochs=100000", "--set", "patience=100000")
    assert again.stderr is not None
    assert "already there" in again.stderr.readline()
    assert "running: epoch" in again.stderr.readline()
    cancel = start("cancel", out.strip())
    assert cancel.communicate(timeout=DEADLINE)[0] == out
    errors = again.communicate(timeout=DEADLINE)[1]
    assert again.returncode == 1
    assert "cancelled" in errors
    location = StoreLocation(tmp_path / "runs.db")
    _until(lambda: not supervisor_running(location), "the supervisor ends when it is idle")


def test_a_sweep_of_training_runs_a_fitted_model_once(cli: Run, cli_json: RunJson) -> None:
    sweep = ("--set", "lr=0.01,0.001", "--set", "epochs=2")
    mixed = ("run", "--model", "sasrec,markov,ease", "--dataset", "synthetic", *sweep, "--dry-run")
    told = cli(*mixed)
    said = "ease and markov are fitted: lr and epochs don't concern them."
    assert said in told.stderr.splitlines()
    models = [line.split() for line in told.stdout.splitlines()[1:]]
    assert [(line[0], line[5]) for line in models] == [
        ("sasrec", "0.01"), ("sasrec", "0.001"), ("ease", "–"), ("markov", "–"),
    ]  # fmt: skip
    plan = cli_json(*mixed, "--json")
    assert [run["swept"] for run in plan] == [{"lr": 0.01}, {"lr": 0.001}, {}, {}]
    refused = cli("run", "--model", "markov", *mixed[3:])
    assert refused.exit_code == 2
    assert "markov is fitted, not trained: it has no setting 'lr' of training." in refused.stderr
