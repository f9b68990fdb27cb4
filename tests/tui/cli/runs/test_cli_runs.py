"""Listing, showing, cancelling and retrying runs; hostile text does nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from live_runs import LiveStore

from engine.store.connect import connect_reader, connect_writer
from engine.store.database import fetch
from engine.store.location import StoreLocation
from engine.store.queries import list_runs, run_spec
from engine.store.requests import set_note
from engine.store.transitions import hold
from tui.shell.presence import Presence
from tui.shell.remembered import keep

Run = Callable[..., Result]
RunJson = Callable[..., Any]

HOSTILE = "\x1b[2J\x1b]0;owned\x07[bold]x[/]\u202e\r\n\x9b31m"


def ids(location: StoreLocation, *states: str) -> list[str]:
    with closing(connect_reader(location)) as connection:
        return [run.id for run in list_runs(connection, states or None)]


def requests(location: StoreLocation) -> list[tuple[str, str]]:
    with closing(connect_reader(location)) as connection:
        return [(row[0], row[1]) for row in fetch(connection, "SELECT action, run FROM requests")]


def test_an_empty_place_has_no_runs_and_gets_no_store(
    cli: Run, cli_json: RunJson, tmp_path: Any
) -> None:
    assert cli_json("ls", "--json") == []
    assert cli("ls").stderr == "There are no runs yet: see `seqbench run`.\n"
    assert cli("watch").stderr == "The queue is empty.\n"
    assert not list(tmp_path.glob("runs*"))


def test_runs_are_listed_newest_first(
    held: StoreLocation, busy_store: LiveStore, cli: Run, cli_json: RunJson
) -> None:
    runs = cli_json("ls", "--json")
    assert [run["id"] for run in runs] == ids(held)
    lines = cli("ls").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ids(held)
    assert len(cli("ls", "--limit", "2").stdout.splitlines()) == 3
    running = cli_json("ls", "--state", "running", "--json")
    assert [(run["state"], run["epoch"], run["epochs"]) for run in running] == [("running", 9, 60)]
    assert 0.1 < running[0]["progress"] < 0.2
    assert len(cli_json("ls", "--state", "running,queued", "--json")) == 3
    assert cli_json("ls", "--state", "lost", "--json") == []


def test_what_ended_lately_is_listed(
    held: StoreLocation, busy_store: LiveStore, cli: Run, cli_json: RunJson
) -> None:
    done = ids(held, "done")
    now = time.time()
    with closing(connect_writer(held)) as connection:
        for run, hours in zip(done, (1, 3), strict=True):
            finished = now - hours * 3_600
            connection.execute("UPDATE runs SET finished = ? WHERE id = ?", (finished, run))

    def listed(since: str) -> list[str]:
        return [
            run["id"] for run in cli_json("ls", "--since", since, "--json") if run["id"] in done
        ]

    assert listed("90m") == done[:1]
    assert listed("0.5d") == done
    assert listed("30 s") == []
    unknown = cli("ls", "--since", "left")
    assert unknown.exit_code == 1
    assert "never left with this store" in unknown.stderr
    keep(Presence(held)._topic, {"seen": now - 2 * 3_600})
    assert listed("left") == done[:1]
    for wrong in ("yesterday", "3", "-1h", "9" * 400 + "h"):
        refused = cli("ls", "--since", wrong)
        assert refused.exit_code == 2
        assert "isn't a span of time" in refused.stderr


def test_a_run_is_shown_by_a_part_of_its_id(
    held: StoreLocation, busy_store: LiveStore, cli: Run, cli_json: RunJson
) -> None:
    run = ids(held, "done")[0]
    for part in (run, run[:-2], run[-5:]):
        assert cli_json("show", part, "--json")["id"] == run
    found = cli_json("show", run, "--json")
    assert len(found["epochs_table"]) == 12
    assert found["spec"]["training"]["epochs"] == 60
    text = cli("show", run).stdout
    assert "sasrec × synthetic × 50, seed 2" in text
    assert "test, all items" in text
    assert "epochs=60" in text
    assert str(held.runs / run) in text
    for other in ids(held):
        assert cli("show", other).exit_code == 0


@pytest.mark.parametrize(("users", "span"), [(90, ".000–.040"), (900, ".000–.004")])
def test_a_run_is_shown_with_its_intervals_over_users(
    users: int, span: str, held: StoreLocation, busy_store: LiveStore, cli: Run, cli_json: RunJson
) -> None:
    run = ids(held, "done")[0]
    assert cli_json("show", run, "--json")["over_users"] is None
    np.save(held.folder(run).test_ranks, np.full((2, users), 50, np.int32))
    lines = cli("show", run).stdout.splitlines()
    (shown,) = (line for line in lines if "95 % over users" in line)
    assert lines[lines.index(shown) - 1].startswith("test, all items")
    assert shown.split()[-4:] == [span] * 4
    found = cli_json("show", run, "--json")["over_users"]
    assert found["users"] == users
    assert found["intervals"]["test_ndcg_best"] == [0, pytest.approx(1 - 0.025 ** (1 / users))]
    warning = "Only 90 test users: NDCG@10 is known to about ±0.020"
    assert any(warning in line for line in lines) == (users == 90)
    assert (found["warning"] is None) == (users == 900)


def test_a_run_that_is_not_there_or_not_clear(
    held: StoreLocation, busy_store: LiveStore, cli: Run
) -> None:
    for name, sentence in (("sasrec", "sasrec-synthetic"), ("nonsense", "nonsense")):
        result = cli("show", name)
        assert result.exit_code == 2
        assert result.stderr.count("\n") == 1
        assert sentence in result.stderr


def test_hostile_text_from_the_store_and_the_log_acts_on_nothing(
    held: StoreLocation, busy_store: LiveStore, cli: Run
) -> None:
    run = ids(held, "done")[0]
    set_note(held, run, HOSTILE)
    busy_store.log(run, f"first{HOSTILE}\nsecond\n")
    with closing(connect_reader(held)) as connection:
        assert fetch(connection, "SELECT note FROM runs WHERE id = ?", (run,))[0][0] == HOSTILE
    for arguments in (
        ("ls",),
        ("ls", "--json"),
        ("show", run),
        ("show", run, "--json"),
        ("logs", run),
        ("compare", "--format", "md"),
    ):
        result = cli(*arguments)
        for output in (result.stdout, result.stderr):
            assert not set(output) & set("\x1b\x9b\x07\r\u202e"), arguments
            assert "owned" not in output or "--json" in arguments
    assert not set(cli("show", HOSTILE).stderr) & set("\x1b\x9b\x07\r\u202e")
    assert "\nfirst[bold]x[/]" in cli("logs", run).stdout


def test_runs_are_cancelled_by_name_or_all(
    held: StoreLocation, busy_store: LiveStore, cli: Run
) -> None:
    queued = ids(held, "queued")
    result = cli("cancel", queued[0], queued[0][-5:])
    assert (result.exit_code, result.stdout) == (0, f"{queued[0]}\n")
    assert requests(held) == [("cancel", queued[0])]
    assert sorted(cli("cancel", "--all").stdout.split()) == sorted(ids(held, "queued", "running"))


def test_what_has_ended_is_not_cancelled_and_nothing_else_is_either(
    held: StoreLocation, busy_store: LiveStore, cli: Run
) -> None:
    done, queued = ids(held, "done")[0], ids(held, "queued")[0]
    result = cli("cancel", queued, done)
    assert result.exit_code == 1
    assert result.stderr == f"seqbench: {done} has ended already (done); nothing was changed.\n"
    assert requests(held) == []
    for arguments in (["cancel"], ["cancel", "--all", queued]):
        assert cli(*arguments).exit_code == 2


def test_what_ended_early_is_retried(held: StoreLocation, busy_store: LiveStore, cli: Run) -> None:
    failed, cancelled = ids(held, "failed"), ids(held, "cancelled")
    result = cli("retry", *failed, *cancelled)
    assert result.stdout.split() == failed + cancelled
    assert requests(held) == [("retry", run) for run in failed + cancelled]
    refused = cli("retry", ids(held, "done")[0])
    assert refused.exit_code == 1
    assert "only runs that ended early can be retried" in refused.stderr


def test_a_retry_with_a_change_is_a_new_run(
    held: StoreLocation, busy_store: LiveStore, cli: Run
) -> None:
    (failed,) = ids(held, "failed")
    before = ids(held)
    result = cli("retry", failed, "--set", "batch_size=32", "--set", "dropout=0.4")
    assert result.exit_code == 0, result.stderr
    (new,) = set(ids(held)) - set(before)
    assert result.stdout.split() == [new]
    with closing(connect_reader(held)) as connection:
        spec, old = run_spec(connection, new), run_spec(connection, failed)
    assert (spec.training.batch_size, spec.architecture.dropout) == (32, 0.4)
    assert (
        spec.model_copy(update={"training": old.training, "architecture": old.architecture}) == old
    ), "nothing else"
    for wrong in ("batch_size=none", "batch_sise=3", "batch_size", "batch_size=32,64"):
        refused = cli("retry", failed, "--set", wrong)
        assert refused.exit_code == 2
        assert len(refused.stderr.splitlines()) == 1
    assert len(ids(held)) == len(before) + 1


def test_a_failed_run_is_shown_with_what_to_try(
    held: StoreLocation, busy_store: LiveStore, cli: Run
) -> None:
    (failed,) = ids(held, "failed")
    with closing(connect_writer(held)) as connection:
        connection.execute("UPDATE runs SET cause = 'out-of-memory' WHERE id = ?", (failed,))
    shown = cli("show", failed).stdout
    assert "Try smaller batches" in shown
    assert f"seqbench retry {failed} --set batch_size=64 --set eval_batch_size=256" in shown


def test_what_waits_is_moved(held: StoreLocation, busy_store: LiveStore, cli: Run) -> None:
    later, sooner = ids(held, "queued")  # newest first
    result = cli("move", later, sooner, "--first")
    assert result.stdout.split() == [sooner, later], "in the order of the queue"
    assert requests(held) == [("first", later), ("first", sooner)]
    (running,) = ids(held, "running")
    refused = cli("move", sooner, running, "--up")
    assert refused.exit_code == 1
    assert "is running: only queued runs can be moved; nothing was changed" in refused.stderr
    unclear = cli("move", sooner)
    assert unclear.exit_code == 2
    assert "Say where to" in unclear.stderr
    assert len(requests(held)) == 2


def test_the_queue_is_paused_and_resumed(
    held: StoreLocation, busy_store: LiveStore, cli: Run
) -> None:
    assert cli("pause").exit_code == 0
    assert cli("resume").exit_code == 0
    assert requests(held) == [("pause", ""), ("resume", "")]
    with closing(connect_writer(held)) as connection:
        hold(connection, "error", "3 runs died.")
        connection.execute("UPDATE runs SET state = 'failed' WHERE state = 'running'")
    assert "The queue is paused. 3 runs died. `seqbench resume`" in cli("ls").stderr
    assert "The queue is paused. 3 runs died." in cli("watch").stdout, "it doesn't wait for ever"


@pytest.mark.parametrize("arguments", [["retry"], ["show"], ["logs"]])
def test_a_run_must_be_named(cli: Run, arguments: list[str]) -> None:
    result = cli(*arguments)
    assert result.exit_code == 2
    assert "Missing argument 'RUN" in result.stderr


def test_a_queue_is_watched_until_it_is_empty(
    held: StoreLocation, busy_store: LiveStore, cli: Run
) -> None:
    printed: list[Result] = []
    thread = threading.Thread(target=lambda: printed.append(cli("watch")))
    thread.start()
    for run in ids(held, "queued", "running"):
        busy_store.train(run, 1, end="done")
    thread.join(15)
    assert not thread.is_alive()
    assert printed[0].exit_code == 0
    assert printed[0].stderr == "The queue is empty.\n"
