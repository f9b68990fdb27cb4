"""`seqbench logs`: what workers wrote and the journal in words, in the order of time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from unittest.mock import patch

from click.testing import Result
from live_runs import NOW, LiveStore

from engine.store.connect import connect_reader
from engine.store.intake.rebuild import rebuild
from engine.store.location import StoreLocation
from engine.store.queries import list_runs
from tui.cli.runs import logs as logs_module
from tui.cli.session import say_while_read

Run = Callable[..., Result]

END = "end: All epochs are trained."


def ids(location: StoreLocation, *states: str) -> list[str]:
    with closing(connect_reader(location)) as connection:
        return [run.id for run in list_runs(connection, states or None)]


def test_a_log_is_printed_and_its_absence_said(
    held: StoreLocation, busy_store: LiveStore, cli: Run
) -> None:
    absent = cli("logs", ids(held, "queued")[0])
    assert (absent.exit_code, absent.stdout) == (0, "")
    assert "has written no log" in absent.stderr
    run = ids(held, "done")[0]
    busy_store.log(run, "one\ntwo é\nthree")
    printed = cli("logs", run).stdout.splitlines()
    assert printed[0] == "attempt 1 starts on cpu"
    assert printed[-4:] == ["one", "two é", "three", END]


def test_the_log_of_a_run_that_was_retried_is_in_the_order_of_time(
    held: StoreLocation, empty_store: LiveStore, cli: Run
) -> None:
    run = empty_store.launch("sasrec")

    def printed() -> list[str]:
        return [line.partition("   loss")[0] for line in cli("logs", run).stdout.splitlines()]

    cancelled = {"t": NOW, "kind": "end", "status": "cancelled", "message": "Cancelled."}
    empty_store.train(run, 2)
    empty_store.journal(run, [cancelled])
    empty_store.resume(run, 2, resumed_epoch=2, epochs=1)
    empty_store.journal(run, [cancelled | {"status": "done", "message": ""}], attempt=2)
    began = ["attempt 1 starts on cpu", "epoch   1", "epoch   2", "end: Cancelled."]
    went_on = ["attempt 2 resumes after epoch 2 on cpu", "epoch   3", "end: done"]
    assert printed() == [*began, *went_on]
    empty_store.log(run, "a warning of torch\n")
    assert printed() == [*began, *went_on[:-1], "a warning of torch", "end: done"]


def test_a_log_is_followed_until_the_run_has_ended(
    held: StoreLocation, busy_store: LiveStore, cli: Run
) -> None:
    run = ids(held, "running")[0]
    busy_store.log(run, "begin\n")
    printed: list[Result] = []
    thread = threading.Thread(target=lambda: printed.append(cli("logs", run, "-f")))
    thread.start()
    busy_store.log(run, "mid")
    busy_store.log(run, "dle\n")
    busy_store.log(run, "last")
    busy_store.train(run, 1, first=10, end="done")
    thread.join(15)
    assert not thread.is_alive()
    lines = printed[0].stdout.splitlines()
    assert [line for line in lines if not line.startswith("epoch")] == [
        "attempt 1 starts on cpu", "begin", "middle", "last", END,
    ]  # fmt: skip
    assert lines[-1] == END
    assert f"{run} is done." in printed[0].stderr


def test_a_log_is_followed_on_in_a_rebuilt_store(
    held: StoreLocation, busy_store: LiveStore, cli: Run
) -> None:
    run = ids(held, "running")[0]
    busy_store.log(run, "begin\n")
    printed: list[Result] = []
    followed = threading.Thread(target=lambda: printed.append(cli("logs", run, "-f")), daemon=True)
    with patch.object(logs_module, "say_while_read", wraps=say_while_read) as said:
        followed.start()
        deadline = time.monotonic() + 15
        while not any("begin" in call.args[0] for call in said.call_args_list):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        rebuild(held)
        busy_store.train(run, 1, first=10, end="done")
        followed.join(15)
    assert not followed.is_alive()
    assert printed[0].stdout.splitlines()[-1] == END


def test_a_log_that_is_no_file_is_a_sentence(
    held: StoreLocation, busy_store: LiveStore, cli: Run
) -> None:
    run = ids(held, "running")[0]
    held.folder(run).log.mkdir(parents=True)
    found = cli("logs", run)
    assert (found.exit_code, "log.txt can't be read" in found.stderr) == (1, True)


def test_a_journal_is_followed_until_the_run_has_ended(
    held: StoreLocation, busy_store: LiveStore, cli: Run
) -> None:
    run = ids(held, "running")[0]
    before = cli("logs", run).stdout.splitlines()
    printed: list[Result] = []
    thread = threading.Thread(target=lambda: printed.append(cli("logs", run, "-f")))
    thread.start()
    busy_store.train(run, 2, first=10)
    busy_store.train(run, 1, first=12, end="done")
    thread.join(15)
    assert not thread.is_alive()
    lines = printed[0].stdout.splitlines()
    assert lines[: len(before)] == before
    assert [line[:9] for line in lines[len(before) :]] == [
        "epoch  10",
        "epoch  11",
        "epoch  12",
        END[:9],
    ]
