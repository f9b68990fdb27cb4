"""What a run recommends, for programs: what isn't known is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from live_runs import LiveStore

from engine.store.location import StoreLocation

RunJson = Callable[..., Any]


def test_only_what_is_recommended_has_a_score(
    held: StoreLocation, empty_store: LiveStore, cli_json: RunJson
) -> None:
    run = empty_store.launch("sasrec")
    empty_store.train(run, 3, end="done")
    empty_store.keep_model(run)
    found = cli_json("recommend", run, "--user", "7", "--top", "4", "--json")
    assert found["run"] == run
    assert {tuple(item) for item in (*found["history"], found["true"])} == {("id", "title")}
    assert {tuple(item) for item in found["top"]} == {("id", "title", "score", "seen", "true")}
    assert len(found["top"]) == 4
    asked = ("recommend", run, "--user", "7", "--top", "4", "--json", "--history")
    assert cli_json(*asked, "3")["history"] == found["history"][-3:]
    assert cli_json(*asked, "0")["history"] == []
