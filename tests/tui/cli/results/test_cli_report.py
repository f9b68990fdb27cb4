"""`seqbench report`: to a file or to stdout, and what it answers where it can't."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from measured_runs import MeasuredStore
from reported_runs import add_reported

from engine.store.location import StoreLocation

Run = Callable[..., Result]


@pytest.fixture
def reported(held: StoreLocation, tmp_path: Path) -> None:
    store = MeasuredStore(tmp_path)
    for seed in (1, 2):
        add_reported(store, "sasrec", 50, seed)


def test_a_file_by_its_ending_else_markdown(reported: None, cli: Run, tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    result = cli("report", "--filter", "model:sasrec length:50", "-o", str(page))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"Written to {page}.\n"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    printed = cli("report", "--filter", "model:sasrec length:50", "--metric", "recall@10/test")
    assert printed.stdout.startswith("# Benchmark of sequential recommenders\n")
    assert "Quality is Recall@10/test" in printed.stdout
    assert "![" not in printed.stdout


def test_a_suite_that_has_no_run_is_said(reported: None, cli: Run) -> None:
    result = cli("report", "--suite", "smoke")
    assert result.exit_code == 2
    assert "There is nothing to report" in result.stderr
    both = cli("report", "--suite", "smoke", "--filter", "model:sasrec")
    assert (both.exit_code, "leave out the filter, or the suite" in both.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("-o", "report.pdf"), "end it with .md or .html"),
        (("--metric", "EpochTime"), "isn't a metric of single test users"),
        (("--quality", "fast"), "write recall@10=.13"),
        (("--suite", "reference-72"), "reference-27"),
        ((), "There are no runs yet"),
    ],
)
def test_what_is_wrong_is_said_first(cli: Run, arguments: tuple[str, ...], sentence: str) -> None:
    result = cli("report", *arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stdout == ""


def test_time_to_quality_is_a_column_of_compare(reported: None, cli: Run) -> None:
    result = cli("compare", "--quality", "--format", "csv", "--filter", "state:done")
    assert "95 % of the best NDCG@10/valid" in result.stderr
    assert "TimeToQuality" in result.stdout.splitlines()[0]
    cells = cli("compare", "--by-cell", "--quality", "ndcg=0.01", "--format", "table")
    assert "TimeToQuality" in cells.stdout
    refused = cli("compare", "--pivot", "--quality", "ndcg=0.01")
    assert (refused.exit_code, "--quality is for runs and --by-cell" in refused.stderr) == (2, True)
