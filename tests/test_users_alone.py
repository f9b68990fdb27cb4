"""A test of a cell with one seed is over its users alone: wherever its result is shown, that is
said."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from floor_stores import STANDINGS, floor_store

from engine.store.compare.grouping import Choice, counted_runs
from engine.store.connect import connect_reader
from tui.cli.main import seqbench
from tui.results.diff_text import RunOrCell
from tui.results.reading import read_diff, read_words
from tui.run.reading import read_ranked

ALONE = re.compile(r"users\W+alone", re.I)
Shown = Callable[..., dict[str, str]]


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """All places that show a test of trained cells, by name, with what they say."""
    monkeypatch.chdir(tmp_path)

    def command(*words: str) -> str:
        result = CliRunner().invoke(seqbench, words, prog_name="seqbench")
        assert result.exit_code == 0, result.output
        return f"{result.stdout}\n{result.stderr}"

    def read(seeds: tuple[int, ...]) -> dict[str, str]:
        store = floor_store(tmp_path, seeds)
        monkeypatch.setenv("SEQBENCH_DB", str(store.location.db))
        with closing(connect_reader(store.location)) as con:
            runs = {cell.model: run for run, cell in counted_runs(con, Choice()).items()}
            cells = {cell.model: cell.name for cell in counted_runs(con, Choice()).values()}
        sides = [RunOrCell(cells[model], is_cell=True) for model in ("sasrec", "xlstm")]
        diff = read_diff(store.location, (sides[0], sides[1]), Choice(), "best")
        report = command("report")
        return {
            "compare": command("compare"),
            "pairs": command("compare", "--pairs"),
            "pairs as JSON": command("compare", "--pairs", "--format", "json"),
            "report, in short": report.partition("## In short")[2].partition("\n## ")[0],
            "report, results": report.partition("## Results")[2],
            "diff": " ".join(read_words(store.location, diff)),
            **{
                f"page of {model}": read_ranked(store.location, runs[model], None).floor
                for model in STANDINGS
            },
        }

    return read


def test_with_one_seed_every_place_says_so(shown: Shown) -> None:
    places = shown((1,))
    assert [name for name, text in places.items() if not ALONE.search(text)] == []
    every = [line for text in places.values() for line in text.splitlines()]
    claimed = [line for line in every if re.search(r"\b(better|worse)\b", line)]
    # A fitted model is the same for every seed.
    assert [line for line in claimed if any(model in line for model in STANDINGS)] == []


def test_with_several_seeds_none_says_it_of_a_cell(shown: Shown) -> None:
    places = shown((1, 2, 3))
    for name in ("report, in short", "diff", *(f"page of {model}" for model in STANDINGS)):
        assert places[name]
        assert "one seed" not in places[name]
        assert not ALONE.search(places[name])
