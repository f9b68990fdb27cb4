"""`seqbench diff`, `note`, `tag` and `ls --filter`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from click.testing import Result
from live_runs import LiveStore

from engine.config import load_catalogue
from engine.store.location import StoreLocation
from engine.store.requests import enqueue

Run = Callable[..., Result]
RunJson = Callable[..., Any]


def runs(cli_json: RunJson, filter_: str) -> list[str]:
    return [run["id"] for run in cli_json("ls", "--json", "--filter", filter_)]


def test_two_runs_differ_in_their_seed(
    held: StoreLocation, busy_store: LiveStore, cli: Run, cli_json: RunJson
) -> None:
    second, first = runs(cli_json, "state:done")
    found = cli_json("diff", first, second, "--json")
    assert (found["left"], found["right"]) == (first, second)
    assert [(s["name"], s["left"], s["right"]) for s in found["settings"]] == [("seed", "1", "2")]
    figures = {figure["name"]: figure for figure in found["figures"]}
    ndcg = figures["NDCG@10/test"]
    assert ndcg["difference"] == ndcg["right"] - ndcg["left"]
    assert {figure["better"] for figure in found["figures"]} == {None}
    why = found["why_not"]
    assert why.startswith("one seed each")
    assert "no conclusion; `seqbench run --model sasrec " in why
    assert "--seed 1,2,3" in why
    text = cli("diff", first, second[-5:]).stdout
    assert why in text
    assert "run.seed" in text
    assert "NDCG@10/test" in text
    assert "patience" not in text
    same = cli("diff", first, first)
    assert "The same configuration" in same.stderr
    assert "seed" not in same.stdout.partition("DIFFERENCE")[2]


def test_other_data_is_warned_of(
    held: StoreLocation, busy_store: LiveStore, cli: Run, cli_json: RunJson
) -> None:
    (other,) = enqueue(held, [load_catalogue().run_spec("sasrec", "ml-1m", 50, 1)])
    result = cli("diff", runs(cli_json, "state:done")[0], other)
    assert result.exit_code == 0
    assert "Different data sets: the metrics aren't comparable." in result.stderr


def test_a_run_or_aggregate_that_isnt_known_is_a_sentence(
    held: StoreLocation, busy_store: LiveStore, cli: Run, cli_json: RunJson
) -> None:
    run = runs(cli_json, "state:done")[0]
    for words in (("diff", run, "nothing"), ("diff", run, run, "--aggregate", "meen")):
        result = cli(*words)
        assert result.exit_code == 2
        assert len(result.stderr.splitlines()) == 1


def test_notes_are_written_shown_and_taken_away(
    held: StoreLocation, busy_store: LiveStore, cli: Run, cli_json: RunJson
) -> None:
    run = runs(cli_json, "state:done")[0]
    assert "has no note" in cli("note", run).stderr
    assert cli("note", run[-5:], " lower lr \x1b[2J").stdout.strip() == run
    assert cli("note", run).stdout.strip() == "lower lr"
    assert runs(cli_json, 'note:"lower lr"') == [run]
    cli("note", run, "")
    assert runs(cli_json, "note:*") == []


def test_tags_are_given_taken_and_found(
    held: StoreLocation, busy_store: LiveStore, cli: Run, cli_json: RunJson
) -> None:
    first, second = runs(cli_json, "state:done")
    result = cli("tag", first, second, "--add", "paper,best", "--add", "v1.0")
    assert result.stdout.splitlines() == [f"{run}  paper  best  v1.0" for run in (first, second)]
    cli("tag", second, "--remove", "best,never")
    assert cli("tag", second).stdout.strip() == f"{second}  paper  v1.0"
    assert runs(cli_json, "tag:best") == [first]
    assert set(runs(cli_json, "tag:v1*")) == {first, second}
    for wrong in ("two words", "=x", "x" * 41, '"'):
        result = cli("tag", first, "--add", wrong)
        assert result.exit_code == 2
        assert "can't be a tag" in result.stderr
    many = cli("tag", first, "--add", ",".join(f"t{i}" for i in range(18)))
    assert "at most 20 tags" in many.stderr
    assert cli("tag", first).stdout.strip() == f"{first}  paper  best  v1.0"


def test_a_filter_that_means_nothing_is_a_sentence(
    held: StoreLocation, busy_store: LiveStore, cli: Run
) -> None:
    for command in ("ls", "compare"):
        result = cli(command, "--filter", "ndgc>0.1")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "character 1: there is no field 'ndgc': did you mean 'ndcg'?" in result.stderr
    result = cli("ls", "--filter", "model:nothing")
    assert "There are no such runs." in result.stderr


def test_tags_outlive_the_store(
    held: StoreLocation, busy_store: LiveStore, cli: Run, cli_json: RunJson
) -> None:
    from contextlib import closing

    from engine.store.connect import connect_writer
    from engine.store.intake.folders import save_unsaved

    run = runs(cli_json, "state:done")[0]
    cli("tag", run, "--add", "Größe")
    with closing(connect_writer(held)) as connection:
        save_unsaved(connection, held)
    assert json.loads(held.folder(run).meta.read_text())["tags"] == ["Größe"]
    held.db.unlink()
    assert runs(cli_json, "tag:größe") == [run]
