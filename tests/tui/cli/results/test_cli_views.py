"""``seqbench compare --view`` and ``--baseline``."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from measured_runs import MeasuredStore, filled_store

from engine.analysis.views import save_view, saved_view


@pytest.fixture
def stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: Any
) -> tuple[MeasuredStore, dict[str, str]]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEQBENCH_CONFIG", raising=False)
    return filled_store(tmp_path)


def save(**content: Any) -> None:
    save_view(saved_view({"name": "paper", **content}), replace=True)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def compare(cli: Any, stored: tuple[MeasuredStore, dict[str, str]], *arguments: str) -> Any:
    return cli("compare", "--db", str(stored[0].location.db), "--format", "csv", *arguments)


def test_a_view_gives_what_the_command_line_does_not(
    stored: tuple[MeasuredStore, dict[str, str]], cli: Any
) -> None:
    save(filter="model:xlstm state:done", sort="recall:asc", columns=("ndcg", "recall"))
    found = rows(compare(cli, stored, "--view", "paper").stdout)
    assert list(found[0])[-2:] == ["NDCG@10/test", "Recall@10/test"]
    assert {row["model"] for row in found} == {"xlstm"}
    recalls = [float(row["Recall@10/test"]) for row in found]
    assert recalls == sorted(recalls)
    typed = ("--filter", "model:bert4rec", "--sort", "ndcg:desc", "--columns", "ndcg")
    found = rows(compare(cli, stored, "--view", "paper", *typed).stdout)
    assert {row["model"] for row in found} == {"bert4rec"}
    assert list(found[0])[-1] == "NDCG@10/test"
    shown = [float(row["NDCG@10/test"]) for row in found if row["NDCG@10/test"]]
    assert shown == sorted(shown, reverse=True)


def test_a_grouped_view_with_a_baseline_shows_differences_and_no_verdict(
    stored: tuple[MeasuredStore, dict[str, str]], cli: Any
) -> None:
    _, runs = stored
    save(by_cell=True, filter="xlstm", baseline=runs["sasrec-50-1"])
    result = compare(cli, stored, "--view", "paper")
    found = rows(result.stdout)
    assert [row["model"] for row in found] == ["sasrec", "xlstm", "xlstm", "xlstm"]
    assert found[0]["NDCG@10/test (difference)"] == ""
    assert all(float(row["NDCG@10/test (difference)"]) < 0 for row in found[1:])
    assert f"Differences are to the cell of {runs['sasrec-50-1']}" in result.stderr
    assert "worse" not in result.stdout + result.stderr


def test_other_tables_take_a_views_filter(
    stored: tuple[MeasuredStore, dict[str, str]], cli: Any
) -> None:
    save(by_cell=True, filter="xlstm", sort="age:desc", baseline="gone")
    found = rows(compare(cli, stored, "--view", "paper", "--pivot").stdout)
    assert {row["model"] for row in found} == {"xlstm", ""}


def test_what_is_not_there_is_said(stored: tuple[MeasuredStore, dict[str, str]], cli: Any) -> None:
    save(baseline="gone")
    result = compare(cli, stored, "--view", "paper")
    assert "No differences are shown: There is no run 'gone'" in result.stderr
    assert len(rows(result.stdout)) == 23
    for arguments, says in (
        (("--view", "papr"), "There is no view 'papr': did you mean 'paper'?"),
        (("--baseline", "gone"), "There is no run 'gone'"),
        (("--baseline", "gone", "--pairs"), "--baseline is for runs and --by-cell."),
    ):
        failed = compare(cli, stored, *arguments)
        assert failed.exit_code == 2
        assert says in failed.stderr
