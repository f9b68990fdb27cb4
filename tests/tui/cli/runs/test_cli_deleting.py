"""`seqbench delete`, `undelete` and `db gc`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from measured_runs import MeasuredStore

from engine.store import transitions
from engine.store.connect import connect_writer
from engine.store.database import write
from engine.store.intake.trash import deleted_runs
from engine.store.location import StoreLocation
from engine.store.requests import set_note
from engine.supervisor.requests import answer
from tui.cli.doctor.checks import check_trash
from tui.cli.session import Session

Run = Callable[..., Result]
RunJson = Callable[..., Any]


@pytest.fixture
def lab(held: StoreLocation, tmp_path: Path) -> MeasuredStore:
    return MeasuredStore(tmp_path)


def work(location: StoreLocation) -> None:
    with closing(connect_writer(location)) as connection:
        with write(connection):
            for live in transitions.live_attempts(connection):
                transitions.mark_exited(connection, live.run, live.attempt)
        for request in transitions.requests(connection):
            answer(connection, location, request)


def ids(cli_json: RunJson) -> set[str]:
    return {run["id"] for run in cli_json("ls", "--json")}


def test_deleted_runs_are_listed_and_come_back(
    lab: MeasuredStore, cli: Run, cli_json: RunJson
) -> None:
    one, two = lab.add(seed=1), lab.add(seed=2)
    set_note(lab.location, one, "the first")
    assert "The trash is empty." in cli("undelete").stderr
    before = cli_json("show", one, "--json")
    assert cli("delete", one[-5:], two).stdout.split() == [one, two]
    work(lab.location)
    assert ids(cli_json) == set()
    (first, second) = sorted(cli_json("undelete", "--json"), key=lambda row: row["run"] != one)
    assert (first["run"], first["note"], first["state"]) == (one, "the first", "done")
    assert second["bytes"] > 0
    assert abs(second["deleted"] - time.time()) < 60
    shown = cli("undelete", "--list").stdout
    assert re.search(rf"{one} +done .*the first", shown)
    assert cli("undelete", one[-5:]).stdout == f"{one}\n"
    assert ids(cli_json) == {one}
    after = cli_json("show", one, "--json")
    for found in (before, after):
        del found["attempts"]  # which tell when the store was told
    assert after == before
    assert [row["run"] for row in cli_json("undelete", "--json")] == [two]


def test_what_cannot_come_back_is_a_sentence(lab: MeasuredStore, cli: Run) -> None:
    one, two = lab.add(seed=1), lab.add(seed=2)
    unknown = cli("undelete", "nowhere")
    assert unknown.exit_code == 2
    assert "There is no deleted run 'nowhere': `seqbench undelete` lists them." in unknown.stderr
    there = cli("undelete", one)
    assert (there.exit_code, there.stderr) == (1, f"{one} isn't deleted.\n")
    cli("delete", one, two)
    work(lab.location)
    several = cli("undelete", "sasrec")
    assert several.exit_code == 2
    assert "could be several deleted runs" in several.stderr
    equal = lab.add(seed=1)
    back = cli("undelete", one)
    assert (back.exit_code, back.stdout) == (0, f"{one}\n")
    assert back.stderr == f"{one} has the settings, data and seed of {equal}.\n"
    assert cli("undelete", "--list", one).exit_code == 2
    running = lab.add(seed=3, epochs=2, end=None)
    refused = cli("delete", running)
    assert refused.exit_code == 1
    assert f"{running} is running: cancel it first; nothing was changed." in refused.stderr


def test_the_trash_is_emptied_of_what_is_old(lab: MeasuredStore, cli: Run) -> None:
    one, two = lab.add(seed=1), lab.add(seed=2)
    for run in (one, two):
        cli("delete", run)
        work(lab.location)
    (found,) = check_trash(Session(lab.location.db))
    assert re.fullmatch(r"2 deleted runs, [\d.]+ kB", found.text)
    assert found.level == "ok"
    newer, older = deleted_runs(lab.location)
    old = older.folder.path.parent
    month_ago = time.gmtime(time.time() - 31 * 86_400)
    old.rename(old.with_name(time.strftime("%Y%m%dT%H%M%S.000000Z", month_ago)))
    (found,) = check_trash(Session(lab.location.db))
    assert found.text.endswith("; 1 of them older than 30 days")
    assert "`seqbench db gc`" in found.cure
    said = cli("db", "gc").stderr
    assert re.fullmatch(
        r"1 deleted run permanently removed, [\d.]+ kB freed; 1 younger than 30 days kept\.\n", said
    )
    assert [each.run for each in deleted_runs(lab.location)] == [newer.run]
    assert "1 deleted run permanently removed" in cli("db", "gc", "--all").stderr
    assert cli("db", "gc", "--all").stderr == "0 deleted runs permanently removed, 0 B freed.\n"
    assert cli("undelete", one).exit_code == 2
