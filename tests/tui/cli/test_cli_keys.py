"""`keys`: the names of actions and their keys, as the user has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

from tui.keys import ACTIONS

Run = Callable[..., Result]


def test_every_action_is_listed_with_its_name(cli: Run, cli_json: Callable[..., Any]) -> None:
    listed = cli("keys").stdout.splitlines()
    assert len(listed) == len(ACTIONS) + 1
    assert ["launch.fetch", "f", "Fetch"] in [line.split()[:3] for line in listed]
    names = [entry["name"] for entry in cli_json("keys", "--json")]
    assert names == [None if action.own_keys else action.name for action in ACTIONS]


def test_chosen_keys_are_listed(cli_json: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "terminal.yaml").write_text("keys: {launch.fetch: [F, '#']}\n")
    listed = {entry["name"]: entry["keys"] for entry in cli_json("keys", "--json")}
    assert listed["launch.fetch"] == ["F", "number_sign"]


def test_a_wrong_file_is_a_sentence(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "terminal.yaml").write_text("keys: {launch.fetch: ctrl+m}\n")
    result = cli("keys")
    assert result.exit_code == 2
    assert "a terminal can't distinguish ctrl+m from enter." in result.stderr
    assert len(result.stderr.splitlines()) == 1
